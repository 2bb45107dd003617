"""The distribution door: what OCI clients ask, in their protocol's own form (OCI distribution-spec, "API").

Clients learn from the challenge of `/v2/` where tokens are issued, and send a bearer token with everything else. API
Gateway renames a function's `WWW-Authenticate`, so that the challenge comes from the authorizer, by way of a gateway
response (`serve_door_authorizer`).
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import PackyardError, Unauthenticated
from packyard.http.app import json_response, make_app
from packyard.http.entity_tags import ETAG
from packyard.oci.digest import Digest, parse_digest
from packyard.oci.document import Document
from packyard.operations.pull_tokens import IssuedToken
from packyard.packs.timestamp import format_timestamp

STAGE: Final = "v2"
_VERSION: Final = {"Docker-Distribution-Api-Version": "registry/2.0"}
_DIGEST: Final = "Docker-Content-Digest"
_BLOB: Final = "application/octet-stream"
# The codes of the distribution-spec's table "Error Codes" by our statuses. It has none for a fault of the server.
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: "UNSUPPORTED",
    HTTPStatus.UNAUTHORIZED: "UNAUTHORIZED",
    HTTPStatus.FORBIDDEN: "DENIED",
    HTTPStatus.NOT_FOUND: "NAME_UNKNOWN",
    HTTPStatus.METHOD_NOT_ALLOWED: "UNSUPPORTED",
    HTTPStatus.TOO_MANY_REQUESTS: "TOOMANYREQUESTS",
}
_FAULT: Final = "UNAVAILABLE"
# As in the gateway's own responses, in the template. The API's message names its own header, which is of no use here.
_LOGIN: Final = (
    "Log in with a role's id as the user, and a pull token of that role or an API key as the password, or as the "
    "user feed with the secret of a feed. "
    "One that is unknown, expired, revoked or of another role is refused alike."
)
_BASIC: Final = re.compile(r"basic +([A-Za-z0-9+/_-]+={0,2})", re.IGNORECASE)


class Puller(NamedTuple):
    """Who pulls, as the door's authorizer passes it on."""

    org_id: str
    role_id: str


def make_door() -> APIGatewayRestResolver:
    """Return a resolver for an operation of the door: it answers every failure in the protocol's form."""
    return make_app(STAGE, _envelope)


def puller(event: APIGatewayProxyEvent) -> Puller:
    """Return who pulls.

    Raises:
        Unauthenticated: The request did not pass the authorizer.
    """
    context = event.request_context.authorizer.raw_event
    try:
        return Puller(context["org_id"], context["role_id"])
    except KeyError:
        raise Unauthenticated from None


def digest_in_path(reference: str) -> Digest | None:
    """Return the digest that a path names, or None if it names a tag: images are pinned by digest."""
    try:
        return parse_digest(unquote(reference))
    except ValueError:
        return None


def tag_in_path(reference: str) -> str:
    """Return the tag that a path names."""
    return unquote(reference)


def login_of(event: APIGatewayProxyEvent) -> tuple[str, str]:
    """Return the user and the password of a request to the token server (RFC 7617).

    Raises:
        Unauthenticated: There is no login, or it is malformed.
    """
    sent = _BASIC.fullmatch((event.headers.get("Authorization") or "").strip())
    if sent is None:
        raise Unauthenticated
    try:
        user, colon, password = b64decode(sent[1], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthenticated from None
    if not colon:
        raise Unauthenticated
    return user, password


def token_response(token: IssuedToken) -> Response[str]:
    """Return a bearer token (distribution's token specification, "Requesting a Token").

    Clients differ in whether they read `token` or `access_token`.
    """
    body = {
        "token": token.text,
        "access_token": token.text,
        "expires_in": int((token.expires_at - token.issued_at).total_seconds()),
        "issued_at": format_timestamp(token.issued_at),
    }
    return json_response(HTTPStatus.OK, body, {"Cache-Control": "no-store"})


def ping_response() -> Response[str]:
    """Return what says that this is a registry, and that the client's token is valid (end-1)."""
    return json_response(HTTPStatus.OK, {}, _VERSION)


def document_response(document: Document) -> Response[str]:
    """Return a manifest or an index, byte for byte (end-3). Manifests are JSON, and so UTF-8."""
    headers = {**_VERSION, _DIGEST: document.digest, ETAG: f'"{document.digest}"'}
    return Response(HTTPStatus.OK, document.media_type, document.raw.decode(), headers=dict(headers))


def blob_response(blob: Document | str, digest: str) -> Response[str]:
    """Return a blob, or the way to it (end-2). Clients do not send their token to the other host.

    Args:
        blob: A small JSON document, or where it can be read.
        digest: Of the blob.
    """
    headers = {**_VERSION, _DIGEST: digest, "Cache-Control": "private, no-store"}
    if isinstance(blob, Document):
        return Response(HTTPStatus.OK, _BLOB, blob.raw.decode(), headers=dict(headers))
    headers["Location"] = blob
    return Response(HTTPStatus.TEMPORARY_REDIRECT, body="", headers=dict(headers))


def unknown(code: str, message: str) -> Response[str]:
    """Return 404 with a code of the distribution-spec."""
    return json_response(HTTPStatus.NOT_FOUND, _errors(code, message), _VERSION)


def unknown_manifest(image: Digest, *, skill: str) -> Response[str]:
    """Return the refusal of what is none of an image's documents.

    Args:
        image: The image that the role pins.
        skill: What to know of its skill artifact: a sentence.
    """
    return unknown(
        "MANIFEST_UNKNOWN",
        f"The role pins {image} of this pack. Only that image can be pulled, by its digest. {skill}",
    )


def not_pinned() -> Response[str]:
    """Return the refusal of a repository that the role does not pin."""
    return unknown(
        "NAME_UNKNOWN",
        "The role of this login pins no such pack. Its lock document lists the packs that it pins, by owner and name. "
        "A login of a feed has the packs of the feed.",
    )


def _envelope(error: PackyardError, request_id: str) -> Mapping[str, Any]:
    code = _CODES.get(HTTPStatus(error.status), _FAULT)
    message = _LOGIN if isinstance(error, Unauthenticated) else error.message
    return _errors(code, f"{message} (request {request_id})")


def _errors(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message}]}
