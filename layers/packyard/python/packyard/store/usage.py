"""What organisations use, counted in the transactions that change it, and the limits that these transactions keep.

One item for each organisation has the counters and the limits that the operator has set. Each transaction that makes a
pack, gives it a new image or ends its deletion changes the item too. So a crash or a repeat never counts twice, and no
write makes a call of its own for it. Of two requests for the last place, DynamoDB lets one through (decision 112).

Attributes: `packs` and `stored_bytes` are what is used. `day_<yyyy-mm-dd>` is the number of publishes on that day.
`max_...` are the limits. DynamoDB's conditions have no arithmetic, so `bytes_left` holds the difference of limit and
use; without a limit, that of zero and use.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from packyard.packs.pack import Pack
from packyard.packs.usage import NO_QUOTAS, Quota, Quotas, Usage
from packyard.store.keys import usage_key
from packyard.store.table import Item, Update

_PLACEHOLDER: Final = re.compile(r"[:#]\w+")
# A publish removes the counts of as many days before its own. So the item stays small.
_DAYS_REMOVED: Final = 31
# Where the limits are, by quota. That of builds is in another item (`build_slots`).
LIMITS: Final[Mapping[Quota, str]] = {
    Quota.PACKS: "max_packs",
    Quota.STORED_BYTES: "max_bytes",
    Quota.PUBLISHES_A_DAY: "max_publishes",
}
_NAMES: Final = {
    "#packs": "packs",
    "#bytes": "stored_bytes",
    "#left": "bytes_left",
    "#max_packs": LIMITS[Quota.PACKS],
    "#max_bytes": LIMITS[Quota.STORED_BYTES],
    "#max_publishes": LIMITS[Quota.PUBLISHES_A_DAY],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLedger:
    """Makes the actions that count what is used, for the transactions that change it.

    Attributes:
        defaults: The limits of organisations for which the operator has set none.
    """

    defaults: Quotas = NO_QUOTAS

    def of_creation(self, pack: Pack) -> Update:
        """Return the action that counts a new pack, if there is room for it.

        Args:
            pack: The pack at its first revision. Its time is that of the publish.
        """
        return self._publish(pack, packs=1, stored_bytes=pack.stored_bytes or 0)

    def of_change(self, before: Pack, after: Pack) -> Sequence[Update]:
        """Return the action that counts a pack's new image, if there is room for it; none if the image stays.

        Args:
            before: The pack as it was read.
            after: The pack at its next revision. Its time is that of the publish.
        """
        if after.image_digest == before.image_digest:
            return ()
        return (self._publish(after, packs=0, stored_bytes=added_bytes(before, after)),)

    def usage(self, item: Item | None, *, day: date) -> Usage:
        """Return what an organisation uses and may use, builds apart.

        Args:
            item: The organisation's item; None if there is none.
            day: The day whose publishes are meant, UTC.
        """
        return usage_of(item or {}, defaults=self.defaults, day=day)

    def require_room(self, item: Item | None, pack: Pack, *, before: Pack | None) -> None:
        """Check that an organisation has room for a publish.

        Args:
            item: The organisation's item as it was when the publish was refused, or is now; None if there is none.
            pack: The pack as the publish makes it.
            before: The pack as it was; None for a new one.

        Raises:
            QuotaExceeded, RateLimited: It has none; see `Usage.require_room`.
        """
        now = pack.updated_at
        added = pack.stored_bytes or 0 if before is None else added_bytes(before, pack)
        usage = self.usage(item, day=now.date())
        usage.require_room(packs=int(before is None), stored_bytes=added, now=now)

    def _publish(self, pack: Pack, *, packs: int, stored_bytes: int) -> Update:
        day = pack.updated_at.date()
        old = {
            f"#day{number}": day_attribute(day - timedelta(days=number))
            for number in range(1, _DAYS_REMOVED + 1)
        }
        conditions = [self._room_for_one("#day", "#max_publishes", Quota.PUBLISHES_A_DAY)]
        counted = "#day :one"
        if packs:
            conditions.append(self._room_for_one("#packs", "#max_packs", Quota.PACKS))
            counted += ", #packs :one"
        if stored_bytes:
            conditions.append(self._room_for_bytes(stored_bytes))
            counted += ", #bytes :bytes, #left :minus_bytes"
        condition = " AND ".join(conditions)
        change = f"ADD {counted} REMOVE {', '.join(old)}"
        values = {
            ":one": 1,
            ":zero": 0,
            ":bytes": stored_bytes,
            ":minus_bytes": -stored_bytes,
            **self._default_values(stored_bytes),
        }
        names = {**_NAMES, **old, "#day": day_attribute(day)}
        used = frozenset(_PLACEHOLDER.findall(f"{change} {condition}"))
        return Update(
            key=usage_key(pack.org_id),
            change=change,
            condition=condition,
            # DynamoDB refuses placeholders that no expression uses.
            values={name: value for name, value in values.items() if name in used},
            names={name: attribute for name, attribute in names.items() if name in used},
        )

    def _room_for_one(self, used: str, limit: str, quota: Quota) -> str:
        """Return the condition that one more is within the operator's limit, or else within the default."""
        by_operator = f"{limit} > :zero AND (attribute_not_exists({used}) OR {used} < {limit})"
        by_default = f"attribute_not_exists({limit})"
        if self.defaults.of(quota) is not None:
            by_default += f" AND (attribute_not_exists({used}) OR {used} < :default_{quota.value})"
        return f"({by_operator} OR {by_default})"

    def _room_for_bytes(self, added: int) -> str:
        by_operator = "attribute_exists(#max_bytes) AND #left >= :bytes"
        default = self.defaults.stored_bytes
        if default is None:
            return f"({by_operator} OR attribute_not_exists(#max_bytes))"
        if default < added:
            return f"({by_operator})"
        by_default = "attribute_not_exists(#max_bytes) AND (attribute_not_exists(#bytes) OR #bytes <= :room)"
        return f"({by_operator} OR {by_default})"

    def _default_values(self, added: int) -> Mapping[str, Any]:
        counted = {f":default_{quota.value}": self.defaults.of(quota) for quota in Quota}
        return {**counted, ":room": (self.defaults.stored_bytes or 0) - added}


