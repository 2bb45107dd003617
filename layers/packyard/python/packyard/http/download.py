"""A pack's image in answers: documents as they are, and URLs of layers."""

from base64 import b64encode
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import Response

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.oci.document import Document
from packyard.oci.reference import parse_reference

if TYPE_CHECKING:
    from packyard.operations.download import Download

# Lambda can answer with 6 MB of JSON.
_MAX_DOCUMENTS: Final = 4 << 20


def download_response(download: "Download") -> Response[str]:
    """Return an image. Everybody who has a layer's URL can read it, so that nothing may keep the answer.

    Raises:
        InvalidRequest: On `id`: its documents are too large for an answer.
    """
    if sum(document.size for document in download.documents) > _MAX_DOCUMENTS:
        raise InvalidRequest(
            {"id": "its image has too many manifests for one answer; pull it with a registry client"}
        )
    pack = download.pack
    body = {
        "image": str(replace(parse_reference(pack.image_ref), tag=None, digest=pack.image_digest)),
        "image_digest": pack.image_digest,
        "content_digest": pack.content_digest,
        "documents": [_view(document) for document in download.documents],
        "layers": [
            {
                "digest": layer.digest,
                "size": layer.size,
                "media_type": layer.media_type,
                "url": download.urls[layer.digest],
            }
            for layer in download.layers
        ],
    }
    shown = {name: value for name, value in body.items() if value is not None}
    return json_response(HTTPStatus.OK, shown, {"Cache-Control": "private, no-store"})


def _view(document: Document) -> dict[str, Any]:
    try:
        content = document.raw.decode()
    except UnicodeDecodeError:
        # JSON is UTF-8, but nobody has checked another registry's config.
        content = b64encode(document.raw).decode()
    return {"media_type": document.media_type, "digest": document.digest, "content": content}
