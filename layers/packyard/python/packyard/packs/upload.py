"""A staged upload: an archive that a client sends to the staging bucket by itself, and what has become of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from packyard.errors import TimedOut
from packyard.packs.pack import Visibility
from packyard.packs.precondition import IfMatch

_UPLOAD_ID = re.compile(r"upl_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def is_upload_id(text: str) -> bool:
    """Return whether `text` is `upl_` and a ULID (Crockford's base 32, 128 bits)."""
    return _UPLOAD_ID.fullmatch(text) is not None


class UploadStatus(StrEnum):
    """How far an upload is; the last three are final."""

    AWAITING_ARCHIVE = "awaiting_archive"
    BUILDING = "building"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One staged upload.

    Every status but the final ones has a deadline, and what time makes of an upload is worked out when it is looked
    at: nothing has to happen for it not to wait for ever.

    Attributes:
        id: `upl_` and a ULID; never reused.
        org_id: The organisation that started it.
        principal: Who started it, for the history.
        visibility: Who may see the pack that is to be made; one that stands keeps its own.
        pack_id: The pack that the archive is for or, once it is done, has become; None before that.
        status: As last written.
        form_expires_at: Until when an archive may be sent.
        arrival_deadline: Until when one that was sent may come to our knowledge.
        forgotten_at: Until when the upload is kept.
        build_deadline: Until when it is built or has failed; None before the first attempt.
        if_match: What the client has seen of the pack that the archive is for.
        error: The envelope's inner object: why it failed, or, while it is being built, why the last attempt did.
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
    build_deadline: datetime | None = None
    if_match: IfMatch | None = None
    error: Mapping[str, Any] | None = None

    def at(self, now: datetime) -> "Upload":
        """Return the upload as it is at an instant, deadlines that have passed included."""
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
        """Until when the status can last: the form's time, the build's, and for a final one the record's own."""
        if self.status is UploadStatus.AWAITING_ARCHIVE:
            return self.form_expires_at
        if self.status is UploadStatus.BUILDING and self.build_deadline is not None:
            return self.build_deadline
        return self.forgotten_at
