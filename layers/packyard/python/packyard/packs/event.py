"""Events: what an organisation has accepted, one for each write (API contract, section 9)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

EVENT_ID: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
# The largest `data`, as JSON in UTF-8 (API contract, section 9).
MAX_DATA_BYTES: Final = 16 * 1024
# Lists show an event when its id is this old. By then it has been committed or never will be (decision 103).
SHOWN_AFTER: Final = timedelta(seconds=10)
# In `data` from which something was left out because of its size.
TRUNCATED: Final = "truncated"
# In `data` of a pack's new image: which it is, whether statements are to be made about it, and the CI run that
# published it, as its identity token says.
IMAGE_DIGEST: Final = "image_digest"
ATTESTATIONS: Final = "attestations"
CI: Final = "ci"
# Where the sender says that the content comes from. Nobody has checked it.
SOURCE: Final = "source"

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARACTERS: Final = 10


class EventType(StrEnum):
    """What has happened."""

    PACK_CREATED = "pack.created"
    PACK_UPDATED = "pack.updated"
    PACK_VISIBILITY_CHANGED = "pack.visibility_changed"
    PACK_DEPRECATED = "pack.deprecated"
    PACK_DELETED = "pack.deleted"
    REVISION_WITHDRAWN = "revision.withdrawn"
    REVISION_RESTORED = "revision.restored"
    REVISION_DELETED = "revision.deleted"
    ROLE_UPDATED = "role.updated"
    ROLE_DELETED = "role.deleted"
    ROLE_STALE = "role.stale"
    ROLE_WITHDRAWN_PIN = "role.withdrawn_pin"
    CAPABILITIES_ACCEPTED = "capabilities.accepted"
    KEY_ISSUED = "key.issued"
    KEY_REVOKED = "key.revoked"
    PUBLISHER_ADDED = "publisher.added"
    PUBLISHER_REMOVED = "publisher.removed"
    POLICY_UPDATED = "policy.updated"
    SCAN_FINISHED = "scan.finished"
    SCAN_OVERRIDDEN = "scan.overridden"
    FEED_CREATED = "feed.created"
    FEED_REMOVED = "feed.removed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_UPDATED = "webhook.updated"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"
    # A feed was used from many networks in a day. The contract's list does not have it (decision 137).
    FEED_SHARED = "feed.shared"
    # Only the operator makes these. The contract's list does not have them (decision 102).
    ORG_CREATED = "org.created"
    ORG_UPDATED = "org.updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """What a store knows of an event before it writes it.

    Attributes:
        type: What happens.
        org_id: The organisation in whose list the event appears: the owner of the pack, the role or the key.
        actor: Who does it: a principal, `follow`, or `operator:` and a name.
        pack_id: The pack, for an event of one pack.
        role_id: The role, for an event of one role.
        revision: The revision that the write makes, of the pack or of the role.
        data: What else readers need, as JSON values. It holds no secret, and no text that a reader of the
            organisation's events may not see. See `bounded`.
        request_id: The request that asked for it, where that is another one than the present request; None for the
            present one.
    """

    type: EventType
    org_id: str
    actor: str
    pack_id: str | None = None
    role_id: str | None = None
    revision: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as it is stored.

    Attributes:
        id: A ULID, made right before the write. Its time is `at`.
        at: When the write was made, in UTC.
        request_id: The request that asked for the write: `X-Request-Id` of an answer, or the id of a background
            invocation in the logs.
        type: Of `EventType`, or of a later release.
        org_id, actor, pack_id, role_id, revision, data: As for `EventDraft`.
    """

    id: str
    type: str
    org_id: str
    at: datetime
    actor: str
    request_id: str
    pack_id: str | None = None
    role_id: str | None = None
    revision: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def is_event_id(text: str) -> bool:
    """Return whether `text` is a ULID (Crockford's base 32, 128 bits)."""
    return EVENT_ID.fullmatch(text) is not None


def event_id(at: datetime, ulid: str) -> str:
    """Return the id of an event: a ULID of the time `at`.

    Args:
        at: The time of the event.
        ulid: A ULID never used before. Its 80 random bits are taken, and its time is not: ids and lists must use one
            clock.
    """
    return _time_part(at) + ulid[_TIME_CHARACTERS:]


def last_shown(now: datetime) -> str:
    """Return the greatest id that a list may show at `now`."""
    return _time_part(now - SHOWN_AFTER) + "Z" * (26 - _TIME_CHARACTERS)


def bounded(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `data` with at most 16 KiB of JSON. Values that do not fit are left out, and `truncated` is true.

    The values are kept in their order, as long as they fit.
    """
    if _size(data) <= MAX_DATA_BYTES:
        return data
    kept: dict[str, Any] = {TRUNCATED: True}
    for name, value in data.items():
        if _size({**kept, name: value}) <= MAX_DATA_BYTES:
            kept[name] = value
    return kept


def data_to_json(data: Mapping[str, Any]) -> str:
    """Return the data of an event as JSON text."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _size(data: Mapping[str, Any]) -> int:
    return len(data_to_json(data).encode())


def _time_part(at: datetime) -> str:
    """Return the first 10 characters of a ULID: milliseconds since 1970, the most significant digit first."""
    milliseconds = int(at.timestamp() * 1000)
    return "".join(_CROCKFORD[milliseconds >> 5 * place & 31] for place in reversed(range(_TIME_CHARACTERS)))
