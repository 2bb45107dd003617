"""Envelopes as files: sigstore bundles of version 0.3 (sigstore/protobuf-specs, sigstore_bundle.proto).

A bundle of ours has an envelope and what names the key. It has no certificate and no entry of a transparency log.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from packyard.attestations.envelope import Envelope
from packyard.attestations.public_key import hint_of, key_id_of
from packyard.text.strict_json import parse_object

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
# A bill of materials of 20,000 files whose paths are as long as they may be has about 32 MB.
MAX_BYTES: Final = 48 << 20


class NotABundle(ValueError):
    """The bytes are not a bundle that this service reads. The message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """An envelope, and which key is said to have signed it.

    Attributes:
        envelope: What was signed.
        key_id: The key that the bundle names; None if it names none, or in a way of another tool. It is only a hint.
    """

    envelope: Envelope
    key_id: str | None

    def to_bytes(self) -> bytes:
        """Return the bundle as JSON; equal bundles give equal bytes."""
        material = {} if self.key_id is None else {"hint": hint_of(self.key_id)}
        envelope = {
            # A placeholder, since a payload of many megabytes should not pass through the JSON encoder too.
            "payload": "",
            "payloadType": self.envelope.payload_type,
            "signatures": [{"sig": base64.b64encode(self.envelope.signature).decode()}],
        }
        body = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": material},
            "dsseEnvelope": envelope,
        }
        text = json.dumps(body, separators=(",", ":")).encode()
        start, _, end = text.partition(b'"payload":""')
        return b"".join((start, b'"payload":"', base64.b64encode(self.envelope.payload), b'"', end))


def parse_bundle(raw: bytes) -> Bundle:
    """Return the bundle of untrusted bytes.

    Raises:
        NotABundle: It is larger than 48 MiB, no bundle of version 0.3, signed with a certificate instead of a key, has
            no envelope, or has more or fewer signatures than one (sigstore_bundle.proto).
    """
    if len(raw) > MAX_BYTES:
        raise NotABundle(f"the bundle is larger than {MAX_BYTES} bytes")
    try:
        body = parse_object(raw)
    except ValueError:
        raise NotABundle("the bundle is not a JSON object with each name once") from None
    if body.get("mediaType") != MEDIA_TYPE:
        raise NotABundle(f"the bundle is not of type {MEDIA_TYPE}")
    material = _object(body.get("verificationMaterial"), "verificationMaterial")
    if "publicKey" not in material:
        raise NotABundle("the bundle is not signed with a public key, but with a certificate or nothing")
    hint = _object(material["publicKey"], "verificationMaterial.publicKey").get("hint")
    if "dsseEnvelope" not in body:
        raise NotABundle("the bundle has no DSSE envelope")
    return Bundle(
        envelope=_envelope(_object(body["dsseEnvelope"], "dsseEnvelope")),
        key_id=key_id_of(hint) if isinstance(hint, str) else None,
    )


def _envelope(body: Mapping[str, Any]) -> Envelope:
    payload_type, signatures = body.get("payloadType"), body.get("signatures")
    if not isinstance(payload_type, str):
        raise NotABundle("the envelope has no payloadType")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise NotABundle("the envelope must have exactly one signature")
    signature = _object(signatures[0], "dsseEnvelope.signatures[0]").get("sig")
    return Envelope(
        payload_type=payload_type,
        payload=_base64(body.get("payload"), "payload"),
        signature=_base64(signature, "signature"),
    )


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NotABundle(f"{name} is not an object")
    return value


def _base64(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise NotABundle(f"the envelope's {name} is not base64") from None
