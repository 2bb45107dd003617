"""Signed payloads: DSSE envelopes (secure-systems-lab/dsse, protocol.md and envelope.md)."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload with its signature.

    Attributes:
        payload_type: What the payload is, a media type.
        payload: The bytes that were signed, together with their type.
        signature: Over `encoding(payload_type, payload)`. Of a key on P-256: ECDSA with SHA-256, as DER.
    """

    payload_type: str
    payload: bytes
    signature: bytes


def encoding(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding (PAE) of a payload and its type."""
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def encoding_hash(payload_type: str, payload: bytes) -> bytes:
    """Return the SHA-256 of `encoding`, without a copy of the payload: what KMS signs (API_Sign, `DIGEST`)."""
    name = payload_type.encode()
    hashed = hashlib.sha256(b"DSSEv1 %d %s %d " % (len(name), name, len(payload)))
    hashed.update(payload)
    return hashed.digest()
