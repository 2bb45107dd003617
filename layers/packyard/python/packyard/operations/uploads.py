"""Starting a staged upload, and saying how far it is.

    read the pack that the archive is for, if any → enqueue the archive's cleanup → write the upload → sign the form

A crash leaves at most an upload whose form no client has. It expires by itself. The cleanup message comes due when the
form is no longer valid and no build can be running. It removes the archive, whenever that arrived. Two starts make two
uploads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from packyard.errors import PreconditionFailed, UploadNotFound
from packyard.messaging.cleanup_queue import CleanupQueue, StagedArchive
from packyard.operations.owned_pack import (
    owned_pack,
    require_archive_origin,
    require_changeable,
    require_changeable_files,
)
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Visibility
from packyard.packs.precondition import IfMatch
from packyard.packs.upload import Upload, UploadKind, UploadStatus, is_upload_id
from packyard.storage.staging import Form, Staging, uploaded_key
from packyard.store.packs import PackStore
from packyard.store.uploads import UploadStore
from packyard.tenants.caller import Caller

FORM_LIFETIME: Final = timedelta(minutes=15)
# An archive is sent while the form is valid, and sending may take long. S3 reports it within seconds, sometimes later.
_ARRIVAL_GRACE: Final = timedelta(minutes=30)
# For how long a client can ask for the outcome.
_KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedUpload:
    """An upload that waits for its archive.

    Attributes:
        upload: The upload.
        form: What takes the archive.
        max_bytes: The largest archive that it takes.
    """

    upload: Upload
    form: Form
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """Staged uploads, as their clients see them.

    Attributes:
        max_bytes: The largest archive.
        build_time: From an archive's arrival until it is built or has failed, all attempts together.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        request_id: Returns the id of the present request.
        ci: Returns what is known of the run of CI that makes it.
        source: Returns where its sender says that the content comes from; empty for nothing.
    """

    uploads: UploadStore
    packs: PackStore
    staging: Staging
    cleanup_queue: CleanupQueue
    max_bytes: int
    build_time: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]
    request_id: Callable[[], str]
    ci: Callable[[], Mapping[str, str]]
    source: Callable[[], str]

    def start(  # noqa: PLR0913 - by name: what the archive is, and for what
        self,
        *,
        caller: Caller,
        visibility: Visibility,
        pack_id: str | None,
        if_match: IfMatch | None = None,
        kind: UploadKind = UploadKind.ARCHIVE,
        deletions: tuple[str, ...] = (),
        version: Version | None = None,
        dry_run: bool = False,
    ) -> StartedUpload:
        """Begin an upload.

        Args:
            caller: Whose upload it is.
            visibility: Who may see the new pack; ignored with `pack_id`.
            pack_id: The pack that the archive replaces; None for a new pack.
            if_match: What the client has seen of that pack; checked now, and again by the build.
            kind: What the archive is; `CHANGES` only with `pack_id`.
            deletions: The paths that a change deletes, as `check_deletions` accepts them.
            version: Of an Agent Skill that states none.
            dry_run: Whether the archive is only tried.

        Raises:
            PackNotFound: The caller's organisation owns no such pack.
            InvalidRequest: The pack is not one that takes an archive, or not one whose files can be changed.
            PermissionDenied: The files of the pack cannot be changed, because its tier is not `community`.
            PackDeleting: `if_match` is given, and the pack is being deleted.
            PreconditionFailed: The pack is at another revision than the client has seen, or `pack_id` is None.
            ServiceUnavailable: A backing service did not answer.
        """
        self._check_target(pack_id, if_match, caller, kind)
        now = self.clock()
        upload = replace(
            self._new_upload(caller, visibility, pack_id, if_match, now),
            kind=kind,
            deletions=deletions,
            version=version,
            dry_run=dry_run,
        )
        key = uploaded_key(upload.id)
        no_build_from = upload.arrival_deadline + self.build_time
        self.cleanup_queue.enqueue(StagedArchive(key=key, due_at=no_build_from), now=now)
        self.uploads.create(upload)
        form = self.staging.form(key, max_bytes=self.max_bytes, lifetime=FORM_LIFETIME)
        return StartedUpload(upload=upload, form=form, max_bytes=self.max_bytes)

    def _check_target(
        self, pack_id: str | None, if_match: IfMatch | None, caller: Caller, kind: UploadKind
    ) -> None:
        if pack_id is not None:
            pack = owned_pack(pack_id, actor=caller, packs=self.packs)
            if kind is UploadKind.CHANGES:
                require_changeable_files(pack, field="pack_id")
            else:
                require_archive_origin(pack, field="pack_id")
            if if_match is not None:
                require_changeable(pack, if_match)
        elif if_match is not None:
            raise PreconditionFailed(
                "A new pack has no revision yet, so that If-Match matches nothing; it is for an upload with pack_id."
            )

    def _new_upload(
        self,
        caller: Caller,
        visibility: Visibility,
        pack_id: str | None,
        if_match: IfMatch | None,
        now: datetime,
    ) -> Upload:
        form_expires_at = now + FORM_LIFETIME
        return Upload(
            id=f"upl_{self.new_ulid()}",
            org_id=caller.org_id,
            principal=caller.principal,
            request_id=self.request_id(),
            ci=self.ci(),
            source=self.source(),
            pack_name=caller.pack_name,
            visibility=visibility,
            pack_id=pack_id,
            if_match=if_match,
            status=UploadStatus.AWAITING_ARCHIVE,
            form_expires_at=form_expires_at,
            arrival_deadline=form_expires_at + _ARRIVAL_GRACE,
            forgotten_at=now + _KEPT,
        )

    def get(self, upload_id: str, *, caller: Caller) -> Upload:
        """Return an upload of the caller's organisation as it is now. One read.

        Raises:
            UploadNotFound: There is none, its record has expired, it is another organisation's, or the caller is
                narrowed to a pack and did not start it as such. The caller cannot tell which.
            ServiceUnavailable: DynamoDB did not answer.
        """
        now = self.clock()
        upload = self.uploads.get(upload_id) if is_upload_id(upload_id) else None
        if upload is None or upload.org_id != caller.org_id or now > upload.forgotten_at:
            raise UploadNotFound
        if caller.pack_name not in (None, upload.pack_name):
            raise UploadNotFound
        return upload.at(now)
