"""What the model keeps, what makes an answer of it, and what a repeated request is answered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from tests.reliability.model.expectations import Expected, Learnt, Refused, require, require_field
from tests.reliability.model.packs import (
    ABSENT,
    ApiKey,
    Content,
    Entry,
    Feed,
    Pack,
    Pin,
    Reference,
    RoleEntry,
    Webhook,
)

ANSWER_KEPT: Final = timedelta(hours=24)
# Whose answers hold a secret, which is shown once.
_SECRETS_IN: Final = ("create_feed", "create_key", "create_webhook", "rotate_secret")
_NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
# How long a cleaner may hold a repository.
HOLD: Final = timedelta(minutes=5)

# An organisation and the name of one of its packs or roles.
Name = tuple[str, str]


# An organisation's key: three of the operator's, of which the last only reads, and then those that callers have made.
Key = tuple[str, int]
READER: Final = 2
ALL_SCOPES: Final = ("audit:read", "caps:write", "hooks:write", "keys:write", "policy:write", "roles:write")


class Caller(NamedTuple):
    """Who asks, as their key says."""

    org: str
    actor: str
    scopes: frozenset[str]
    ends_at: datetime | None = None


class Login(NamedTuple):
    """A login at the distribution door."""

    org: str
    role_id: str
    password: str
    ends_at: datetime


@dataclass
class Upload:
    """A staged upload."""

    caller: Caller
    visibility: str
    target: str | None
    if_match: str | None
    since: datetime
    dry_run: bool = False
    id: str | None = None
    status: str = "awaiting_archive"
    archive: Any = None
    pack: Pack | None = None
    error: Any = None
    outcome: Any = None
    lease_until: datetime | None = None
    build_until: datetime = _NEVER


class Record(NamedTuple):
    """What is kept of the first request with an idempotency key: its answer, or None while it may be at work."""

    request: Any
    answer: Expected | None
    until: datetime


@dataclass
class State:
    """Everything that clients can see, and what decides about it."""

    now: datetime
    # How long a build may take before another may begin.
    lease: timedelta
    # Of the service's own registry.
    host: str
    # The slug of each organisation.
    slugs: Mapping[str, str]
    keys: dict[Key, ApiKey]
    caller: Caller = field(default=Caller("", "", frozenset()), compare=False)
    # Organisations whose billing does not let them create.
    lapsed: set[str] = field(default_factory=set)
    packs: list[Pack] = field(default_factory=list)
    # The history of each role, deleted or not.
    roles: dict[Name, list[RoleEntry]] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    # By organisation, operation and idempotency key.
    records: dict[tuple[str, str, str], Record] = field(default_factory=dict)
    # What the tags of another registry's repositories name, and what can be had there by digest.
    elsewhere: dict[str, dict[str, Content]] = field(default_factory=dict)
    pushed_elsewhere: set[tuple[str, Content]] = field(default_factory=set)
    # What the tags of built packs' repositories may name: one content, unless a crash has left it open.
    tags: dict[Name, dict[str, frozenset[Content]]] = field(default_factory=dict)
    # Version policies and how often each was set, and what each version of a name was last published with.
    policies: dict[str, tuple[str, int]] = field(default_factory=dict)
    published: dict[Name, dict[str, Content]] = field(default_factory=dict)
    # Signature policies and how often each was set, and whose keys have signed the images of other registries.
    signature_policies: dict[str, tuple[Mapping[str, Any], int]] = field(default_factory=dict)
    signed: dict[tuple[str, Content], frozenset[str]] = field(default_factory=dict)
    webhooks: dict[str, list[Webhook]] = field(default_factory=dict)
    feeds: dict[str, list[Feed]] = field(default_factory=dict)
    # What the operator lets organisations use, by organisation and quota.
    limits: dict[str, dict[str, int]] = field(default_factory=dict)
    # What the lock document of a role may say of an image that it pins, by organisation, role and pack, where that may
    # be something else than that it is in use.
    told: dict[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    # Until when a repository may still be held by a process that died while it cleaned it up.
    busy: dict[Name | None, datetime] = field(default_factory=dict)
    # Repositories that may hold images that no pack has.
    abandoned: set[Name] = field(default_factory=set)
    # Whether what comes next may end half-way: after the row, but before the tag.
    in_trouble: bool = False
    # The repository that the request has written to, and the request if it has taken an idempotency key. If its process
    # dies, the key stays taken, whatever the answer would have been.
    pushed_to: Name | None = field(default=None, compare=False)
    taking: Any = field(default=None, compare=False)

    def copy(self) -> Self:
        return deepcopy(self)

    def known(self, pack_id: str) -> Pack | None:
        """Return a pack, deleted or not."""
        return next((pack for pack in self.packs if pack.id == pack_id), None)

    def find(self, pack_id: str | None) -> Pack | None:
        return next((p for p in self.packs if p.id is not None and p.id == pack_id and not p.gone_at), None)

    def holder(self, org: str, name: str) -> Pack | None:
        """A name is taken until its pack's images are gone."""
        return next((p for p in self.packs if (p.org, p.name) == (org, name) and not p.gone_at), None)

    def visible(self, pack_id: str) -> Pack:
        pack = self.find(pack_id)
        if pack is None or not pack.is_visible_to(self.caller.org):
            raise Refused(404, "pack_not_found")
        return pack

    def own(self, pack_id: str, status: int = 404, code: str = "pack_not_found") -> Pack:
        """Return a pack of the caller's organisation. Another's that the caller sees is refused as stated."""
        pack = self.visible(pack_id)
        require(pack.org == self.caller.org, status, code)
        return pack

    def require_current(self, pack: Pack, if_match: str | None) -> None:
        require(not pack.deletion, 409, "pack_deleting")
        require_revision(pack.history, if_match)

    def require_usable(self, pack: Pack, content: Content, revision: int | None = None) -> None:
        """Refuse what would begin to use an image that is withdrawn or deleted, or is looked at for its deletion.

        The refusal names the revision that was taken back, unless it is about another one.
        """
        self.require_all_usable((pack, content, revision))

    @staticmethod
    def require_all_usable(*images: tuple[Pack, Content, int | None]) -> None:
        refused = [
            {
                "pack_id": Learnt(pack, "id", "pack_"),
                "revision": revision or about.revision,
                "status": "deleted" if pack.image(content).status == "deleted" else "withdrawn",
            }
            for pack, content, revision in images
            if (about := pack.image(content).about) is not None
        ]
        require(not refused, 409, "revision_withdrawn", revisions=refused)

    @staticmethod
    def without(named: frozenset[Content], content: Content) -> frozenset[Content]:
        """Return what a tag may name when an image is deleted."""
        return (named - {content}) | {ABSENT}

    def require_unused(self, pack: Pack, *, by_owner: bool) -> None:
        """Refuse what roles of other organisations stand against, or also the owner's."""
        own = sorted(role_id for org, role_id in self.holders(pack) if by_owner and org == pack.org)
        others = sum(org != pack.org for org, _ in self.holders(pack))
        references = {"role_ids": own, "other_organisations": others}
        require(not own and not others, 409, "pack_in_use", references=references)

    def holders(self, pack: Pack) -> list[Name]:
        """Return the roles that hold a pack."""
        return [role for role in self.roles if any(pin.pack_id == pack.id for pin in self.pins(*role))]

    def pins(self, org: str, role_id: str) -> tuple[Pin, ...]:
        history = self.roles.get((org, role_id))
        return history[-1].pins if history else ()

    def role(self, role_id: str) -> list[RoleEntry]:
        """Return the history of a role of the caller's organisation."""
        history = self.roles.get((self.caller.org, role_id), [])
        require(history and history[-1].operation != "delete", 404, "role_not_found")
        return history

    def at(self, pin: Pin) -> tuple[Pack, Entry]:
        """Return the pack of a pin, and the entry at which it is pinned."""
        pack = self.find(pin.pack_id)
        assert pack is not None, f"{pin} is of no pack"
        return pack, pack.history[pin.revision - 1]

    def is_stale(self, pin: Pin) -> bool:
        pack, entry = self.at(pin)
        return entry.content is not pack.content

    def widens(self, before: Pin, after: Pin) -> bool:
        """Return whether a move of a pin allows a request that was not allowed."""
        return bool(self.at(after)[1].content.allows - self.at(before)[1].content.allows)

    def write_role(self, role_id: str, operation: str, pins: Iterable[Pin], accepted: Any = ()) -> None:
        """Write a role's next revision, unless it is as it would be."""
        history = self.roles.setdefault((self.caller.org, role_id), [])
        entry = RoleEntry(operation, tuple(pins), self.caller.actor, self.now, tuple(accepted))
        if not history or "delete" in (operation, history[-1].operation) or history[-1].pins != entry.pins:
            before = {pin.pack_id: pin for pin in history[-1].pins} if history else {}
            history.append(entry)
            self._forget(role_id, before, {pin.pack_id: pin for pin in entry.pins})

    def _forget(self, role_id: str, before: Mapping[str, Pin], after: Mapping[str, Pin]) -> None:
        """What a role was told of images that it pins no more, it forgets."""
        for pack_id, pin in before.items():
            kept = after.get(pack_id)
            if kept is None or self.at(kept)[1].content is not self.at(pin)[1].content:
                self.told.pop((self.caller.org, role_id, pack_id), None)

    def caller_of(self, key: Key) -> Caller:
        made = self.keys.get(key)
        ended = made is None or made.revoked or (made.expires_at and self.now >= made.expires_at)
        require(made and not ended, 401, "unauthenticated")
        assert made is not None
        return Caller(made.org, made.principal, frozenset(made.scopes), made.expires_at)

    def resolve(self, reference: Reference, org: str) -> frozenset[Content]:
        """Return what a reference may name: one content, unless a crash has left it open where a tag points."""
        content, (host, _, repository) = reference.content, reference.place.partition("/")
        if host != self.host:
            if content is None:
                return frozenset({self.elsewhere.get(repository, {}).get(reference.tag, ABSENT)})
            return frozenset({content if (repository, content) in self.pushed_elsewhere else ABSENT})
        owner, _, name = repository.removeprefix("packs/").partition("/")
        if owner != org:
            return frozenset({ABSENT})
        if content is None:
            return self.tags.get((org, name), {}).get(reference.tag, frozenset({ABSENT}))
        holder = self.holder(org, name)
        there = [entry.content for entry in holder.history] if holder and not holder.deletion else []
        if holder and content in there and holder.image(content).status != "deleted":
            return frozenset({content})
        left = (org, name) in self.abandoned or holder is not None
        return frozenset({ABSENT, content} if left else {ABSENT})

    def entry(self, pack: Pack, operation: str, **changes: Any) -> Entry:
        """Return a pack's next entry, which says what its last one does but for these changes."""
        stated: dict[str, Any] = {
            "operation": operation,
            "actor": self.caller.actor,
            "at": self.now,
        } | changes
        return replace(pack.history[-1], **stated) if pack.history else Entry(**stated)

    def set_tag(self, pack: Pack, content: Content) -> None:
        """The version's tag is set last, and put right later if that fails."""
        tags = self.tags.setdefault((pack.org, pack.name), {})
        before = tags.get(content.version, frozenset({ABSENT})) if self.in_trouble else frozenset()
        tags[content.version] = before | {content}

    def answer_once(self, operation: str, once: str, request: Any, act: Callable[[], Expected]) -> Expected:
        """The same key and body within 24 hours repeat the first answer; another body is 400.

        Of refusals, only those that the request itself causes are kept: what is wrong with an archive (decision 37).
        """
        key = (self.caller.org, operation, once)
        record = self.records.get(key)
        if record is not None and self.now < record.until:
            require_field(record.request == request, "Idempotency-Key")
            if record.answer and operation in _SECRETS_IN and record.answer.status < 300:
                raise Refused(409, "already_created", id=record.answer.body["id"])
            return record.answer or Refused(503, "service_unavailable").expected
        self.taking = request
        answer = Refused.or_answer(act)
        self.records.pop(key, None)
        if answer.status < 400 or ("archive" in request and answer.status in (400, 413, 415)):
            self.records[key] = Record(request, answer, self.now + ANSWER_KEPT)
        return answer

    def is_busy(self, name: Name | None) -> bool:
        """Return whether a process that has died may still hold a repository."""
        return name in self.busy and self.now <= self.busy[name]

    def hold(self, pack_id: str, *, in_trouble: bool) -> None:
        """A process that dies while it cleans a repository up holds it for a while. So do those that join it."""
        pack = self.known(pack_id)
        if pack is not None and (in_trouble or self.is_busy((pack.org, pack.name))):
            self.busy[pack.org, pack.name] = self.now + HOLD

    def drop_what_is_over(self) -> None:
        """Forget leases that have run out by any clock, so that states that differ in nothing else are equal."""
        self.in_trouble = False
        surely = self.now - timedelta(minutes=1)
        self.records = {key: record for key, record in self.records.items() if record.until > surely}
        self.busy = {name: until for name, until in self.busy.items() if until >= surely}
        for upload in self.uploads:
            if upload.lease_until is not None and upload.lease_until < surely:
                upload.lease_until = None


def require_revision(history: Sequence[object], if_match: str | None) -> None:
    require_number(len(history), if_match)


def require_number(revision: int, if_match: str | None) -> None:
    fits = if_match in (None, "*", str(revision))
    require(fits, 412, "precondition_failed", revision=revision)
