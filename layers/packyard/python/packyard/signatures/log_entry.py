"""Entries of transparency logs (Rekor, version 1): what was logged, and when, as the log has signed it.

The time of an entry counts only with the log's signature of it, the signed entry timestamp: without it, whoever keeps
the bundle could have written any time (sigstore-ruby#307). Entries of Rekor 2 have none (cosign#4640).
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from packyard.text.strict_json import parse_object

if TYPE_CHECKING:
    from packyard.signatures.claims import Claim
    from packyard.signatures.keys import PublicKey

_SHA256: Final = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An entry of a log, as it came with a signature.

    Attributes:
        body: What was logged: JSON.
        log_id: The SHA-256 of the log's public key, in hex.
        log_index: The entry's number.
        integrated_time: When it was logged, in seconds since 1970.
        promise: The log's signature over all of that; None without one.
    """

    body: bytes
    log_id: str
    log_index: int
    integrated_time: int
    promise: bytes | None


class NotLogged(ValueError):
    """No entry proves when the signature was made. The message continues `it …`, for people."""


def signed_at(claim: "Claim", logs: Mapping[str, "PublicKey"]) -> int:
    """Return when a signature was logged, in seconds since 1970.

    Args:
        claim: The signature, its certificate and its entries.
        logs: The keys of the logs that are trusted, by their ids.

    Raises:
        NotLogged: No entry is signed by one of the logs, or those that are are of another signature.
    """
    from packyard.signatures.keys import verifies  # noqa: PLC0415 - only certificates need it

    if not claim.entries:
        raise NotLogged("came with no entry of a transparency log, so that nothing says when it was made")
    problem = ""
    for entry in claim.entries:
        key = logs.get(entry.log_id)
        if entry.promise is None:
            problem = (
                "came with a log entry without a signed entry timestamp, as those of Rekor 2 are; RFC 3161 timestamps "
                "are not verified here"
            )
        elif key is None:
            problem = "came with an entry of a log that the policy does not know"
        elif not verifies(key, entry.promise, _promised(entry)):
            problem = "came with a log entry that the log has not signed"
        elif not _is_of(entry.body, claim):
            problem = "came with the log entry of another signature"
        else:
            return entry.integrated_time
    raise NotLogged(problem)


def _promised(entry: LogEntry) -> bytes:
    """Return what a log signs of an entry: canonical JSON (RFC 8785) of these four, which are plain ASCII."""
    fields = {
        "body": base64.b64encode(entry.body).decode(),
        "integratedTime": entry.integrated_time,
        "logID": entry.log_id,
        "logIndex": entry.log_index,
    }
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def _is_of(body: bytes, claim: "Claim") -> bool:
    """Return whether an entry is of a signature: of what was signed, and by the same certificate."""
    try:
        entry = parse_object(body)
        kind, version, spec = entry.get("kind"), entry.get("apiVersion"), entry["spec"]
        match kind, version:
            case "hashedrekord", "0.0.1":
                return _is_hashed_rekord(spec, claim)
            case "dsse", "0.0.1":
                return _is_envelope(spec, claim)
            case "intoto", ("0.0.1" | "0.0.2"):
                return _is_statement(spec, claim)
            case _:
                return False
    except (ValueError, TypeError, KeyError, AttributeError):
        # It has another form than Rekor's schemas say.
        return False


def _is_hashed_rekord(spec: Mapping[str, Any], claim: "Claim") -> bool:
    data, signature = spec["data"], spec["signature"]
    return (
        _is_hash(data["hash"], claim.sha256)
        and base64.b64decode(signature["content"], validate=True) in claim.signatures
        and _is_certificate(signature["publicKey"]["content"], claim)
    )


def _is_envelope(spec: Mapping[str, Any], claim: "Claim") -> bool:
    signed = any(
        base64.b64decode(one["signature"], validate=True) in claim.signatures
        and _is_certificate(one["verifier"], claim)
        for one in spec["signatures"]
    )
    return signed and _is_hash(spec["payloadHash"], claim.payload_sha256)


def _is_statement(spec: Mapping[str, Any], claim: "Claim") -> bool:
    content = spec["content"]
    if "publicKey" in spec:
        # Version 0.0.1 has the signer's certificate, and no signature.
        signed = _is_certificate(spec["publicKey"], claim)
    else:
        signed = any(
            _is_certificate(one["publicKey"], claim) and _twice_decoded(one["sig"]) in claim.signatures
            for one in content["envelope"]["signatures"]
        )
    return signed and _is_hash(content["payloadHash"], claim.payload_sha256)


def _twice_decoded(text: str) -> bytes:
    """Return the signature in an entry of version 0.0.2, which has base64 of base64."""
    return base64.b64decode(base64.b64decode(text, validate=True), validate=True)


def _is_hash(stated: Mapping[str, Any], sha256: bytes) -> bool:
    return (stated["algorithm"], stated["value"]) == (_SHA256, sha256.hex())


def _is_certificate(encoded: str, claim: "Claim") -> bool:
    from packyard.signatures.certificates import der_of  # noqa: PLC0415 - only certificates need it

    return (
        bool(claim.certificates) and der_of(base64.b64decode(encoded, validate=True)) == claim.certificates[0]
    )
