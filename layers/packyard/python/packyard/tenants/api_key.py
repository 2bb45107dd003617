"""API keys: their form, how they are stored, and their permissions."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from packyard.tenants import caller

PREFIX: Final = "sk_"
# Of keys that may `operate`, so that the console, people and scanners tell them apart. It grants nothing by itself.
OPERATOR_PREFIX: Final = "sk_operator_"
SECRET_BYTES: Final = 32
MAX_LABEL_CHARACTERS: Final = 120
# In requests and answers a key is named by its hash, by which it is stored, so that one read finds it.
KEY_ID: Final = re.compile(r"[0-9a-f]{64}")
# How much of a secret a list shows, `sk_` included: 24 of its 256 bits.
SHOWN_CHARACTERS: Final = 7


class PermissionSet(StrEnum):
    """The permissions of a key that the operator has issued."""

    FULL_ACCESS = "full_access"
    SUBMIT_OBSERVE = "submit_observe"
    READ_ONLY = "read_only"


# Reading needs no scope, so keys that may only read have none.
SCOPES: Final[Mapping[PermissionSet, frozenset[str]]] = MappingProxyType(
    {
        PermissionSet.FULL_ACCESS: caller.SCOPES,
        PermissionSet.SUBMIT_OBSERVE: frozenset(),
        PermissionSet.READ_ONLY: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An issued key as it is stored, without its secret.

    Attributes:
        key_hash: The hash of the secret, from `hash_secret`.
        org_id: The organisation that the key acts for.
        label: A name that its maker gave to the key.
        created_at: When it was issued.
        permission_set: The permissions of a key that the operator has issued; None for a key made through the API, and
            for one that may `operate`.
        granted: The scopes of such a key.
        pack_name: The name of the only pack that the key may touch; None for all packs.
        revoked_at: When it was revoked; None if it was not.
        revoked_by: Who revoked it, a principal; None if the operator did, or nobody.
        expires_at: From when on it is refused; None if it does not expire.
        created_by: Who made it, a principal; None for the operator.
        prefix: The first characters of the secret; empty for a key that the operator has issued.
        ci: What is known of the run of CI that got it for its token (`ci_run.facts_of`); empty for other keys.
        acts_as: Who acts with it, where that is not the key itself; None for the key.
    """

    key_hash: str
    org_id: str
    label: str
    created_at: datetime
    permission_set: PermissionSet | None = None
    granted: frozenset[str] = frozenset()
    pack_name: str | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    expires_at: datetime | None = None
    created_by: str | None = None
    prefix: str = ""
    ci: Mapping[str, str] = field(default_factory=dict)
    acts_as: str | None = None

    @property
    def key_id(self) -> str:
        """The key's id in histories and for the operator: the start of the hash, which does not disclose the secret."""
        return self.key_hash[:16]

    @property
    def principal(self) -> str:
        """Who acts with the key, for the history."""
        return self.acts_as or f"key:{self.key_id}"

    @property
    def scopes(self) -> frozenset[str]:
        """What the key may do."""
        return self.granted if self.permission_set is None else SCOPES[self.permission_set]

    def is_live(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired at `now`.

        A key with `revoked_at` is refused even if that time is still to come, because the clock of the machine that
        revoked it may be ahead.
        """
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret(random_bytes: bytes, *, prefix: str = PREFIX) -> str:
    """Return a new key's secret: its prefix and 43 base64url characters.

    Args:
        random_bytes: 32 bytes from the operating system's random source.
        prefix: `PREFIX` or `OPERATOR_PREFIX`.

    Raises:
        ValueError: Not 32 bytes.
    """
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"must be {SECRET_BYTES} random bytes")
    return prefix + urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def parse_label(text: str) -> str:
    """Return `text` as the label of a key.

    Raises:
        ValueError: Not 1 to 120 printable characters.
    """
    if not 1 <= len(text) <= MAX_LABEL_CHARACTERS or not text.isprintable():
        raise ValueError(f"must be 1 to {MAX_LABEL_CHARACTERS} printable characters")
    return text


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret in hex. The key is stored under this hash and looked up by it.

    Neither a salt nor a slow hash is needed, because a secret has 256 random bits and cannot be guessed (NIST SP
    800-63B, section 5.1.2.2, requires them below 112 bits). A plain hash lets one read find the key.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
