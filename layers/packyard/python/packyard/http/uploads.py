"""Staged uploads in requests and answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.http.deletions import DELETE, parse_deletions
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json, whole_number
from packyard.http.skill_version import VERSION, parse_version_field
from packyard.http.visibility import VISIBILITY, stated_visibility
from packyard.operations.uploads import StartedUpload
from packyard.packs.file_changes import check_deletions
from packyard.packs.manifest.version import Version
from packyard.packs.pack import PACK_ID, Visibility
from packyard.packs.timestamp import format_timestamp
from packyard.packs.upload import Upload, UploadKind, UploadStatus

_PACK_ID: Final = Field(
    name="pack_id",
    pattern=PACK_ID.pattern,
    example="pack_01JQ2V7N3T5W8XABCDEFGHJKMN",
    description="The owned pack that the archive replaces, or changes.",
)
_KIND: Final = Field(
    name="kind",
    values=(UploadKind.CHANGES.value,),
    description="`changes`: the archive has files to add or replace in the pack, as for `POST /packs/{id}/changes`.",
)
_SIZE_BYTES: Final = Field(
    name="size_bytes",
    kind="integer",
    minimum=1,
    description="The archive's size. An archive that is too large is refused before it is sent.",
)
UPLOAD_START: Final = Body(
    name="UploadStart",
    description="What an archive is going to be, before it is sent.",
    fields=(VISIBILITY, _PACK_ID, _SIZE_BYTES, _KIND, DELETE, VERSION),
    exclusive=(_PACK_ID.name, VISIBILITY.name),
    needs=((_KIND.name, _PACK_ID.name), (DELETE.name, _KIND.name)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """The body of `POST /packs/uploads`.

    Attributes:
        visibility: Of the new pack.
        pack_id: The pack that the archive replaces; None for a new pack.
        size_bytes: The size of the archive, if the client states it.
        kind: What the archive is.
        deletions: The paths that a change deletes.
        version: Of an Agent Skill that states none; None if it is not given.
    """

    visibility: Visibility
    pack_id: str | None
    size_bytes: int | None
    kind: UploadKind
    deletions: tuple[str, ...]
    version: Version | None


def read_start(event: APIGatewayProxyEvent, *, max_bytes: int) -> StartRequest:
    """Return the upload that a client asks for.

    Args:
        event: The gateway's event.
        max_bytes: The largest archive.

    Raises:
        InvalidRequest: Every field that is wrong, by name.
        PayloadTooLarge: The stated size is over `max_bytes`.
    """
    given = read_json(event, UPLOAD_START)
    faults: dict[str, str] = {}
    size = whole_number(given.get(_SIZE_BYTES.name))
    if _SIZE_BYTES.name in given and (size is None or size < 1):
        faults[_SIZE_BYTES.name] = "must be a whole number of bytes, at least 1, without quotes"
    pack_id = given.get(_PACK_ID.name)
    if _PACK_ID.name in given and not isinstance(pack_id, str):
        faults[_PACK_ID.name] = (
            "must be the id of a pack, which begins with pack_; leave it out for a new pack"
        )
    visibility = _visibility(given, faults)
    kind = _kind(given, faults)
    deletions = parse_deletions(given[DELETE.name], faults) if DELETE.name in given else ()
    version = parse_version_field(given[VERSION.name], faults) if VERSION.name in given else None
    if faults:
        raise InvalidRequest(faults)
    check_deletions(deletions)
    if size is not None and size > max_bytes:
        raise PayloadTooLarge(
            f"An archive may have {max_bytes} bytes at most; this one has {size}. Make several packs of it."
        )
    return StartRequest(
        visibility=visibility,
        pack_id=pack_id,
        size_bytes=size,
        kind=kind,
        deletions=deletions,
        version=version,
    )


def _visibility(given: Mapping[str, Any], faults: dict[str, str]) -> Visibility:
    if all(name in given for name in UPLOAD_START.exclusive):
        faults[VISIBILITY.name] = (
            "cannot be given with pack_id: the pack keeps the one that it has, which PATCH /packs/{id} changes"
        )
        return Visibility.ORG
    return stated_visibility(given, faults)


def _kind(given: Mapping[str, Any], faults: dict[str, str]) -> UploadKind:
    """Return what the archive is, and check that the fields about it come together."""
    if _KIND.name not in given:
        if DELETE.name in given:
            faults[DELETE.name] = (
                f'is for changes: give {{"kind": "{UploadKind.CHANGES}"}} too; a whole archive leaves files out instead'
            )
        return UploadKind.ARCHIVE
    if given[_KIND.name] != UploadKind.CHANGES:
        faults[_KIND.name] = (
            f"must be {UploadKind.CHANGES}, for files to add or replace; leave it out for a whole archive"
        )
    if _PACK_ID.name not in given:
        faults[_PACK_ID.name] = f"is missing: {_KIND.name} says what the archive is for this pack"
    return UploadKind.CHANGES


def upload_view(upload: Upload) -> dict[str, Any]:
    """Return the Upload object; optional fields are absent, never null."""
    fields = {
        "upload_id": upload.id,
        "status": upload.status,
        "pack_id": upload.pack_id,
        "error": upload.error if upload.status is UploadStatus.FAILED else None,
        "expires_at": format_timestamp(upload.expires_at),
        "dry_run": upload.dry_run or None,
        "outcome": upload.outcome,
        "warnings": list(upload.warnings) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def started_view(started: StartedUpload) -> dict[str, Any]:
    """Return the Upload object of a new upload, with the form that takes the archive."""
    return {
        **upload_view(started.upload),
        "url": started.form.url,
        "fields": dict(started.form.fields),
        "max_bytes": started.max_bytes,
    }
