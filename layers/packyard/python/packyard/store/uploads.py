"""Staged uploads, and who is building one.

A build is claimed with a lease, so that of two deliveries of one event only one builds, and a build whose function died
is taken up again once its lease has run out. Whoever holds the lease names it in what it writes: a builder that has
lost it changes nothing. The build's deadline leaves room for a whole lease after the last claim, so that nothing is
built any more when it has passed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packyard.errors import PackyardError
from packyard.packs.pack import Visibility
from packyard.packs.precondition import IfMatch
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.packs.upload import Upload, UploadStatus
from packyard.store.keys import upload_key
from packyard.store.table import ConditionFailed, Item, Put, Table, Update

_HOLDS_LEASE: Final = "lease = :lease"


class BuildUnderWay(Exception):
    """Another process is building the archive, or may be; come again.

    Args:
        until: When its lease runs out.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__(f"The archive is being built until {until.isoformat()}.")
        self.until = until


class OutOfTime(Exception):
    """The build's deadline leaves no room for another attempt; the upload has failed, or is about to."""


class NothingToBuild(Exception):
    """The upload is done, has failed, has expired, or is not known any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A claimed build.

    Attributes:
        upload: What is to be built.
        lease: Names this attempt.
    """

    upload: Upload
    lease: str


class UploadStore:
    """The staged uploads of all organisations.

    Args:
        table: Where they are kept.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def create(self, upload: Upload) -> None:
        """Write a new upload. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        # No condition on its absence: the id is new, and a repeat after a lost answer writes the same.
        self._table.put(Put(item=_to_item(upload), condition="attribute_not_exists(lease)"))

    def get(self, upload_id: str) -> Upload | None:
        """Return an upload as it was last written, or None. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(upload_key(upload_id))
        return None if item is None else _from_item(item)

    def claim_build(
        self, upload_id: str, *, lease: str, now: datetime, until: datetime, deadline: datetime
    ) -> Build:
        """Take on the build of an upload whose archive has arrived. One write.

        Args:
            upload_id: Which.
            lease: A value never used before.
            now: The present instant.
            until: When the builder is done or dead, and the longest difference between two clocks later.
            deadline: When there is no further attempt, unless an earlier attempt has set it.

        Raises:
            BuildUnderWay: Another attempt holds the lease.
            OutOfTime: It is too late for another attempt.
            NothingToBuild: The upload has come to its end.
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=upload_key(upload_id),
                    change="SET upload_status = :building, lease = :lease, lease_until = :until,"
                    " build_deadline = if_not_exists(build_deadline, :deadline)",
                    # The last line lets a repeat after a lost answer pass its own hold.
                    condition="upload_status = :awaiting AND arrival_deadline >= :now"
                    " OR upload_status = :building AND lease_until <= :now AND build_deadline >= :until"
                    f" OR {_HOLDS_LEASE}",
                    values={
                        ":building": UploadStatus.BUILDING.value,
                        ":awaiting": UploadStatus.AWAITING_ARCHIVE.value,
                        ":lease": lease,
                        ":now": format_timestamp(now),
                        ":until": format_timestamp(until),
                        ":deadline": format_timestamp(deadline),
                    },
                )
            )
        except ConditionFailed as failure:
            old = failure.old or {}
            if old.get("upload_status") == UploadStatus.BUILDING:
                lease_until = parse_timestamp(old["lease_until"])
                if lease_until > now:
                    raise BuildUnderWay(lease_until) from None
                raise OutOfTime from None
            raise NothingToBuild from None
        return Build(upload=_from_item(item), lease=lease)

    def completion(self, build: Build, pack_id: str) -> Update:
        """Return the write that says the build is done, for the transaction that writes the pack.

        Args:
            build: The build; it fails when the lease has passed to another one.
            pack_id: The pack that the archive has become.
        """
        return Update(
            key=upload_key(build.upload.id),
            change="SET upload_status = :done, pack_id = :pack_id REMOVE lease, lease_until, upload_error",
            condition=_HOLDS_LEASE,
            values={":done": UploadStatus.DONE.value, ":pack_id": pack_id, ":lease": build.lease},
        )

    def complete(self, build: Build, pack_id: str) -> None:
        """Say that the build is done, nothing else having had to be written. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._settle(self.completion(build, pack_id))

    def fail(self, build: Build, error: PackyardError) -> None:
        """Say for good that the archive cannot become a pack. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._settle(
            Update(
                key=upload_key(build.upload.id),
                change="SET upload_status = :failed, upload_error = :error REMOVE lease, lease_until",
                condition=_HOLDS_LEASE,
                values={
                    ":failed": UploadStatus.FAILED.value,
                    ":error": _error_text(build, error),
                    ":lease": build.lease,
                },
            )
        )

    def release(self, build: Build, error: PackyardError, *, now: datetime) -> None:
        """Let another attempt begin at once, and remember why this one ended. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._settle(
            Update(
                key=upload_key(build.upload.id),
                change="SET lease_until = :now, upload_error = :error REMOVE lease",
                condition=_HOLDS_LEASE,
                values={
                    ":now": format_timestamp(now),
                    ":error": _error_text(build, error),
                    ":lease": build.lease,
                },
            )
        )

    def _settle(self, update: Update) -> None:
        """Write what has become of a build, unless that is for another attempt to say by now."""
        try:
            self._table.update(update)
        except ConditionFailed:
            return


def _error_text(build: Build, error: PackyardError) -> str:
    # As text, because what names the fields comes from the archive, and DynamoDB is particular about names.
    return json.dumps(error.inner(build.upload.id))


def _to_item(upload: Upload) -> Item:
    item: dict[str, Any] = {
        **upload_key(upload.id),
        "id": upload.id,
        "org_id": upload.org_id,
        "principal": upload.principal,
        "visibility": upload.visibility.value,
        "pack_id": upload.pack_id,
        "if_match": _to_tags(upload.if_match),
        "upload_status": upload.status.value,
        "form_expires_at": format_timestamp(upload.form_expires_at),
        "arrival_deadline": format_timestamp(upload.arrival_deadline),
        "forgotten_at": format_timestamp(upload.forgotten_at),
        # The table's TTL: in seconds since 1970.
        "expires_at": int(upload.forgotten_at.timestamp()),
    }
    return {name: value for name, value in item.items() if value is not None}


def _to_tags(if_match: IfMatch | None) -> list[str] | None:
    # That the pack is there, which is all that `*` asks, a build asks anyway.
    return None if if_match is None or if_match.tags is None else sorted(if_match.tags)


def _from_item(item: Item) -> Upload:
    tags = item.get("if_match")
    build_deadline = item.get("build_deadline")
    error = item.get("upload_error")
    return Upload(
        id=item["id"],
        org_id=item["org_id"],
        principal=item["principal"],
        visibility=Visibility(item["visibility"]),
        pack_id=item.get("pack_id"),
        status=UploadStatus(item["upload_status"]),
        form_expires_at=parse_timestamp(item["form_expires_at"]),
        arrival_deadline=parse_timestamp(item["arrival_deadline"]),
        forgotten_at=parse_timestamp(item["forgotten_at"]),
        build_deadline=None if build_deadline is None else parse_timestamp(build_deadline),
        if_match=None if tags is None else IfMatch(frozenset(tags)),
        error=None if error is None else json.loads(error),
    )
