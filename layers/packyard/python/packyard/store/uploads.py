"""Staged uploads, and the leases of their builds.

A builder takes a lease before it builds. So if an event is delivered twice, only one delivery builds. If a builder's
function dies, another attempt can begin when the lease expires. Every write of a builder has the condition that it
still holds the lease, so a builder that has lost it changes nothing. A lease is given only if it ends before the
build's deadline, so no build is still running after the deadline.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packyard.errors import PackyardError
from packyard.packs.pack import Visibility
from packyard.packs.precondition import IfMatch
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.packs.upload import Upload, UploadKind, UploadStatus
from packyard.store import schema
from packyard.store.keys import upload_key
from packyard.store.table import ConditionFailed, Item, Put, Table, Update

_HOLDS_LEASE: Final = "lease = :lease"


class BuildUnderWay(Exception):
    """Another process may be building the archive; try again later.

    Args:
        until: When its lease expires.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__(f"The archive is being built until {until.isoformat()}.")
        self.until = until


class OutOfTime(Exception):
    """There is not enough time for another attempt before the build's deadline. The upload has failed, or soon will."""


class NothingToBuild(Exception):
    """The upload is done, failed or expired, or its record no longer exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build whose lease this process holds.

    Attributes:
        upload: The upload whose archive is to be built.
        lease: Identifies this attempt.
    """

    upload: Upload
    lease: str


