"""A multipart/form-data body (RFC 7578) as a dictionary of its parts, within the gateway's bounds."""

from collections.abc import Mapping
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from multipart import MultipartError, PushMultipartParser, parse_options_header

from packyard.errors import InvalidRequest, UnsupportedMediaType
from packyard.http.raw_body import read_bytes

MULTIPART: Final = "multipart/form-data"
_MAX_PARTS: Final = 8
_MAX_BOUNDARY: Final = 70  # RFC 2046, section 5.1.1


def read_form(event: APIGatewayProxyEvent, *, fields: frozenset[str], max_bytes: int) -> Mapping[str, bytes]:
    """Return the content of each part by its name.

    Args:
        event: The gateway's event.
        fields: The names that the operation knows.
        max_bytes: The largest body, decoded.

    Raises:
        UnsupportedMediaType: The body is not multipart/form-data.
        PayloadTooLarge: The body is over `max_bytes`.
        InvalidRequest: The body is malformed, or has an unknown or a repeated part.
    """
    content_type, options = parse_options_header(event.headers.get("Content-Type") or "")
    if content_type.lower() != MULTIPART:
        raise UnsupportedMediaType(f"The body must be {MULTIPART}.")
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= _MAX_BOUNDARY or not boundary.isascii():
        raise InvalidRequest(
            {"body": f"the Content-Type header has no boundary of 1 to {_MAX_BOUNDARY} characters"}
        )
    return _parts(read_bytes(event, max_bytes=max_bytes), boundary, fields)


def _parts(body: bytes, boundary: str, fields: frozenset[str]) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    name = ""
    chunks: list[bytes | bytearray] = []
    try:
        with PushMultipartParser(boundary, len(body), max_segment_count=_MAX_PARTS, strict=True) as parser:
            for event in parser.parse(body):
                if event is None:
                    parts[name] = b"".join(chunks)
                elif isinstance(event, bytes | bytearray):
                    chunks.append(event)
                else:
                    name, chunks = event.name or "", []
                    _admit(name, parts, fields)
    except MultipartError as error:
        raise InvalidRequest({"body": f"is not well-formed {MULTIPART}: {error}"}) from None
    return parts


def _admit(name: str, parts: Mapping[str, bytes], fields: frozenset[str]) -> None:
    shown = name[:64]
    if name not in fields:
        raise InvalidRequest(
            {shown or "body": f"is not a part of this form; it takes {', '.join(sorted(fields))}"}
        )
    if name in parts:
        raise InvalidRequest({shown: "is given more than once"})
