"""What signatures and attestations say, read from untrusted bytes and not verified yet.

Sources: sigstore/protobuf-specs, sigstore_bundle.proto, versions 0.1 to 0.3; sigstore/cosign, specs/SIGNATURE_SPEC.md
and specs/ATTESTATION_SPEC.md; secure-systems-lab/dsse, envelope.md; in-toto Attestation Framework, "Statement".
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packyard.attestations.envelope import encoding
from packyard.oci.digest import Digest
from packyard.signatures.brought import (
    BUNDLES,
    CERTIFICATE_ANNOTATION,
    CHAIN_ANNOTATION,
    ENVELOPE,
    LOG_ANNOTATION,
    MAX_BYTES_EACH,
    READABLE,
    SIGNATURE_ANNOTATION,
    SIMPLE_SIGNING,
    TIMESTAMP_ANNOTATION,
    Brought,
)
from packyard.signatures.log_entry import LogEntry
from packyard.signatures.policy import SIGNATURE
from packyard.text.strict_json import parse_object

# The predicate by which cosign 3 signs an image, which says nothing but that it is signed.
SIGNED_BY_COSIGN: Final = "https://sigstore.dev/cosign/sign/v1"
STATEMENTS: Final = frozenset({"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"})
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_SIMPLE_TYPE: Final = "cosign container image signature"
_MAX_SIGNATURES: Final = 5
_MAX_CERTIFICATES: Final = 5
_MAX_ENTRIES: Final = 4
_MAX_SUBJECTS: Final = 1000
_MAX_SHOWN: Final = 100
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_WHOLE: Final = re.compile(r"[0-9]{1,18}")


class NotReadable(ValueError):
    """It is no signature and no attestation that can be verified here. The message continues `it …`, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a signature or an attestation says.

    Attributes:
        what: `signature`, or the type of an attestation's predicate.
        message: The bytes that were signed; None if only their SHA-256 is known.
        sha256: The SHA-256 of those bytes.
        payload_sha256: The SHA-256 of the payload, without what an envelope adds to it.
        signatures: Any of them may be by the signer.
        subjects: The digests of what it is about.
        repository: The image that a simple signing names, as it names it; None in the formats that name none.
        certificates: The signer's certificate and those that it came with, in DER; empty when a key has signed.
        hint: What it says of the key that has signed; empty for nothing.
        entries: Entries of transparency logs that it came with.
        timestamped: Whether it came with an RFC 3161 timestamp, which is not verified here.
    """

    what: str
    message: bytes | None
    sha256: bytes
    payload_sha256: bytes
    signatures: tuple[bytes, ...]
    subjects: frozenset[Digest]
    repository: str | None = None
    certificates: tuple[bytes, ...] = ()
    hint: str = ""
    entries: tuple[LogEntry, ...] = ()
    timestamped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What comes with a signature."""

    certificates: tuple[bytes, ...] = ()
    hint: str = ""
    entries: tuple[LogEntry, ...] = ()
    timestamped: bool = False


def claim_of(one: Brought) -> Claim:
    """Return what a signature or an attestation says.

    Raises:
        NotReadable: It is of another kind, not well-formed, or over the limits.
    """
    if one.media_type not in READABLE:
        raise NotReadable(f"is of the type {one.media_type[:_MAX_SHOWN]}, which is not verified here")
    if one.content is None:
        raise NotReadable(
            f"is larger than what is kept: {MAX_BYTES_EACH} bytes each, and less if there are many"
        )
    if one.media_type == SIMPLE_SIGNING:
        return _simple_signing(one.content, one.annotations)
    body = _parsed(one.content)
    if one.media_type == ENVELOPE:
        return _envelope(body, _annotated(one.annotations))
    return _bundle(body)