class UploadStore:
    """The staged uploads of all organisations.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def create(self, upload: Upload) -> None:
        """Write a new upload. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        # The condition does not require that the item is absent: the id is new, and a retry writes the same item.
        self._table.put(Put(item=_to_item(upload), condition="attribute_not_exists(lease)"))

    def get(self, upload_id: str) -> Upload | None:
        """Return an upload as it was last written, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(upload_key(upload_id))
        return None if item is None else _from_item(item)

    def claim_build(
        self, upload_id: str, *, lease: str, now: datetime, until: datetime, deadline: datetime
    ) -> Build:
        """Take the lease for building an upload whose archive has arrived. One write.

        Args:
            upload_id: The upload.
            lease: A value never used before.
            now: The current time.
            until: When the lease ends: the latest end of this function's invocation plus the allowed clock difference.
            deadline: After this time there are no further attempts. The first attempt's value is kept.

        Raises:
            BuildUnderWay: Another attempt holds the lease.
            OutOfTime: The lease would end after the deadline.
            NothingToBuild: The upload is done, failed or expired, or its record no longer exists.
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=upload_key(upload_id),
                    change="SET upload_status = :building, lease = :lease, lease_until = :until,"
                    " build_deadline = if_not_exists(build_deadline, :deadline)",
                    # The last line is for a retry whose first attempt succeeded but whose answer was lost.
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

    def completion(self, build: Build, pack_id: str, warnings: Sequence[str] = ()) -> Update:
        """Return the action that marks the upload as done, for the transaction that writes the pack.

        Args:
            build: The build. The action's condition is that it still holds the lease.
            pack_id: The pack that was made from the archive.
            warnings: What breaks the specification of Agent Skills in it.
        """
        return Update(
            key=upload_key(build.upload.id),
            change="SET upload_status = :done, pack_id = :pack_id"
            f"{', warnings = :warnings' if warnings else ''} REMOVE lease, lease_until, upload_error",
            condition=_HOLDS_LEASE,
            values={
                ":done": UploadStatus.DONE.value,
                ":pack_id": pack_id,
                ":lease": build.lease,
                **({":warnings": list(warnings)} if warnings else {}),
            },
        )

    def complete(self, build: Build, pack_id: str, warnings: Sequence[str] = ()) -> None:
        """Mark the upload as done, for a build that had nothing else to write. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._write_if_leased(self.completion(build, pack_id, warnings))

    def complete_dry_run(self, build: Build, outcome: Mapping[str, Any]) -> None:
        """Mark an upload that is a dry run as done. One write.

        Args:
            build: The build.
            outcome: What would have been done, as JSON of at most 100 KB.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._write_if_leased(
            Update(
                key=upload_key(build.upload.id),
                change="SET upload_status = :done, outcome = :outcome REMOVE lease, lease_until, upload_error",
                condition=_HOLDS_LEASE,
                values={
                    ":done": UploadStatus.DONE.value,
                    # As JSON text, because its keys would be taken for attribute names.
                    ":outcome": json.dumps(outcome, ensure_ascii=False),
                    ":lease": build.lease,
                },
            )
        )

    def fail(self, build: Build, error: PackyardError) -> None:
        """Mark the upload as failed: no pack can be made from the archive. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._write_if_leased(
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
        """Give up the lease, so that another attempt can begin at once, and store why this one ended. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._write_if_leased(
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

    def wait(self, build: Build, error: PackyardError, *, now: datetime, until: datetime) -> int:
        """Give up the lease of a build that waits for its turn, and store what it waits for. One write.

        Args:
            build: The build.
            error: What it waits for. The client reads it if the build never gets its turn.
            now: The current time.
            until: The deadline of the build from now on.

        Returns:
            How often the build has waited; 1 if another attempt has taken the lease.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=upload_key(build.upload.id),
                    change="SET lease_until = :now, upload_error = :error, build_deadline = :until,"
                    " waited = if_not_exists(waited, :zero) + :one REMOVE lease",
                    condition=_HOLDS_LEASE,
                    values={
                        ":now": format_timestamp(now),
                        ":error": _error_text(build, error),
                        ":until": format_timestamp(until),
                        ":zero": 0,
                        ":one": 1,
                        ":lease": build.lease,
                    },
                )
            )
        except ConditionFailed:
            return 1
        return int(item["waited"])

    def _write_if_leased(self, update: Update) -> None:
        """Make an update; do nothing if another attempt has taken the lease."""
        try:
            self._table.update(update)
        except ConditionFailed:
            return


def _error_text(build: Build, error: PackyardError) -> str:
    # As JSON text, because its keys come from the archive and DynamoDB restricts attribute names.
    return json.dumps(error.inner(build.upload.id))


def _to_item(upload: Upload) -> Item:
    item: dict[str, Any] = {
        **upload_key(upload.id),
        "id": upload.id,
        "org_id": upload.org_id,
        "principal": upload.principal,
        "request_id": upload.request_id or None,
        "ci": dict(upload.ci) or None,
        "source": upload.source or None,
        "visibility": upload.visibility.value,
        "pack_id": upload.pack_id,
        # A release that does not know it takes no Agent Skill.
        "version": upload.version,
        "if_match": _to_tags(upload.if_match),
        **_to_changes(upload),
        **_to_narrowed(upload),
        **_to_dry_run(upload),
        "upload_status": upload.status.value,
        "form_expires_at": format_timestamp(upload.form_expires_at),
        "arrival_deadline": format_timestamp(upload.arrival_deadline),
        "forgotten_at": format_timestamp(upload.forgotten_at),
        # The table's TTL attribute, in seconds since 1970.
        "expires_at": int(upload.forgotten_at.timestamp()),
    }
    return {name: value for name, value in item.items() if value is not None}


def _to_changes(upload: Upload) -> Item:
    if upload.kind is UploadKind.ARCHIVE:
        return {}
    # A release that does not know these attributes would take the archive for the whole pack (decision 78).
    return {
        "kind": upload.kind.value,
        "deletions": list(upload.deletions),
        schema.ATTRIBUTE: schema.WITH_UPLOAD_KINDS,
    }


def _to_narrowed(upload: Upload) -> Item:
    if upload.pack_name is None:
        return {}
    # A release that does not know this attribute would build an archive of any name (decision 92).
    return {"pack_name": upload.pack_name, schema.ATTRIBUTE: schema.WITH_NARROWED_KEYS}


def _to_dry_run(upload: Upload) -> Item:
    # A release that does not know this attribute would write the pack (decision 93).
    return {"dry_run": True, schema.ATTRIBUTE: schema.WITH_DRY_RUNS} if upload.dry_run else {}


def _to_tags(if_match: IfMatch | None) -> list[str] | None:
    # `*` requires only that the pack exists, which every build checks anyway.
    return None if if_match is None or if_match.tags is None else sorted(if_match.tags)


def _from_item(item: Item) -> Upload:
    tags = item.get("if_match")
    build_deadline = item.get("build_deadline")
    error, outcome = item.get("upload_error"), item.get("outcome")
    return Upload(
        id=item["id"],
        org_id=item["org_id"],
        principal=item["principal"],
        request_id=item.get("request_id", ""),
        ci=item.get("ci", {}),
        source=item.get("source", ""),
        visibility=Visibility(item["visibility"]),
        pack_id=item.get("pack_id"),
        status=UploadStatus(item["upload_status"]),
        form_expires_at=parse_timestamp(item["form_expires_at"]),
        arrival_deadline=parse_timestamp(item["arrival_deadline"]),
        forgotten_at=parse_timestamp(item["forgotten_at"]),
        build_deadline=None if build_deadline is None else parse_timestamp(build_deadline),
        if_match=None if tags is None else IfMatch(frozenset(tags)),
        kind=UploadKind(item.get("kind", UploadKind.ARCHIVE)),
        deletions=tuple(item.get("deletions", ())),
        pack_name=item.get("pack_name"),
        dry_run=item.get("dry_run", False),
        version=item.get("version"),
        warnings=tuple(item.get("warnings", ())),
        outcome=None if outcome is None else json.loads(outcome),
        error=None if error is None else json.loads(error),
    )
