"""A staged upload: an archive that a client sends directly to the staging bucket, and the state of its build."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from packyard.errors import TimedOut
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Visibility
from packyard.packs.precondition import IfMatch

UPLOAD_ID = re.compile(r"upl_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def is_upload_id(text: str) -> bool:
    """Return whether `text` is `upl_` and a ULID (Crockford's base 32, 128 bits)."""
    return UPLOAD_ID.fullmatch(text) is not None


class UploadStatus(StrEnum):
    """The state of an upload; the last three are final."""

    AWAITING_ARCHIVE = "awaiting_archive"
    BUILDING = "building"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class UploadKind(StrEnum):
    """What an archive is: a whole pack, or files to write into one."""

    ARCHIVE = "archive"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One staged upload.

    Every status except the final ones has a deadline. `at` applies deadlines when the upload is read, so no process has
    to change the status of an upload that has expired.

    Attributes:
        id: `upl_` and a ULID; never reused.
        org_id: The organisation that started it.
        principal: Who started it, for the history.
        request_id: The request that started it; empty if an earlier release took the request.
        ci: What is known of the run of CI that started it; empty if none did.
        source: Where its sender says that the content comes from; empty if it does not say.
        dry_run: Whether the archive is only tried.
        outcome: What a dry run has found that would be done; None before.
        pack_name: The only pack that the one who started it may touch; None for all packs.
        visibility: The visibility of a new pack; an existing pack keeps its own.
        pack_id: The pack that the archive is for, or the pack that was made from it; None for a new pack before that.
        status: The status as last written.
        form_expires_at: When the upload form expires.
        arrival_deadline: By when S3 must have reported an archive that was sent in time.
        forgotten_at: When the record is deleted.
        build_deadline: By when the build is done or has failed; None before the first attempt.
        if_match: The `If-Match` condition for the pack that the archive is for; None if there is none.
        kind: What the archive is.
        deletions: The paths that a change deletes, beside what its archive writes.
        version: Of an Agent Skill that states none; None if the client gave none.
        warnings: What breaks the specification of Agent Skills in the archive; none before the build is done.
        error: The error envelope's inner object: why the upload failed or, during the build, why the last attempt
            failed. None if nothing has failed.
    """

    id: str
    org_id: str
    principal: str
    visibility: Visibility
    pack_id: str | None
    status: UploadStatus
    form_expires_at: datetime
    arrival_deadline: datetime
    forgotten_at: datetime
    request_id: str = ""
    ci: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    build_deadline: datetime | None = None
    if_match: IfMatch | None = None
    kind: UploadKind = UploadKind.ARCHIVE
    deletions: tuple[str, ...] = ()
    pack_name: str | None = None
    dry_run: bool = False
    version: Version | None = None
    warnings: tuple[str, ...] = ()
    outcome: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    def at(self, now: datetime) -> "Upload":
        """Return the upload with the status that it has at this time, according to its deadlines."""
        if self.status is UploadStatus.AWAITING_ARCHIVE and now > self.arrival_deadline:
            return replace(self, status=UploadStatus.EXPIRED)
        if (
            self.build_deadline is not None
            and self.status is UploadStatus.BUILDING
            and now > self.build_deadline
        ):
            return replace(self, status=UploadStatus.FAILED, error=self.error or TimedOut().inner(self.id))
        return self

    @property
    def expires_at(self) -> datetime:
        """When the status ends at the latest: when the form expires, at the build's deadline, or with the record."""
        if self.status is UploadStatus.AWAITING_ARCHIVE:
            return self.form_expires_at
        if self.status is UploadStatus.BUILDING and self.build_deadline is not None:
            return self.build_deadline
        return self.forgotten_at
