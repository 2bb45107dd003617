"""Building the archive of a staged upload, after S3 has reported its arrival.

    claim the build → take a place among the organisation's builds → publish the archive in the bucket; the row's
    transaction also marks the upload as done → give the place back

S3 reports an arrival at least once, soon or late, and the queue delivers a message at least once. While a build is
under way, another message about it goes back to the queue. After a build has ended, such a message is dropped. A crash
leaves the lease and the message. The message comes again when the lease has expired, and a cleanup message covers what
was pushed. The pack and `done` are one write, so that an upload is never `failed` although its archive has become a
pack. A refusal (4xx) is final, as it is for an archive in a request. Any other failure is tried again until the build's
deadline. After that, the upload reports the last cause. A message that comes later than that goes to the dead-letter
queue, whose alarm tells the operator.

An organisation builds only so many archives at once, so that the others find a free builder. An archive for which there
is no place waits: its claim ends, and its message is sent again, later, with the organisation as its group. By the
group, SQS delivers the messages of organisations with few builds first (SQS developer guide, "Amazon SQS fair
queues"). S3 sets no group. A place that a dead builder held is free again when its lease has expired (decision 113).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures
from packyard.errors import InternalError, PackyardError, RateLimited
from packyard.messaging.build_queue import BuildQueue
from packyard.operations.edit import FileEditor
from packyard.operations.policies import Policies
from packyard.operations.publish import Publisher
from packyard.operations.published import Alongside, Published, nothing
from packyard.packs.pack import Pack
from packyard.packs.upload import Upload, UploadKind
from packyard.packs.usage import Quota
from packyard.storage.staging import Staging, arrival_of, parse_arrivals, uploaded_key
from packyard.store.build_slots import BuildSlots, NoSlot, Slot
from packyard.store.table import Update
from packyard.store.uploads import Build, NothingToBuild, UploadStore
from packyard.tenants.caller import Actor
from packyard.tenants.version_policy import VersionPolicy

if TYPE_CHECKING:
    from packyard.operations.dry_run import DryRun

logger = Logger(child=True)

_SERVER_ERROR: Final = 500
_FIRST_WAIT_SECONDS: Final = 5
_LAST_WAIT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Uploader:
    """The one who started an upload, as the actor of its build.

    Attributes:
        org_id, principal, pack_name: As the upload has them.
        version_policy: Of the organisation, as it is when the build begins.
    """

    org_id: str
    principal: str
    pack_name: str | None
    version_policy: VersionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Builds what clients have staged.

    Attributes:
        dry_run: Returns what lets one archive be tried without keeping anything.
        slots: The places of organisations among the builds under way.
        queue: The queue that brings the messages.
        lease: Longer than the building function can run, by more than the clocks of two machines differ.
        build_time: From an archive's arrival until it is built or has failed, all attempts together.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        random: A random number from 0 up to 1.
        goes_on_with: Is told which request has started the upload that is built, and which run of CI, for the event.
    """

    uploads: UploadStore
    staging: Staging
    publisher: Publisher
    file_editor: FileEditor
    version_policies: Policies[VersionPolicy]
    dry_run: "Callable[[], DryRun]"
    slots: BuildSlots
    queue: BuildQueue
    lease: timedelta
    build_time: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]
    random: Callable[[], float]
    goes_on_with: Callable[[str, Mapping[str, str], str], None]

    def settle(self, body: str) -> None:
        """Build the archives whose arrival a message reports.

        Raises:
            ValueError: The message is not one that S3 sends about uploads.
            BuildUnderWay: Another process builds the archive; the message should come again.
            OutOfTime: The build never ended; the message belongs in the dead-letter queue.
            RegistryUnavailable, ServiceUnavailable: The build failed for now; the message should come again.
        """
        for upload_id in parse_arrivals(body):
            self._build(upload_id)

    def _build(self, upload_id: str) -> None:
        now = self.clock()
        try:
            build = self.uploads.claim_build(
                upload_id,
                lease=self.new_ulid(),
                now=now,
                until=now + self.lease,
                deadline=now + self.build_time,
            )
        except NothingToBuild:
            logger.info("nothing to build", extra={"upload_id": upload_id})
            return
        self.goes_on_with(build.upload.request_id, build.upload.ci, build.upload.source)
        slot = self._take_slot(build, now)
        if slot is not None:
            try:
                self._build_claimed(build, now)
            finally:
                self.slots.release(slot)

    def _take_slot(self, build: Build, now: datetime) -> Slot | None:
        """Take a place for a build; without one, let the build wait and return None."""
        upload = build.upload
        try:
            return self.slots.take(upload.org_id, lease=build.lease, now=now, until=now + self.lease)
        except NoSlot as none:
            logger.info("no place", extra={"upload_id": upload.id, "limit": none.limit})
            self._wait(build, _waits(none), now)
            return None
        except Exception as error:
            self.uploads.release(build, _public(error), now=self.clock())
            raise

    def _wait(self, build: Build, why: RateLimited, now: datetime) -> None:
        """Let a build come again later, or fail if it has waited for as long as its archive is kept."""
        upload = build.upload
        last = upload.arrival_deadline + self.build_time
        if now + timedelta(seconds=_LAST_WAIT_SECONDS) + self.lease > last:
            self.uploads.fail(build, why)
            figures.count("Refusals", code=why.code)
            return
        waited = self.uploads.wait(build, why, now=now, until=last)
        seconds = _wait_seconds(waited, self.random())
        self.queue.send_again(arrival_of(upload.id), group=upload.org_id, seconds=seconds)

    def _build_claimed(self, build: Build, began: datetime) -> None:
        upload_id = build.upload.id
        try:
            published = self._publish(build)
        except PackyardError as error:
            if error.status >= _SERVER_ERROR:
                self.uploads.release(build, error, now=self.clock())
                raise
            self.uploads.fail(build, error)
            figures.count("Refusals", code=error.code)
            logger.info("refused", extra={"upload_id": upload_id, "code": error.code})
        except Exception as error:
            self.uploads.release(build, _public(error), now=self.clock())
            raise
        else:
            if not published.changed and not build.upload.dry_run:
                self.uploads.complete(build, published.pack.id, published.warnings)
            figures.record({"BuildSeconds": ((self.clock() - began).total_seconds(), MetricUnit.Seconds)})
            logger.info("built", extra={"upload_id": upload_id, "pack_id": published.pack.id})

    def _publish(self, build: Build) -> Published:
        upload = build.upload
        actor = _Uploader(
            org_id=upload.org_id,
            principal=upload.principal,
            pack_name=upload.pack_name,
            version_policy=self.version_policies.get(upload.org_id).policy,
        )

        def completion(pack: Pack, warnings: Sequence[str]) -> Sequence[Update]:
            return [self.uploads.completion(build, pack.id, warnings)]

        with self.staging.open(uploaded_key(upload.id)) as archive:
            if upload.dry_run:
                return self._try(build, archive, actor)
            return self._made(self.publisher, self.file_editor, upload, actor, archive, completion)

    def _try(self, build: Build, archive: BinaryIO, actor: Actor) -> Published:
        """Publish an archive without keeping anything, and note in its upload what would come of it."""
        dry_run = self.dry_run()
        publisher, editor = dry_run.publisher(self.publisher), dry_run.editor(self.file_editor)
        published = self._made(publisher, editor, build.upload, actor, dry_run.counted(archive), nothing)
        outcome = dry_run.outcome(published, actor=actor)
        self.uploads.complete_dry_run(build, outcome.document())
        return published

    def _made(  # noqa: PLR0913, PLR0917 - what is built, for whom, and by what
        self,
        publisher: Publisher,
        editor: FileEditor,
        upload: Upload,
        actor: Actor,
        archive: BinaryIO,
        completion: Alongside,
    ) -> Published:
        if upload.pack_id is not None and upload.kind is UploadKind.CHANGES:
            return editor.change(
                upload.pack_id,
                archive=archive,
                deletions=upload.deletions,
                actor=actor,
                version=upload.version,
                if_match=upload.if_match,
                alongside=completion,
            )
        if upload.pack_id is not None:
            return publisher.replace(
                archive,
                pack_id=upload.pack_id,
                actor=actor,
                version=upload.version,
                if_match=upload.if_match,
                alongside=completion,
            )
        return publisher.create(
            archive,
            visibility=upload.visibility,
            actor=actor,
            version=upload.version,
            alongside=completion,
        )


def _public(error: Exception) -> PackyardError:
    """Return what a client may know of an error."""
    return error if isinstance(error, PackyardError) else InternalError()


def _waits(none: NoSlot) -> RateLimited:
    """Return what an upload says that has waited in vain for a place."""
    return RateLimited(
        f"The archive waited for its turn in vain: this organisation had {none.used} archives under way, and "
        f"{none.limit} is the most at once. Upload it again when fewer are under way; GET /usage says how many.",
        seconds=_LAST_WAIT_SECONDS,
        limit=none.limit,
        used=none.used,
        quota=Quota.BUILDS_AT_ONCE.value,
    )


def _wait_seconds(waited: int, random: float) -> int:
    """Return how many seconds a build waits that has waited so often: 5 at first, twice as long each time, at most 60.

    Up to half of it is left to chance, so that the builds of an organisation do not all come at once.
    """
    longest = min(_FIRST_WAIT_SECONDS << min(max(waited, 1) - 1, 8), _LAST_WAIT_SECONDS)
    return math.ceil(longest * (1 + random) / 2)