def _bundle(body: Mapping[str, Any]) -> Claim:
    if _text(body, "mediaType") not in BUNDLES:
        raise NotReadable("is no sigstore bundle of version 0.1 to 0.3")
    material = _material(_object(body, "verificationMaterial"))
    if "dsseEnvelope" in body:
        return _envelope(_object(body, "dsseEnvelope"), material)
    if "messageSignature" not in body:
        raise NotReadable("is a bundle without a signature")
    signed = _object(body, "messageSignature")
    digest = _object(signed, "messageDigest")
    sha256 = _bytes(digest, "digest")
    if digest.get("algorithm") != "SHA2_256" or len(sha256) != hashlib.sha256().digest_size:
        raise NotReadable("signs a digest that is not SHA-256")
    return _claim(
        SIGNATURE,
        None,
        sha256,
        sha256,
        (_bytes(signed, "signature"),),
        frozenset({Digest(f"sha256:{sha256.hex()}")}),
        material,
    )


def _envelope(body: Mapping[str, Any], material: _Material) -> Claim:
    payload_type = body.get("payloadType")
    if payload_type != PAYLOAD_TYPE:
        shown = payload_type[:_MAX_SHOWN] if isinstance(payload_type, str) else "none"
        raise NotReadable(f"is an envelope with a payload of type {shown}, not a statement ({PAYLOAD_TYPE})")
    payload = _bytes(body, "payload")
    signatures = body.get("signatures")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= _MAX_SIGNATURES:
        raise NotReadable(f"is an envelope without signatures, or with more than {_MAX_SIGNATURES}")
    message = encoding(payload_type, payload)
    what, subjects = _statement(payload)
    return _claim(
        SIGNATURE if what == SIGNED_BY_COSIGN else what,
        message,
        hashlib.sha256(message).digest(),
        hashlib.sha256(payload).digest(),
        tuple(_bytes(one if isinstance(one, dict) else {}, "sig") for one in signatures),
        subjects,
        material,
    )


def _statement(payload: bytes) -> tuple[str, frozenset[Digest]]:
    body = _parsed(payload)
    if _text(body, "_type") not in STATEMENTS:
        raise NotReadable("has a payload that is no in-toto statement of version 0.1 or 1")
    what, named = body.get("predicateType"), body.get("subject")
    if not isinstance(what, str) or not 1 <= len(what) <= _MAX_SHOWN * 2:
        raise NotReadable("is a statement without the type of its predicate")
    if not isinstance(named, list) or not 1 <= len(named) <= _MAX_SUBJECTS:
        raise NotReadable(f"is a statement about nothing, or about more than {_MAX_SUBJECTS} things")
    subjects = set()
    for one in named:
        digests = one.get("digest") if isinstance(one, dict) else None
        sha256 = digests.get("sha256") if isinstance(digests, dict) else None
        if isinstance(sha256, str) and _HEX.fullmatch(sha256):
            subjects.add(Digest(f"sha256:{sha256}"))
    return what, frozenset(subjects)


def _simple_signing(payload: bytes, annotations: Mapping[str, str]) -> Claim:
    critical = _object(_parsed(payload), "critical")
    if critical.get("type") != _SIMPLE_TYPE:
        raise NotReadable(f'is no "{_SIMPLE_TYPE}"')
    digest = _object(critical, "image").get("docker-manifest-digest")
    repository = _object(critical, "identity").get("docker-reference")
    if not isinstance(digest, str) or not isinstance(repository, str):
        raise NotReadable("names no image")
    sha256 = hashlib.sha256(payload).digest()
    return _claim(
        SIGNATURE,
        payload,
        sha256,
        sha256,
        (_base64(annotations.get(SIGNATURE_ANNOTATION), SIGNATURE_ANNOTATION),),
        frozenset({Digest(digest)}),
        _annotated(annotations),
        repository,
    )


