"""The upload forms: an archive and, for a new pack, who may see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.form import read_form
from packyard.http.visibility import parse_visibility
from packyard.packs.pack import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a client posts to `/packs/upload`."""

    archive: bytes
    visibility: Visibility


def read_upload(event: APIGatewayProxyEvent, *, max_bytes: int) -> Upload:
    """Return the archive of a new pack and its visibility, `org` unless given.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_form`.
        InvalidRequest: The archive is missing or empty, or the visibility is not one we know.
    """
    parts = read_form(event, fields=frozenset({"archive", "visibility"}), max_bytes=max_bytes)
    faults: dict[str, str] = {}
    archive = _archive(parts, faults)
    visibility = parse_visibility(parts.get("visibility", b"org").decode("utf-8", "replace"), faults)
    if faults:
        raise InvalidRequest(faults)
    return Upload(archive=archive, visibility=visibility)


def read_reupload(event: APIGatewayProxyEvent, *, max_bytes: int) -> bytes:
    """Return the archive for a pack that stands.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_form`.
        InvalidRequest: The archive is missing or empty.
    """
    parts = read_form(event, fields=frozenset({"archive"}), max_bytes=max_bytes)
    faults: dict[str, str] = {}
    archive = _archive(parts, faults)
    if faults:
        raise InvalidRequest(faults)
    return archive


def _archive(parts: Mapping[str, bytes], faults: dict[str, str]) -> bytes:
    if "archive" not in parts:
        faults["archive"] = "is required: a part that holds the .tar.gz"
    elif not parts["archive"]:
        faults["archive"] = "is empty"
    return parts.get("archive", b"")
