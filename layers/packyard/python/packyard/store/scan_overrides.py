"""The scan overrides of packs."""

from collections.abc import Sequence

from packyard.packs.event import EventDraft, EventType
from packyard.packs.pack import Pack, PackStatus
from packyard.scanning.override import ScanOverride
from packyard.store.events import EventLog
from packyard.store.keys import pack_key, scan_overrides_key
from packyard.store.scan_override_items import PackOverrides, override_attributes, overrides_of
from packyard.store.table import Action, Check, Table, TransactionFailed, Update, token_of


class OverridesOutdated(Exception):
    """The overrides are not as they were read, or the pack is being deleted."""


class ScanOverrideStore:
    """The overrides of all packs.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, pack_id: str) -> PackOverrides:
        """Return the overrides of a pack. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return overrides_of(self._table.get(scan_overrides_key(pack_id)))

    def write(
        self, pack: Pack, before: PackOverrides, overrides: Sequence[ScanOverride], made: ScanOverride
    ) -> None:
        """Write the overrides of a pack, and the event of the one that was made. One transaction.

        Args:
            pack: The pack.
            before: The overrides as they were read.
            overrides: The overrides as they are to be.
            made: The new one.

        Raises:
            OverridesOutdated: They are not as they were read, or the pack is being deleted.
            ServiceUnavailable: DynamoDB did not answer; they may have been written.
        """
        active = Check(
            key=pack_key(pack.id),
            condition="#status = :active",
            values={":active": PackStatus.ACTIVE.value},
            names={"#status": "status"},
        )
        update = Update(
            key=scan_overrides_key(pack.id),
            change="SET overrides = :overrides, revision = :after",
            condition="revision = :before" if before.revision else "attribute_not_exists(PK)",
            values={
                ":overrides": [override_attributes(each) for each in overrides],
                ":after": before.revision + 1,
                **({":before": before.revision} if before.revision else {}),
            },
        )
        said = override_attributes(made)
        event = self._events.put(
            EventDraft(
                type=EventType.SCAN_OVERRIDDEN,
                org_id=pack.org_id,
                actor=made.by,
                pack_id=pack.id,
                data={
                    "name": str(pack.name),
                    **{name: said[name] for name in ("rule", "path", "reason", "expires_at")},
                },
            )
        )
        actions: list[Action] = [active, update, event]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if any(reason.condition_failed for reason in failure.reasons[:2]):
                raise OverridesOutdated from None
            raise
