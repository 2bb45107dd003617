"""Reading the path of a file, which follows `/files/` in a request's path."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field

PATH: Final = Field(
    name="path",
    required=True,
    example="guides/start.md",
    description="Where the file is in the pack. It may have several segments, each URL-encoded by itself.",
)
# Longer than the longest path of a file, with every byte encoded.
_MAX_CHARACTERS: Final = 3 * 4096
_MARKER: Final = "/files/"
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_file_path(event: APIGatewayProxyEvent) -> str:
    """Return the path of the file. Its segments are URL-encoded one by one, and decoded once.

    A REST API passes `path` on as the client has sent it, still encoded (captures of live events in hotsock/voker #8);
    `pathParameters` are not used. The local stack's emulator decodes the path first, so that a file with a % in its
    name cannot be reached there.

    Raises:
        InvalidRequest: On `path`: a segment is empty, `.` or `..`, holds a slash or a NUL, or is not UTF-8.
    """
    _, _, encoded = event.path.partition(_MARKER)
    if len(encoded) > _MAX_CHARACTERS:
        raise InvalidRequest({PATH.name: f"is over {_MAX_CHARACTERS} characters"})
    return "/".join(_segment(segment) for segment in encoded.split("/"))


def _segment(encoded: str) -> str:
    if _BAD_ESCAPE.search(encoded):
        raise InvalidRequest({PATH.name: "holds a % that two hex digits do not follow; encode it as %25"})
    try:
        segment = unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        raise InvalidRequest({PATH.name: "is not UTF-8; percent-encode its UTF-8"}) from None
    if segment in ("", ".", ".."):
        raise InvalidRequest(
            {PATH.name: "holds a segment that is empty, . or ..; write it as GET /packs/{id}/files does"}
        )
    if "/" in segment or "\0" in segment:
        raise InvalidRequest({PATH.name: "holds an encoded slash or NUL; encode the segments one by one"})
    return segment
