"""Signatures and attestations beside images, and the policies on them.

The first byte of an input says what the rest is: a bundle, an envelope, a simple signing with its annotations as JSON
before a zero byte, or a policy.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from tests.signatures import IMAGE, REPOSITORY, Key, b64, bundle, document_of, simple_signing, statement

from packyard.oci.digest import digest_of
from packyard.signatures.brought import ENVELOPE, SIMPLE_SIGNING, Brought, ImageSignatures, from_text, to_text
from packyard.signatures.judging import Judge, NotSigned, described
from packyard.signatures.policy import from_document
from packyard.signatures.policy_faults import policy_faults

_TYPES: Final = {b"b": "application/vnd.dev.sigstore.bundle.v0.3+json", b"e": ENVELOPE, b"s": SIMPLE_SIGNING}
_AT: Final = datetime(2026, 1, 2, tzinfo=UTC)


class _Fixed(Key):
    """A key that signs the same with the same bytes each time."""

    def sign(self, message: bytes) -> bytes:
        """See `Key`."""
        return bytes(self.private.sign(message, ECDSA(SHA256(), deterministic_signing=True)))


_KEY: Final = _Fixed(derive_private_key(7, SECP256R1()))
_POLICY: Final = from_document(document_of(_KEY, images=["**"]))
_SIGNED: Final = frozenset({statement(IMAGE), simple_signing()})


def check(data: bytes) -> None:
    kind, content = data[:1], data[1:]
    if kind == b"p":
        _check_policy(content)
        return
    annotations: dict[str, str] = {}
    if kind == b"s":
        head, _, content = content.partition(b"\0")
        annotations = {name: value for name, value in _object(head).items() if isinstance(value, str)}
    one = Brought(
        where="referrers",
        manifest=digest_of(b""),
        digest=digest_of(content),
        media_type=_TYPES.get(kind, "text/plain"),
        size=len(content),
        content=content,
        annotations=annotations,
    )
    whole = ImageSignatures(repository=REPOSITORY, digest=IMAGE, found=(one,), at=_AT)
    for listed in described(whole):
        json.dumps(listed, ensure_ascii=False).encode()
    with suppress(NotSigned):
        claim = Judge(_POLICY).signed(one, whole, _POLICY.rules[0]).claim
        # Only the key's owner could have made it.
        assert claim.message is None or any(signed in claim.message for signed in _SIGNED)
    with suppress(UnicodeEncodeError):  # half of a surrogate pair, which no answer of a registry has
        assert from_text(to_text(whole)) == whole


def _check_policy(content: bytes) -> None:
    document = _object(content)
    known: dict[str, Any] = {
        name: document[name] for name in ("rules", "otherwise", "authorities", "logs") if name in document
    }
    if not policy_faults(known):
        policy = from_document(known)
        assert from_document(policy.document()) == policy
        Judge(policy).refusal(ImageSignatures(repository=REPOSITORY, digest=IMAGE, at=_AT))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def seeds() -> Iterator[bytes]:
    signed = bundle(_KEY, statement(IMAGE))
    payload = simple_signing()
    yield b"b" + json.dumps(signed).encode()
    yield b"e" + json.dumps(signed["dsseEnvelope"]).encode()
    annotations = {"dev.cosignproject.cosign/signature": b64(_KEY.sign(payload))}
    yield b"s" + json.dumps(annotations).encode() + b"\0" + payload
    yield (
        b"s"
        + json.dumps({"dev.sigstore.cosign/bundle": '{"Payload":{"logID":1}}'}).encode()
        + b"\0"
        + payload
    )
    material = {
        "certificate": {"rawBytes": "MAA="},
        "tlogEntries": [{"logIndex": "1", "logId": {"keyId": "AA=="}}],
    }
    yield b"b" + json.dumps(signed | {"verificationMaterial": material}).encode()
    yield b"p" + json.dumps(document_of(_KEY)).encode()
    identity = {"issuer": "https://a.example", "subject": "https://a.example/*"}
    yield (
        b"p"
        + json.dumps({"rules": [{"images": ["a.example/**"], "signers": [identity]}], "logs": []}).encode()
    )
