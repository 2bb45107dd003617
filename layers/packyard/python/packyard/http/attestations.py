"""Signed statements in answers (API contract, section 11)."""

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.large_json import json_answer
from packyard.packs.timestamp import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packyard.operations.attestations import FoundStatements
    from packyard.operations.files import PackFiles


def attestations_response(
    found: "FoundStatements",
    brought: "Mapping[str, Any] | None",
    event: APIGatewayProxyEvent,
    *,
    files: "PackFiles",
) -> Response[str]:
    """Return the statements about an image with their bundles; a URL of them, if they are too large for an answer.

    Args:
        found: The statements of this service.
        brought: What a registered image brings; None for an image that was built here.
        event: The gateway's event.
        files: Makes the URL.
    """
    body: dict[str, Any] = {
        "pack_id": found.pack.id,
        "revision": found.pack.revision,
        "image_digest": found.pack.image_digest,
        "image_origin": found.pack.image_origin.value,
        "attestations": found.state.value,
        "statements": _statements(found),
        **({} if brought is None else {"brought": brought}),
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
