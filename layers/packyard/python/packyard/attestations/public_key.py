"""The public keys of signatures, and what names them.

A key's id is the SHA-256 of its SubjectPublicKeyInfo as DER, in hex. Sigstore's tools write the same hash in base64 as
the hint of a bundle (sigstore/cosign, specs/BUNDLE_SPEC.md).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

KEY_ID: Final = re.compile(r"[0-9a-f]{64}")
_LINE: Final = 64
_BEGIN: Final = "-----BEGIN PUBLIC KEY-----"
_END: Final = "-----END PUBLIC KEY-----"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key.

    Attributes:
        der: Its SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), as KMS returns it (API_GetPublicKey).
    """

    der: bytes

    @property
    def id(self) -> str:
        """The key's id."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def hint(self) -> str:
        """What names the key in a bundle."""
        return hint_of(self.id)

    @property
    def pem(self) -> str:
        """The key as PEM (RFC 7468, section 13), with a line feed at its end."""
        text = base64.b64encode(self.der).decode()
        lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
        return "\n".join((_BEGIN, *lines, _END, ""))


def hint_of(key_id: str) -> str:
    """Return what names a key in a bundle."""
    return base64.b64encode(bytes.fromhex(key_id)).decode()


def key_id_of(hint: str) -> str | None:
    """Return the id of the key that a bundle's hint names; None for the hint of another tool, which may be any text."""
    try:
        key_id = base64.b64decode(hint, validate=True).hex()
    except (binascii.Error, ValueError):
        return None
    return key_id if KEY_ID.fullmatch(key_id) else None


def key_of_pem(pem: str) -> PublicKey:
    """Return the key of a PEM text.

    Raises:
        ValueError: It is not the PEM text of one public key.
    """
    lines = pem.strip().splitlines()
    if len(lines) < 3 or lines[0].strip() != _BEGIN or lines[-1].strip() != _END:  # noqa: PLR2004 - its two ends
        raise ValueError(f"is not a public key between {_BEGIN} and {_END}")
    try:
        return PublicKey(base64.b64decode("".join(line.strip() for line in lines[1:-1]), validate=True))
    except binascii.Error:
        raise ValueError("is not valid base64 between its first and its last line") from None
