"""Building the archive of a staged upload, once S3 has told of its arrival.

    claim the build → publish the archive that is in the bucket; the row's transaction says that the upload is done

S3 tells at least once, early or late, and the queue delivers at least once: a build that is under way sends its message
back, one that has come to its end lets it go. A crash leaves the lease, and the message, which comes again when the
lease has run out; whatever had been pushed is enqueued. Since the pack and `done` are one write, an upload is never
`failed` while its archive has become a pack. A refusal that the inline way would answer as well (4xx) is final;
anything else is tried again until the build's deadline, and its last cause is then what the upload says. A message that
comes later still goes to the dead letters, where somebody sees it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures
from packyard.errors import InternalError, PackyardError
from packyard.operations.publish import Publisher
from packyard.operations.published import Published
from packyard.packs.pack import Pack
from packyard.storage.staging import Staging, parse_arrivals, uploaded_key
from packyard.store.table import Update
from packyard.store.uploads import Build, NothingToBuild, UploadStore

logger = Logger(child=True)

_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Builds what clients have staged.

    Attributes:
        lease: Longer than the function that builds can run, by more than clocks differ.
        build_time: From an archive's arrival until it is built or has failed, all attempts together.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    uploads: UploadStore
    staging: Staging
    publisher: Publisher
    lease: timedelta
    build_time: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def settle(self, body: str) -> None:
        """Build the archives whose arrival a message reports.

        Raises:
            ValueError: The message is not one that S3 sends about uploads.
            BuildUnderWay: Another process is at it; the message should come again.
            OutOfTime: It never came to an end; the message belongs with the dead letters.
            RegistryUnavailable, ServiceUnavailable: Not now; the message should come again.
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
        try:
            published = self._publish(build)
        except PackyardError as error:
            if error.status >= _SERVER_ERROR:
                self.uploads.release(build, error, now=self.clock())
                raise
            self.uploads.fail(build, error)
            figures.count("Refusals", code=error.code)
            logger.info("refused", extra={"upload_id": upload_id, "code": error.code})
        except Exception:
            self.uploads.release(build, InternalError(), now=self.clock())
            raise
        else:
            if not published.changed:
                self.uploads.complete(build, published.pack.id)
            figures.record({"BuildSeconds": ((self.clock() - now).total_seconds(), MetricUnit.Seconds)})
            logger.info("built", extra={"upload_id": upload_id, "pack_id": published.pack.id})

    def _publish(self, build: Build) -> Published:
        upload = build.upload

        def completion(pack: Pack) -> Sequence[Update]:
            return [self.uploads.completion(build, pack.id)]

        with self.staging.open(uploaded_key(upload.id)) as archive:
            if upload.pack_id is not None:
                return self.publisher.replace(
                    archive,
                    pack_id=upload.pack_id,
                    actor=upload,
                    if_match=upload.if_match,
                    alongside=completion,
                )
            return self.publisher.create(
                archive, visibility=upload.visibility, actor=upload, alongside=completion
            )
