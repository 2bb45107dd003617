"""What the model keeps, who may do what with it, and what a repeated request is answered."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from tests.reliability.model.expectations import Expected, Refused
from tests.reliability.model.packs import ABSENT, Archive, Content, Pack, Tags

ANSWER_KEPT: Final = timedelta(hours=24)
# Operations whose body is an archive, and the refusals that it causes.
_ARCHIVES: Final = frozenset({"upload", "reupload"})
_ABOUT_THE_REQUEST: Final = frozenset({400, 413, 415})

# An organisation and the name of one of its packs or roles.
Name = tuple[str, str]
# An organisation, an operation and an idempotency key.
RecordKey = tuple[str, str, str]


@dataclass(frozen=True)
class Caller:
    """One of an organisation's keys."""

    org: str
    actor: str
    may_write: bool = True
    revoked: bool = False


@dataclass
class Upload:
    """A staged upload."""

    org: str
    actor: str
    visibility: str
    target: str | None
    if_match: str | None
    form_until: datetime
    arrives_until: datetime
    kept_until: datetime
    id: str | None = None
    status: str = "awaiting_archive"
    archive: Archive | None = None
    pack: Pack | None = None
    error: Any = None
    lease_until: datetime | None = None
    build_until: datetime | None = None


@dataclass
class Record:
    """What is kept of the first request with an idempotency key: its answer, or None while it may be at work."""

    request: Any
    since: datetime
    answer: Expected | None
    at_work_until: datetime

    def counts(self, now: datetime) -> bool:
        return now <= self.at_work_until if self.answer is None else now < self.since + ANSWER_KEPT


@dataclass
class State:
    """Everything that clients can see, and what decides about it.

    Attributes:
        now: The service's time.
        lease: How long a build may take before another may begin.
        host: Of the service's own registry.
        lapsed: Organisations whose billing does not let them create.
        elsewhere: What the tags of another registry's repositories name.
        pushed_elsewhere: What can be had there by digest.
        tags: What the tags of built packs' repositories may name.
        busy: Until when a repository may still be held by a process that died while it cleaned it up.
        abandoned: Repositories that may hold images that no pack has.
        in_trouble: Whether what comes next may end half-way: after the row, but before the tag.
        pushed_to: The repository that was written to since `written_to` was asked last.
        taking: The request that has just taken an idempotency key. If its process dies, the key stays taken, whatever
            the answer would have been.
    """

    now: datetime
    lease: timedelta
    host: str
    lapsed: set[str] = field(default_factory=set)
    packs: list[Pack] = field(default_factory=list)
    roles: dict[Name, list[str]] = field(default_factory=dict)
    role_revisions: dict[Name, int] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    records: dict[RecordKey, Record] = field(default_factory=dict)
    elsewhere: dict[str, dict[str, Content]] = field(default_factory=dict)
    pushed_elsewhere: set[tuple[str, Content]] = field(default_factory=set)
    tags: dict[Name, Tags] = field(default_factory=dict)
    busy: dict[Name | None, datetime] = field(default_factory=dict)
    abandoned: set[Name] = field(default_factory=set)
    in_trouble: bool = False
    pushed_to: Name | None = None
    taking: Any = None

    def copy(self) -> Self:
        return deepcopy(self)

    # -- who may do what ------------------------------------------------------------------------------------------

    def find(self, pack_id: str) -> Pack | None:
        return next((pack for pack in self.packs if pack.id == pack_id and pack.status != "gone"), None)

    def visible(self, pack_id: str, caller: Caller) -> Pack:
        pack = self.find(pack_id)
        if pack is None or not pack.is_visible_to(caller.org):
            raise Refused(404, "pack_not_found")
        return pack

    def owned(self, pack_id: str, org: str) -> Pack:
        """Return a pack that is to be replaced. Another organisation's is answered like one that does not exist."""
        pack = self.find(pack_id)
        if pack is None or pack.org != org:
            raise Refused(404, "pack_not_found")
        return pack

    def editable(self, pack_id: str, caller: Caller) -> Pack:
        """Return a pack that is to be changed in part. One that the caller sees and does not own is refused as such."""
        pack = self.visible(pack_id, caller)
        if pack.org != caller.org:
            raise Refused(403, "permission_denied")
        return pack

    def holder(self, org: str, name: str) -> Pack | None:
        """A name is taken until its pack's images are gone."""
        return next((p for p in self.packs if (p.org, p.name) == (org, name) and p.status != "gone"), None)

    def require_changeable(self, pack: Pack, if_match: str | None) -> None:
        if pack.status == "deleting":
            raise Refused(409, "pack_deleting")
        if if_match not in (None, "*", str(pack.revision)):
            raise Refused(412, "precondition_failed", revision=pack.revision)

    # -- idempotency ----------------------------------------------------------------------------------------------

    def answer_once(self, key: RecordKey, request: Any, act: Callable[[], Expected]) -> Expected:
        """The same key and body within 24 hours repeat the first answer; another body is 400.

        Of refusals, only those that the request itself causes are kept: what is wrong with an archive (decision 37).
        """
        record = self.records.get(key)
        if record is not None and record.counts(self.now):
            if record.request != request:
                raise Refused.by_fields("Idempotency-Key")
            if record.answer is None:
                raise Refused(503, "service_unavailable")
            return record.answer
        self.taking = request
        answer = Refused.or_answer(act)
        if answer.status < 400 or (key[1] in _ARCHIVES and answer.status in _ABOUT_THE_REQUEST):
            self.records[key] = Record(request, self.now, answer, self.now)
        else:
            self.records.pop(key, None)
        return answer

    # -- what no answer tells -------------------------------------------------------------------------------------

    def set_tag(self, pack: Pack, content: Content) -> None:
        """The version's tag is set last, and put right later if that fails."""
        tags = self.tags.setdefault((pack.org, pack.name), {})
        before = tags.get(content.version, frozenset({ABSENT})) if self.in_trouble else frozenset()
        tags[content.version] = before | {content}

    def restore_tag(self, pack: Pack, digest: str, *, certain: bool) -> None:
        """The cleanup message of an image that is in use puts its tag right."""
        if pack.content.image.digest == digest:
            self.in_trouble = not certain
            self.set_tag(pack, pack.content)

    def written_to(self) -> Name | None:
        """Return the repository that has been written to since this was asked last."""
        written, self.pushed_to = self.pushed_to, None
        return written

    def is_busy(self, name: Name | None) -> bool:
        """Return whether a process that has died may still hold a repository."""
        return name in self.busy and self.now <= self.busy[name]

    def drop_what_is_over(self) -> None:
        """Forget leases that have run out by any clock, so that states that differ in nothing else are equal."""
        surely = self.now - timedelta(minutes=1)
        self.records = {key: record for key, record in self.records.items() if record.counts(surely)}
        self.busy = {name: until for name, until in self.busy.items() if until >= surely}
        for upload in self.uploads:
            if upload.lease_until is not None and upload.lease_until < surely:
                upload.lease_until = None

    def settle(self) -> None:
        """Everything that was begun has come to its end."""
        self.abandoned.clear()
        self.busy.clear()

    def push_elsewhere(self, repository: str, tag: str, content: Content) -> None:
        """Another registry has another image under a tag. Earlier ones stay, by digest."""
        self.elsewhere.setdefault(repository, {})[tag] = content
        self.pushed_elsewhere.add((repository, content))
