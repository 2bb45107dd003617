"""The upload forms: an archive and, for a new pack, its visibility."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.form import read_form
from packyard.http.multipart import Part
from packyard.http.skill_version import VERSION, version_of_form
from packyard.http.visibility import VISIBILITY, stated_visibility
from packyard.packs.archive.file_kind import LONGEST_LOOK, text_of_gzip
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Visibility

_ARCHIVE: Final = Field(
    name="archive", kind="file", required=True, description="The `.tar.gz`, or the `.zip`."
)
ARCHIVE_FORM: Final = Body(
    name="ArchiveForm",
    description="The upload form: an archive, and for an Agent Skill its version.",
    fields=(_ARCHIVE, VERSION),
)
PACK_FORM: Final = Body(
    name="PackForm",
    description="The upload form: an archive, who may see the pack, and for an Agent Skill its version.",
    fields=(_ARCHIVE, VISIBILITY, VERSION),
)
# Of gzip and of zip.
_STARTS: Final = (b"\x1f\x8b", b"PK")
_AS_FILE: Final = "put @ before the path of the file, as in -F archive=@my-pack.tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The form of `POST /packs/upload`."""

    archive: bytes
    visibility: Visibility
    version: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reupload:
    """The form of `POST /packs/{id}/upload`."""

    archive: bytes
    version: Version | None


def read_upload(event: APIGatewayProxyEvent, *, max_bytes: int) -> Upload:
    """Return the archive of a new pack and its visibility, which is `org` by default.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_form`.
        InvalidRequest: The archive is missing or empty, the visibility is unknown, or the version is no SemVer.
    """
    parts = read_form(event, PACK_FORM, max_bytes=max_bytes)
    faults: dict[str, str] = {}
    archive = _archive(parts, faults)
    given = parts.get(VISIBILITY.name)
    stated = {} if given is None else {VISIBILITY.name: given.content.decode("utf-8", "replace")}
    visibility = stated_visibility(stated, faults)
    version = version_of_form(parts, faults)
    if faults:
        raise InvalidRequest(faults)
    return Upload(archive=archive, visibility=visibility, version=version)


def read_reupload(event: APIGatewayProxyEvent, *, max_bytes: int) -> Reupload:
    """Return the new archive of a pack, and its version if it is given.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_form`.
        InvalidRequest: The archive is missing or empty, or the version is no SemVer.
    """
    parts = read_form(event, ARCHIVE_FORM, max_bytes=max_bytes)
    faults: dict[str, str] = {}
    archive = _archive(parts, faults)
    version = version_of_form(parts, faults)
    if faults:
        raise InvalidRequest(faults)
    return Reupload(archive=archive, version=version)


def _archive(parts: Mapping[str, Part], faults: dict[str, str]) -> bytes:
    archive = parts.get(_ARCHIVE.name)
    if archive is None:
        faults[_ARCHIVE.name] = (
            "is required: a part of this name that holds the .tar.gz, as in -F archive=@my-pack.tar.gz"
        )
        return b""
    return read_archive_part(archive, faults)


def read_archive_part(archive: Part, faults: dict[str, str]) -> bytes:
    """Return the archive that a part holds. Add to `faults` under `archive` when it holds none."""
    if not archive.is_file and not archive.content.startswith(_STARTS):
        start = archive.content[:LONGEST_LOOK]
        faults[_ARCHIVE.name] = text_of_gzip(start) or f"is a text and no file; {_AS_FILE}"
    elif not archive.content:
        faults[_ARCHIVE.name] = (
            "is empty: the file that was sent has no bytes; make it with tar -czf my-pack.tar.gz my-pack"
        )
    return archive.content
