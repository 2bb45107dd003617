"""The public keys of signed statements in answers (API contract, section 11)."""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import Response

from packyard.http.app import json_response
from packyard.packs.timestamp import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packyard.operations.attestations import PublishedKey

# How the signatures are made, as Sigstore's tools name it.
_ALGORITHM: Final = "ECDSA_P256_SHA256"
_CACHED: Final = {"Cache-Control": "public, max-age=300"}


def keys_response(keys: "Iterable[PublishedKey]") -> Response[str]:
    """Return the public keys. Anybody may keep them for five minutes."""
    body = {
        "keys": [
            {
                "id": key.record.key.id,
                "hint": key.record.key.hint,
                "algorithm": _ALGORITHM,
                "pem": key.record.key.pem,
                "since": format_timestamp(key.record.since),
                "current": key.is_current,
            }
            for key in keys
        ]
    }
    return json_response(200, body, _CACHED)
