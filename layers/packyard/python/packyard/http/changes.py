"""The form that changes many files at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.deletions import DELETE
from packyard.http.fields import Body, Field
from packyard.http.form import read_parts
from packyard.http.multipart import Part
from packyard.http.skill_version import VERSION, version_of_form
from packyard.http.upload import read_archive_part
from packyard.packs.file_changes import check_deletions
from packyard.packs.manifest.version import Version

_ARCHIVE: Final = Field(
    name="archive",
    kind="file",
    description="A `.tar.gz` of the files to add or replace, by their paths in the pack, `pack.yaml` too if wanted.",
)
CHANGES_FORM: Final = Body(
    name="ChangesForm",
    description="The files to add or replace, and the paths to delete: at least one of them.",
    fields=(_ARCHIVE, DELETE, VERSION),
    min_fields=1,
)
_EMPTY: Final = (
    "is missing, and so is delete; send at least one of them: files to add or replace as -F archive=@changes.tar.gz, "
    "and paths to delete as -F delete=guides/old.md"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesRequest:
    """The form of `POST /packs/{id}/changes`.

    Attributes:
        archive: The archive of files to add or replace; None for none.
        deletions: The paths to delete.
        version: Of an Agent Skill that states none; None if it is not given.
    """

    archive: bytes | None
    deletions: tuple[str, ...]
    version: Version | None


def read_changes(event: APIGatewayProxyEvent, *, max_bytes: int) -> ChangesRequest:
    """Return the changes that a form asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_parts`.
        InvalidRequest: There is neither an archive nor a path, or one of them is not what it should be.
    """
    parts = read_parts(event, CHANGES_FORM, max_bytes=max_bytes)
    faults: dict[str, str] = {}
    archives = parts.get(_ARCHIVE.name, ())
    archive = read_archive_part(archives[0], faults) if archives else None
    deletions = _deletions(parts.get(DELETE.name, ()), faults)
    version = version_of_form({name: given[0] for name, given in parts.items()}, faults)
    if archive is None and not deletions and not faults:
        faults[_ARCHIVE.name] = _EMPTY
    if faults:
        raise InvalidRequest(faults)
    check_deletions(deletions)
    return ChangesRequest(archive=archive, deletions=deletions, version=version)


def _deletions(parts: Sequence[Part], faults: dict[str, str]) -> tuple[str, ...]:
    paths = []
    for part in parts:
        try:
            path = part.content.decode()
        except UnicodeDecodeError:
            path = ""
            faults[DELETE.name] = "must be UTF-8, as paths in a pack are"
        if part.is_file:
            faults[DELETE.name] = "is a file; send the path itself, as in -F delete=guides/old.md"
        paths.append(path)
    return tuple(paths)
