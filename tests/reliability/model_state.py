"""What the contract's model keeps, who may do what with it, and what a repeat is answered."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from tests.reliability.expectations import Expected, Refused
from tests.reliability.model_packs import ABSENT, Archive, Content, Pack, Tags

ANSWER_KEPT: Final = timedelta(hours=24)
VISIBILITIES: Final = ("org", "community")
# Operations whose body is an archive, and the refusals that it causes.
_ARCHIVES: Final = frozenset({"upload", "reupload"})
_ABOUT_THE_REQUEST: Final = frozenset({400, 413, 415})


@dataclass(frozen=True)
class Caller:
    """Who asks: an organisation's key."""

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
class Kept:
    """What became of the first request with an idempotency key: its answer, or None while it may be at work."""

    request: Any
    since: datetime
    answer: Expected | None
    at_work_until: datetime


@dataclass
class State:
    """Everything that clients can see, and what decides about it.

    Attributes:
        now: The service's time.
        lease: How long a build may take before another may begin.
        host: Of the service's own registry.
        lapsed: Organisations whose billing does not let them create.
        elsewhere: What the tags of another registry's repositories stand for.
        pushed_elsewhere: What can be had there by digest.
        tags: What the tags of built packs' repositories stand for.
        busy: Until when a repository may still be held by somebody who died while clearing it up.
        abandoned: Repositories in which images may lie that no pack has.
        in_trouble: Whether what comes next may end half-way: after the row, but before the tag.
        pushed_to: See `written_to`.
    """

    now: datetime
    lease: timedelta
    host: str
    lapsed: set[str] = field(default_factory=set)
    packs: list[Pack] = field(default_factory=list)
    roles: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    role_revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    keys: dict[tuple[str, str, str], Kept] = field(default_factory=dict)
    elsewhere: dict[str, dict[str, Content]] = field(default_factory=dict)
    pushed_elsewhere: set[tuple[str, Content]] = field(default_factory=set)
    tags: dict[tuple[str, str], Tags] = field(default_factory=dict)
    busy: dict[tuple[str, str] | None, datetime] = field(default_factory=dict)
    abandoned: set[tuple[str, str]] = field(default_factory=set)
    in_trouble: bool = False
    pushed_to: tuple[str, str] | None = None

    def copy(self) -> Self:
        return deepcopy(self)

    # -- who may do what ------------------------------------------------------------------------------------------

    def admit(self, caller: Caller, *, write: bool = False, create: bool = False) -> None:
        """Credential, scope and billing posture come before anything else, in this order."""
        if caller.revoked:
            raise Refused(401, "unauthenticated")
        if write and not caller.may_write:
            raise Refused(403, "permission_denied")
        if create and caller.org in self.lapsed:
            raise Refused(423, "billing_inactive")

    def find(self, pack_id: str) -> Pack | None:
        return next((pack for pack in self.packs if pack.id == pack_id and pack.status != "gone"), None)

    def visible(self, pack_id: str, caller: Caller) -> Pack:
        pack = self.find(pack_id)
        if pack is None or not pack.is_visible_to(caller.org):
            raise Refused(404, "pack_not_found")
        return pack

    def owned(self, pack_id: str, org: str) -> Pack:
        """A pack that a replacement is for: someone else's is none."""
        pack = self.find(pack_id)
        if pack is None or pack.org != org:
            raise Refused(404, "pack_not_found")
        return pack

    def editable(self, pack_id: str, caller: Caller) -> Pack:
        """A pack that a part of is to change: one that is seen but not owned is refused as such."""
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

    def once(self, caller: Caller, operation: str, key: str | None, request: Any, act: Any) -> Expected:
        """The same key and body within 24 hours repeat the first answer; another body is 400.

        Of refusals, only those that the request itself causes are kept: what is wrong with an archive (decision 37).
        """
        if key is None:
            return _answer(act)
        place = (caller.org, operation, key)
        kept = self.keys.get(place)
        if kept is not None and self._counts(kept):
            if kept.request != request:
                raise Refused.by_fields("Idempotency-Key")
            if kept.answer is None:
                raise Refused(503, "service_unavailable")
            return kept.answer
        answer = _answer(act)
        if answer.status >= 400 and not (operation in _ARCHIVES and answer.status in _ABOUT_THE_REQUEST):
            self.keys.pop(place, None)
            return answer
        self.keys[place] = Kept(request, self.now, answer, self.now)
        return answer

    def _counts(self, kept: Kept) -> bool:
        if kept.answer is None:
            return self.now <= kept.at_work_until
        return self.now < kept.since + ANSWER_KEPT

    # -- what nobody is told ---------------------------------------------------------------------------------

    def restore_tag(self, pack: Pack, digest: str, *, certain: bool) -> None:
        """An image that is in use is looked at when its time comes: then its tag is put right."""
        if pack.content.image.digest == digest:
            self.in_trouble = not certain
            self.set_tag(pack, pack.content)

    def written_to(self) -> tuple[str, str] | None:
        """Return the repository that has been written to since this was asked last."""
        written, self.pushed_to = self.pushed_to, None
        return written

    def is_busy(self, place: tuple[str, str] | None) -> bool:
        """Tell whether a repository may be held by somebody who is not there any more."""
        return place in self.busy and self.now <= self.busy[place]

    def drop_what_is_over(self) -> None:
        """Forget leases that have run out, by any clock: what differs in nothing else is the same."""
        surely = self.now - timedelta(minutes=1)
        for place, kept in list(self.keys.items()):
            if surely > (kept.at_work_until if kept.answer is None else kept.since + ANSWER_KEPT):
                del self.keys[place]
        self.busy = {place: until for place, until in self.busy.items() if until >= surely}
        for upload in self.uploads:
            if upload.lease_until is not None and upload.lease_until < surely:
                upload.lease_until = None

    def settle(self) -> None:
        """Everything that was begun has come to its end."""
        self.abandoned.clear()
        self.busy.clear()

    def push_elsewhere(self, repository: str, tag: str, content: Content) -> None:
        """Another registry has another image under a tag; those before it stay, by digest."""
        self.elsewhere.setdefault(repository, {})[tag] = content
        self.pushed_elsewhere.add((repository, content))

    def set_tag(self, pack: Pack, content: Content) -> None:
        """The version's tag is set last, and put right later if that fails."""
        tags = self.tags.setdefault((pack.org, pack.name), {})
        before = tags.get(content.version, frozenset({ABSENT})) if self.in_trouble else frozenset()
        tags[content.version] = before | {content}


def _answer(act: Any) -> Expected:
    try:
        answer: Expected = act()
    except Refused as refused:
        return refused.expected
    return answer
