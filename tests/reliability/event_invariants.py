"""What must hold between writes and events: each accepted write is one event, and no event is of anything else.

The histories of packs and roles, the keys and the organisations say what was accepted. Their entries are written in the
same transactions as the events. So both must agree at every instant, in the middle of a crash or a race too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tests.reliability.feed_invariants import OF_FEEDS, counted, feeds_told, feeds_written, miscounted
from tests.reliability.revision_invariants import OF_REVISIONS, event_of, is_retention, revision_faults

from packyard.packs.event import EventType
from packyard.packs.timestamp import parse_timestamp
from packyard.store.wire import Item
from packyard.webhooks.webhook import is_webhook_id

_KEPT: Final = timedelta(days=399)
# What happened, to what, at which revision, and by whom.
Fact = tuple[str, str, int, str]

_OF_PACKS: Final = {
    "delete": EventType.PACK_DELETED,
    "deprecate": EventType.PACK_DEPRECATED,
    "undeprecate": EventType.PACK_DEPRECATED,
}
_FIRST_OF_PACKS: Final = frozenset({"create", "upload", "clone"})
# Only events say how often these happened.
_OF_OPERATORS: Final = frozenset({EventType.ORG_UPDATED, EventType.POLICY_UPDATED})
# A revision's event is one of these; the state of the pack decides which.
_CHANGES: Final = frozenset({EventType.PACK_UPDATED, EventType.PACK_VISIBILITY_CHANGED})
_OF_WEBHOOKS: Final = frozenset(
    {
        EventType.WEBHOOK_CREATED,
        EventType.WEBHOOK_UPDATED,
        EventType.WEBHOOK_DELETED,
        EventType.WEBHOOK_DISABLED,
    }
)
_OF_PUBLISHERS: Final = frozenset({EventType.PUBLISHER_ADDED, EventType.PUBLISHER_REMOVED})
# A scan is an event only if it found something else than the one before.
_DERIVED: Final = frozenset({EventType.ROLE_STALE, EventType.ROLE_WITHDRAWN_PIN, EventType.SCAN_FINISHED})
_ELSEWHERE: Final = _DERIVED | OF_FEEDS
# Items say how often these happened, and not by whom.
_BY_SOMEBODY: Final = frozenset({EventType.POLICY_UPDATED, EventType.SCAN_OVERRIDDEN})


def event_faults(items: Sequence[Item], *, now: datetime) -> Iterator[str]:
    """Yield, in words, which writes have no event or several, and which events are of no write.

    Args:
        items: The table, whole.
        now: The instant. Events of before `_KEPT` may have expired.
    """
    facts = [*_written(items), *_overridden(items), *feeds_written(items)]
    written = Counter(fact for fact, _ in facts)
    kept = Counter(fact for fact, at in facts if at and parse_timestamp(at) > now - _KEPT)
    told = Counter([*_told(items), *feeds_told(items)])
    yield from (f"{fact} was written and is no event" for fact in kept - told)
    yield from (f"{fact} is an event and was not written, or not so often" for fact in told - written)
    yield from _twice_told(items)
    yield from miscounted(items)
    yield from revision_faults(items)
    for item in items:
        if item["PK"].startswith("EVENTS#") and "expires_at" not in item:
            yield f"the event {item['SK']} stays for ever"


def _told(items: Sequence[Item]) -> Iterator[Fact]:
    standing = {item["id"] for item in items if item["SK"] == "PACK"}
    active = {item["id"] for item in items if item["SK"] == "PACK" and item["status"] == "active"}
    standing |= {item["key_hash"] for item in items if item["SK"] == "KEY"}
    webhooks = {name for item in items if item["SK"] == "HOOKS" for name in item if is_webhook_id(name)}
    publishers = {item["id"] for item in counted(items, "PUBLISHERS#")}
    for item in items:
        if item["PK"].startswith("EVENTS#"):
            event = event_of(item)
            if event.type in _OF_WEBHOOKS:
                if event.data["webhook_id"] in webhooks:
                    yield _of_webhook(event.org_id, event.data["webhook_id"])
                continue
            if event.type in _OF_PUBLISHERS:
                if event.data["publisher_id"] in publishers:
                    yield _of_publisher(event.type, event.org_id, event.data["publisher_id"], event.actor)
                continue
            # Items say what became of these, and not how often (`revision_invariants`).
            if event.type in OF_REVISIONS or is_retention(event):
                continue
            # These follow from a write to a pack, which has an event of its own: see `_twice_told`. The overrides of a
            # pack go with it.
            went = event.type == EventType.SCAN_OVERRIDDEN and event.pack_id not in active
            if event.type in _ELSEWHERE or went:
                continue
            of = event.role_id or event.pack_id or event.data.get("key_id")
            # The row of a deleted pack and the item of a revoked key go in the end; their events stay longer.
            if event.type in _OF_OPERATORS or (of and not event.role_id and of not in standing):
                continue
            kind = str(EventType.PACK_UPDATED) if event.type in _CHANGES else event.type
            who = "" if event.type in _BY_SOMEBODY else _who(event.actor)
            yield kind, f"{event.org_id} {of or ''}", event.revision or 0, who


def _written(items: Sequence[Item]) -> Iterator[tuple[Fact, str | None]]:
    """Yield what was written, and when if that is known."""
    owners = {item["id"]: item["org_id"] for item in items if item["SK"] == "PACK"}
    for item in items:
        partition, sort_key = item["PK"], item["SK"]
        if sort_key.startswith("REV#") and partition.startswith("PACK#"):
            pack_id = partition.removeprefix("PACK#")
            if pack_id in owners:
                yield _of_pack(pack_id, owners[pack_id], item), item["at"]
        elif sort_key.startswith("REV#"):
            yield from ((fact, item["at"]) for fact in _of_role(partition, item))
        elif sort_key == "KEY":
            yield from _of_key(item)
        elif sort_key == "HOOKS":
            yield from _of_webhooks(item)
        elif partition.startswith("PUBLISHERS#") and sort_key != "COUNT":
            added = EventType.PUBLISHER_ADDED
            yield _of_publisher(added, item["org_id"], item["id"], item["created_by"]), item["created_at"]
        elif sort_key in ("ORG", "SIGNATURES"):
            yield from _of_organisation(item)


def _of_organisation(item: Mapping[str, Any]) -> Iterator[tuple[Fact, str | None]]:
    org = f"{item['PK'].removeprefix('ORG#')} "
    if "slug" in item:
        yield (str(EventType.ORG_CREATED), org, 0, "operator"), None
    for revision in ("version_policy_revision", "signature_policy_revision"):
        for _ in range(int(item.get(revision, 0))):
            yield (str(EventType.POLICY_UPDATED), org, 0, ""), None


def _overridden(items: Sequence[Item]) -> Iterator[tuple[Fact, str | None]]:
    owners = {item["id"]: item["org_id"] for item in items if item["SK"] == "PACK"}
    for item in items:
        if item["SK"] == "SCAN#OVERRIDES":
            pack_id = item["PK"].removeprefix("PACK#")
            fact = str(EventType.SCAN_OVERRIDDEN), f"{owners[pack_id]} {pack_id}", 0, ""
            yield from [(fact, item["overrides"][-1]["at"])] * int(item["revision"])


def _of_webhooks(item: Mapping[str, Any]) -> Iterator[tuple[Fact, str | None]]:
    for name in filter(is_webhook_id, item):
        # Each revision is an event, and so is nothing else of a webhook.
        for _ in range(int(item[name]["revision"])):
            yield _of_webhook(item["org_id"], name), item[name]["created_at"]


def _of_webhook(org_id: str, webhook_id: str) -> Fact:
    return "webhook", f"{org_id} {webhook_id}", 0, ""


def _of_publisher(kind: str, org_id: str, publisher_id: str, actor: str) -> Fact:
    return str(kind), f"{org_id} {publisher_id}", 0, actor


def _twice_told(items: Sequence[Item]) -> Iterator[str]:
    """Yield which roles were told twice that the same pin is stale."""
    events = [event_of(item) for item in items if item["PK"].startswith("EVENTS#")]
    told = Counter(
        (
            event.org_id,
            event.role_id,
            event.pack_id,
            event.data["pinned"]["revision"],
            event.data["current"]["revision"],
        )
        for event in events
        if event.type == EventType.ROLE_STALE
    )
    yield from (f"{pin} was told twice that it is stale" for pin, times in told.items() if times > 1)


def _of_pack(pack_id: str, owner: str, entry: Item) -> Fact:
    operation = entry["operation"]
    kind = EventType.PACK_CREATED if operation in _FIRST_OF_PACKS else EventType.PACK_UPDATED
    kind = _OF_PACKS.get(operation, kind)
    return str(kind), f"{owner} {pack_id}", int(entry["revision"]), entry["actor"]


def _of_role(partition: str, entry: Item) -> Iterator[Fact]:
    _, org_id, role_id = partition.split("#")
    deleted = entry.get("operation") == "delete"
    kind = EventType.ROLE_DELETED if deleted else EventType.ROLE_UPDATED
    about = f"{org_id} {role_id}", int(entry["revision"]), entry["actor"]
    yield str(kind), *about
    if entry.get("accepted"):
        yield str(EventType.CAPABILITIES_ACCEPTED), *about


def _of_key(item: Mapping[str, str]) -> Iterator[tuple[Fact, str]]:
    about = f"{item['org_id']} {item['key_hash']}"
    made_by, revoked_by = (item.get(name, "operator") for name in ("created_by", "revoked_by"))
    yield (str(EventType.KEY_ISSUED), about, 0, made_by), item["created_at"]
    if "revoked_at" in item:
        yield (str(EventType.KEY_REVOKED), about, 0, revoked_by), item["revoked_at"]


def _who(actor: str) -> str:
    """Return an actor as items name it: they do not know the operator by name."""
    return "operator" if actor.startswith("operator") else actor
