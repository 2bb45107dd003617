"""Withdrawing images of packs, and restoring them: the state of each image, and the pack's row where it is current.

Withdrawal acts on an image, which may be that of several revisions. One item has the image's state. Whatever begins to
use an image has the condition in its own transaction that the image is in use (`image_state_items.usable`): a pin, a
clone, a new revision. A withdrawal changes the item. So of a withdrawal and such a write, one comes first, and the
other one is refused.

If the image is the pack's current one, the row says so too, and leaves other organisations' listings. The transaction
has the condition that the pack is at the revision that was read, and a change of the row has the condition that the
image is as much withdrawn as it was read (`PackStore.change`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packyard.oci.digest import Digest
from packyard.packs.event import EventDraft, EventType
from packyard.packs.image_state import ImageId, ImageState, ImageStatus, Withdrawal
from packyard.packs.pack import Pack, PackStatus
from packyard.store.events import EventLog
from packyard.store.image_state_items import IN_USE, STATUS, state_of, withdrawal_item
from packyard.store.keys import image_key, pack_key
from packyard.store.pack_items import from_item
from packyard.store.packs import Gone, Stale, row_change
from packyard.store.table import Action, Check, Item, Table, TransactionFailed, Update, token_of


class AlreadySo(Exception):
    """The image is not in the state that the change needs, and nothing was written.

    Args:
        state: Its state; None for one that never had another state than in use.
    """

    def __init__(self, state: ImageState | None) -> None:
        super().__init__("The image is in another state.")
        self.state = state


class ImageStates:
    """The states of images of all packs.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, image: ImageId) -> ImageState | None:
        """Return the state of an image; None for one that never had another state than in use. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return state_in(self._table, image)

    def get_many(self, images: Collection[ImageId]) -> Mapping[ImageId, ImageState]:
        """Return the states of images; those without one are left out. One consistent read for each 100, none for none.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        keys = [image_key(*image) for image in dict.fromkeys(images)]
        states = map(state_of, self._table.get_many(keys))
        return {ImageId(state.pack_id, state.digest): state for state in states}

    def withdraw(self, pack: Pack, digest: Digest, withdrawal: Withdrawal) -> None:
        """Withdraw an image of a pack. One transaction.

        Args:
            pack: The pack as it was read.
            digest: The image's, of a revision of the pack.
            withdrawal: Why, by whom and when.

        Raises:
            AlreadySo: It is withdrawn or deleted.
            Stale: The pack has changed since it was read.
            Gone: The pack is deleted or is being deleted.
            ServiceUnavailable: DynamoDB did not answer; the withdrawal may have been written.
        """
        change = Update(
            key=image_key(pack.id, digest),
            change=f"SET pack_id = :pack_id, digest = :digest, {STATUS} = :withdrawn, withdrawal = :withdrawal",
            condition=IN_USE,
            values={
                ":pack_id": pack.id,
                ":digest": digest,
                ":withdrawn": ImageStatus.WITHDRAWN.value,
                ":withdrawal": withdrawal_item(withdrawal),
                ":active": ImageStatus.ACTIVE.value,
            },
        )
        event = EventDraft(
            type=EventType.REVISION_WITHDRAWN,
            org_id=pack.org_id,
            actor=withdrawal.by,
            pack_id=pack.id,
            revision=withdrawal.revision,
            data={**_facts(pack, digest), "reason": withdrawal.reason},
        )
        self._commit([_row(pack, digest, withdrawn=True), change], pack, event)

    def restore(self, pack: Pack, digest: Digest, *, revision: int, actor: str) -> None:
        """Let an image that was withdrawn be used again. One transaction.

        Args:
            pack: As for `withdraw`.
            digest: As for `withdraw`.
            revision: The revision that the request named.
            actor: Who restores it, a principal.

        Raises:
            AlreadySo: It is in use or deleted, or it is being looked at for its deletion.
            Stale, Gone, ServiceUnavailable: As for `withdraw`.
        """
        change = Update(
            key=image_key(pack.id, digest),
            change=f"SET {STATUS} = :active REMOVE withdrawal",
            condition=f"{STATUS} = :withdrawn",
            values={":active": ImageStatus.ACTIVE.value, ":withdrawn": ImageStatus.WITHDRAWN.value},
        )
        event = EventDraft(
            type=EventType.REVISION_RESTORED,
            org_id=pack.org_id,
            actor=actor,
            pack_id=pack.id,
            revision=revision,
            data=_facts(pack, digest),
        )
        self._commit([_row(pack, digest, withdrawn=False), change], pack, event)

    def _commit(self, changes: Sequence[Action], pack: Pack, event: EventDraft) -> None:
        actions = [*changes, self._events.put(event)]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            row, image, *_ = failure.reasons
            if image.condition_failed:
                raise AlreadySo(None if image.old is None else state_of(image.old)) from None
            if row.condition_failed:
                raise refusal_of(row.old, pack) from None
            raise


def state_in(table: Table, image: ImageId) -> ImageState | None:
    """Return the state of an image, as `ImageStates.get` does."""
    item = table.get(image_key(*image))
    return None if item is None else state_of(item)


def _row(pack: Pack, digest: Digest, *, withdrawn: bool) -> Action:
    """Return the change of the row if the image is current, else the condition that it is not."""
    if digest != pack.image_digest:
        return Check(
            key=pack_key(pack.id),
            condition="revision = :read_revision AND #status = :active",
            values={":read_revision": pack.revision, ":active": PackStatus.ACTIVE.value},
            names={"#status": "status"},
        )
    return row_change(replace(pack, withdrawn=not withdrawn), replace(pack, withdrawn=withdrawn))


def _facts(pack: Pack, digest: Digest) -> dict[str, Any]:
    """Return what the event says of the pack and the image."""
    return {"name": pack.name, "image_digest": digest, "current": digest == pack.image_digest}


def refusal_of(row: Item | None, pack: Pack) -> Exception:
    """Return why a write was refused that needed a pack as it was read.

    Args:
        row: The pack's row at that time; None if there was none.
        pack: The pack as it was read.
    """
    current = None if row is None else from_item(row)
    if current is None or current.status is not PackStatus.ACTIVE:
        return Gone(current)
    return Stale(current if current.revision != pack.revision else pack)
