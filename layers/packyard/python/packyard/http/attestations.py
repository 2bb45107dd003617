"""Signed statements in answers, and the keys that verify them (API contract, section 11)."""

import json
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.app import json_response
from packyard.http.large_json import json_answer
from packyard.packs.timestamp import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packyard.operations.attestations import FoundStatements, PublishedKey
    from packyard.operations.files import PackFiles

# How the signatures are made, as `openssl dgst -sha256` and Sigstore's tools name it.
_ALGORITHM: Final = "ECDSA_P256_SHA256"
_KEYS_CACHED: Final = {"Cache-Control": "public, max-age=300"}


def attestations_response(
    found: "FoundStatements", event: APIGatewayProxyEvent, *, files: "PackFiles"
) -> Response[str]:
    """Return the statements about an image with their bundles; a URL of them, if they are too large for an answer."""
    body: dict[str, Any] = {
        "pack_id": found.pack.id,
        "revision": found.pack.revision,
        "image_digest": found.pack.image_digest,
        "attestations": found.state.value,
        "statements": _statements(found),
    }
    return json_answer(body, event, name="attestations.json", files=files)


def _statements(found: "FoundStatements") -> list[dict[str, Any]]:
    record = found.record
    if record is None:
        return []
    return [
        {
            "predicate_type": statement.predicate_type,
            "key_id": record.key_id,
            "signed_at": format_timestamp(record.signed_at),
            "digest": statement.bundle.digest,
            "size": statement.bundle.size,
            "manifest_digest": statement.manifest,
            "bundle": json.loads(found.bundles[statement.bundle.digest]),
        }
        for statement in record.statements
    ]


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
    return json_response(200, body, _KEYS_CACHED)