def _claim(  # noqa: PLR0913, PLR0917 - all that a claim is made of
    what: str,
    message: bytes | None,
    sha256: bytes,
    payload_sha256: bytes,
    signatures: tuple[bytes, ...],
    subjects: frozenset[Digest],
    material: _Material,
    repository: str | None = None,
) -> Claim:
    return Claim(
        what=what,
        message=message,
        sha256=sha256,
        payload_sha256=payload_sha256,
        signatures=signatures,
        subjects=subjects,
        repository=repository,
        certificates=material.certificates,
        hint=material.hint,
        entries=material.entries,
        timestamped=material.timestamped,
    )


def _material(body: Mapping[str, Any]) -> _Material:
    key, chain = body.get("publicKey"), body.get("x509CertificateChain")
    certificates: Sequence[Any] = [body["certificate"]] if "certificate" in body else []
    if isinstance(chain, dict) and isinstance(chain.get("certificates"), list):
        certificates = chain["certificates"]
    entries = body.get("tlogEntries", [])
    timestamps = body.get("timestampVerificationData")
    if not isinstance(entries, list) or len(certificates) > _MAX_CERTIFICATES or len(entries) > _MAX_ENTRIES:
        raise NotReadable("is a bundle with too many certificates or log entries")
    hint = key.get("hint", "") if isinstance(key, dict) else ""
    return _Material(
        certificates=tuple(_bytes(one if isinstance(one, dict) else {}, "rawBytes") for one in certificates),
        hint=hint[:_MAX_SHOWN] if isinstance(hint, str) else "",
        entries=tuple(_entry(one) for one in entries),
        timestamped=isinstance(timestamps, dict) and bool(timestamps.get("rfc3161Timestamps")),
    )


def _entry(body: Any) -> LogEntry:
    """Return an entry as bundles have it. JSON of protocol buffers writes numbers of 64 bits as texts."""
    if not isinstance(body, dict):
        raise NotReadable("is a bundle with a log entry that is no object")
    promise = body.get("inclusionPromise")
    log = body.get("logId")
    return LogEntry(
        body=_bytes(body, "canonicalizedBody"),
        log_id=_bytes(log if isinstance(log, dict) else {}, "keyId").hex(),
        log_index=_number(body, "logIndex"),
        integrated_time=_number(body, "integratedTime"),
        promise=_bytes(promise, "signedEntryTimestamp") if isinstance(promise, dict) else None,
    )


def _annotated(annotations: Mapping[str, str]) -> _Material:
    """Return what cosign up to version 2 writes beside a signature into annotations."""
    leaf, chain = (annotations.get(name, "") for name in (CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION))
    certificates = [_base64("".join(found.split()), "certificate") for found in _PEM.findall(leaf + chain)]
    entries: tuple[LogEntry, ...] = ()
    if annotations.get(LOG_ANNOTATION):
        log = _parsed(annotations[LOG_ANNOTATION].encode())
        entry = _object(log, "Payload")
        log_id = entry.get("logID")
        entries = (
            LogEntry(
                body=_bytes(entry, "body"),
                log_id=log_id if isinstance(log_id, str) else "",
                log_index=_number(entry, "logIndex"),
                integrated_time=_number(entry, "integratedTime"),
                promise=_bytes(log, "SignedEntryTimestamp"),
            ),
        )
    return _Material(
        certificates=tuple(certificates[:_MAX_CERTIFICATES]),
        entries=entries,
        timestamped=bool(annotations.get(TIMESTAMP_ANNOTATION)),
    )


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = parse_object(raw)
        # JSON can escape half of a surrogate pair, which no answer could show.
        json.dumps(body, ensure_ascii=False).encode()
    except ValueError:
        raise NotReadable(
            "is no JSON object, gives a name twice, or holds half of a surrogate pair"
        ) from None
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise NotReadable(f"has no {name}")
    return value


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name, 0)
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise NotReadable(f"has a {name} that is no number")


def _bytes(body: Mapping[str, Any], name: str) -> bytes:
    return _base64(body.get(name), name)


def _base64(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise NotReadable(f"has a {name} that is not base64") from None