# For those who change packs in ways that add nothing.
NO_LIMITS: Final = UsageLedger()


def of_deletion(pack: Pack) -> Sequence[Update]:
    """Return the action that gives back what a deleted pack has used; none if the pack was not counted.

    Args:
        pack: The pack at its last revision.
    """
    if pack.stored_bytes is None:
        return ()
    return (of_correction(pack.org_id, packs=-1, bytes_=-pack.stored_bytes),)


def of_correction(org_id: str, *, packs: int, bytes_: int) -> Update:
    """Return the action that adds to the counters of packs and of bytes, whatever the limits.

    Args:
        org_id: The organisation.
        packs: How many packs to add; negative to take away.
        bytes_: How many bytes to add; negative to take away.
    """
    used = ("#packs", "#bytes", "#left")
    return Update(
        key=usage_key(org_id),
        change="ADD #packs :packs, #bytes :bytes, #left :minus_bytes",
        # Always true: an organisation that was never counted has no item.
        condition="attribute_exists(PK) OR attribute_not_exists(PK)",
        values={":packs": packs, ":bytes": bytes_, ":minus_bytes": -bytes_},
        names={name: _NAMES[name] for name in used},
    )


def added_bytes(before: Pack, after: Pack) -> int:
    """Return how many bytes a revision adds to what is stored for a pack; 0 if the pack is not counted yet."""
    return (after.stored_bytes or 0) - (before.stored_bytes or 0)


def usage_of(
    item: Item, *, defaults: Quotas, day: date, builds: int = 0, max_builds: int | None = None
) -> Usage:
    """Return what an organisation uses and may use.

    Args:
        item: Its item of usage; empty if there is none.
        defaults: The limits where the operator has set none.
        day: The day whose publishes are meant, UTC.
        builds: How many builds are under way.
        max_builds: The operator's limit on them; None for none.
    """
    own = Quotas(
        packs=_number(item, LIMITS[Quota.PACKS]),
        stored_bytes=_number(item, LIMITS[Quota.STORED_BYTES]),
        publishes_a_day=_number(item, LIMITS[Quota.PUBLISHES_A_DAY]),
        builds_at_once=max_builds,
    )
    return Usage(
        day=day,
        packs=_number(item, "packs") or 0,
        stored_bytes=_number(item, "stored_bytes") or 0,
        publishes_a_day=_number(item, day_attribute(day)) or 0,
        builds_at_once=builds,
        limits=own.or_else(defaults),
    )


def day_attribute(day: date) -> str:
    """Return the name of the attribute with a day's publishes."""
    return f"day_{day.isoformat()}"


def _number(item: Item, name: str) -> int | None:
    return int(item[name]) if name in item else None
