"""Deleting the content of an image of a pack: from the mark to the end.

One image has one item with its state (`image_states`). A deletion takes three writes to it:

- `begin` marks the image `deleting`, on condition that it is not the pack's current image. Nothing can begin to use it
  from then on. So whoever reads afterwards which roles pin it sees all that ever will.
- `decide` says that no pin holds the image, on condition that the mark is still this process's own; or `give_up` takes
  the mark away. After the decision the image never comes back.
- `finish` says that the content is gone, and has the event. In the same transaction, it is counted no more.

Every process that works on a deletion sets a mark with a token of its own, unless it is decided. So of two at once only
the later one can decide or give up, and it has looked at the pins after its own mark.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from packyard.errors import ServiceUnavailable
from packyard.oci.digest import Digest
from packyard.packs.event import EventDraft, EventType
from packyard.packs.image_state import ImageId, ImageState, ImageStatus, Removal
from packyard.packs.pack import ImageOrigin, Pack, PackStatus
from packyard.store.events import EventLog
from packyard.store.image_state_items import STATUS, removal_item, state_of
from packyard.store.image_states import refusal_of, state_in
from packyard.store.keys import (
    REVISION_PREFIX,
    clones_key,
    image_key,
    pack_key,
    pack_partition,
    scan_key,
)
from packyard.store.pack_counts import PackCounts
from packyard.store.pack_items import digest_attribute, from_item
from packyard.store.table import (
    Action,
    Check,
    ConditionFailed,
    Delete,
    Item,
    Query,
    Table,
    TransactionFailed,
    Update,
    token_of,
)

# How many entries of a history are read to find revisions with the same files.
COMPARED: Final = 100
# A transaction fails when the pack has changed since its history was counted.
_ATTEMPTS: Final = 5
_UNDECIDED: Final = "removal.decided = :false"


class IsCurrent(Exception):
    """The image is the pack's current one."""


class MarkLost(Exception):
    """Another process has marked the image, or the deletion has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A pack, and whether the service has pushed its images.

    Attributes:
        pack: The pack as it is.
        ours: Whether its images are in the service's registry, and go when they are deleted.
    """

    pack: Pack
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEntry:
    """What an entry of a history says of the revision's image.

    Attributes:
        revision: The revision.
        digest: The image's.
        manifests: The digests of the manifests that its index lists, if it was pushed for this revision.
        layer_digest: As for `Pack`.
        layers: As for `Pack`.
    """

    revision: int
    digest: Digest
    manifests: tuple[Digest, ...]
    layer_digest: Digest | None
    layers: tuple[Digest, ...]


class Removals:
    """The deletions of images of all packs.

    Args:
        table: The table.
        events: Makes the events of writes.
        counts: Counts what is stored for packs.
    """

    def __init__(self, *, table: Table, events: EventLog, counts: PackCounts) -> None:
        self._table = table
        self._events = events
        self._counts = counts

    def owned(self, pack_id: str) -> Owned | None:
        """Return a pack that is active, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        row = self._table.get(pack_key(pack_id))
        if row is None or row["status"] != PackStatus.ACTIVE:
            return None
        pack = from_item(row)
        ours = pack.image_origin is not ImageOrigin.IMAGE_REF or row.get("adopted", False)
        return Owned(pack=pack, ours=ours)

    def state(self, image: ImageId) -> ImageState | None:
        """Return the state of an image; see `ImageStates.get`."""
        return state_in(self._table, image)

    def begin(self, pack: Pack, digest: Digest, removal: Removal) -> ImageState:
        """Mark an image for its deletion. One transaction.

        Args:
            pack: The pack as it was read.
            digest: The image's.
            removal: Who asks, and the token of this process. `force` counts only if the withdrawal allows it.

        Returns:
            The state: marked by this process, or, if a deletion was decided before, as that left it.

        Raises:
            IsCurrent: It is the pack's current image.
            Stale: The pack has changed since it was read.
            Gone: The pack is deleted or is being deleted.
            ServiceUnavailable: DynamoDB did not answer; the mark may have been set.
        """
        before = self.state(ImageId(pack.id, digest))
        if before is not None and before.is_gone:
            return before
        withdrawal = None if before is None else before.withdrawal
        forced = removal.force and withdrawal is not None and withdrawal.may_be_forced(removal.at)
        marked = replace(removal, force=forced)
        row = Check(
            key=pack_key(pack.id),
            condition="revision = :read_revision AND #status = :in_force AND image_digest <> :digest",
            values={
                ":read_revision": pack.revision,
                ":in_force": PackStatus.ACTIVE.value,
                ":digest": digest,
            },
            names={"#status": "status"},
        )
        mark = Update(
            key=image_key(pack.id, digest),
            change=f"SET pack_id = :pack_id, digest = :digest, {STATUS} = :deleting, removal = :removal",
            condition=_as_read(before),
            values={
                ":pack_id": pack.id,
                ":digest": digest,
                ":deleting": ImageStatus.DELETING.value,
                ":removal": removal_item(marked),
                **({} if before is None else {":read_status": before.status.value}),
                **({":false": False} if before is not None and before.removal is not None else {}),
            },
        )
        actions: list[Action] = [row, mark]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            of_row, of_image = failure.reasons
            if of_row.condition_failed:
                if of_row.old is not None and of_row.old["image_digest"] == digest:
                    raise IsCurrent from None
                raise refusal_of(of_row.old, pack) from None
            if of_image.condition_failed:
                # It was withdrawn, restored or marked in between.
                return self.begin(pack, digest, removal)
            raise
        return ImageState(
            pack_id=pack.id,
            digest=digest,
            status=ImageStatus.DELETING,
            withdrawal=withdrawal,
            removal=marked,
        )

    def give_up(self, state: ImageState) -> None:
        """Take the mark of this process away: the image is as it was before. One write.

        Args:
            state: What `begin` returned.

        Raises:
            MarkLost: Another process has marked it.
            ServiceUnavailable: DynamoDB did not answer; the mark may be gone.
        """
        status = ImageStatus.ACTIVE if state.withdrawal is None else ImageStatus.WITHDRAWN
        self._change(
            state, f"SET {STATUS} = :status REMOVE removal", {":status": status.value, ":false": False}
        )

    def decide(self, state: ImageState, decided: Removal) -> ImageState:
        """Decide that the content goes. One write.

        Args:
            state: What `begin` returned.
            decided: Its removal, with what was found about the content.

        Returns:
            The state, decided.

        Raises:
            MarkLost: Another process has marked it.
            ServiceUnavailable: DynamoDB did not answer; it may be decided.
        """
        removal = replace(decided, decided=True)
        self._change(state, "SET removal = :removal", {":removal": removal_item(removal), ":false": False})
        return replace(state, removal=removal)

    def _change(self, state: ImageState, change: str, values: dict[str, Any]) -> None:
        if state.removal is None:
            raise AssertionError("only a mark can be changed")
        try:
            self._table.update(
                Update(
                    key=image_key(state.pack_id, state.digest),
                    change=change,
                    condition=f"removal.#token = :token AND {_UNDECIDED}",
                    values=values | {":token": state.removal.token},
                    names={"#token": "token"},
                )
            )
        except ConditionFailed as failure:
            if not _is_decided_by(state.removal.token, failure.old):
                raise MarkLost from None
            # An earlier attempt at this decision succeeded, and its answer was lost.

    def finish(self, state: ImageState, *, pack: Pack) -> None:
        """Say that the content is gone, count it no more, and delete what a scan found in it. One transaction.

        It does nothing if another process has said so.

        Args:
            state: The state, decided.
            pack: The pack.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or the pack keeps changing; it may have been written.
        """
        removal = state.removal
        if removal is None:
            raise AssertionError("only what was decided ends")
        end = Update(
            key=image_key(state.pack_id, state.digest),
            change=f"SET {STATUS} = :deleted",
            condition=f"{STATUS} = :deleting AND removal.decided = :true",
            values={
                ":deleted": ImageStatus.DELETED.value,
                ":deleting": ImageStatus.DELETING.value,
                ":true": True,
            },
        )
        event = EventDraft(
            type=EventType.REVISION_DELETED,
            org_id=pack.org_id,
            actor=removal.by,
            pack_id=pack.id,
            revision=removal.revision,
            request_id=removal.request_id or None,
            data={
                "name": pack.name,
                "image_digest": state.digest,
                "force": removal.force,
                "clones": removal.clones,
                "also_in": list(removal.also_in),
            },
        )
        findings = Delete(
            key=scan_key(state.pack_id, state.digest),
            condition="attribute_not_exists(PK) OR attribute_exists(PK)",
        )
        for _ in range(_ATTEMPTS):
            counted = self._counts.without(pack.id, state.digest)
            actions: list[Action] = [end, findings, self._events.put(event), *counted]
            try:
                self._table.transact(actions, token=token_of(actions))
            except TransactionFailed as failure:
                if failure.reasons[0].condition_failed:
                    return
                if not any(reason.condition_failed for reason in failure.reasons[3:]):
                    raise
                # The pack has changed since it was counted.
            else:
                return
        raise ServiceUnavailable

    def request_id(self) -> str:
        """Return the id of the present request, for the event that another process may write."""
        return self._events.request_id()

    def clones(self, image: ImageId) -> int:
        """Return how many clones of an image have been made. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(clones_key(*image))
        return 0 if item is None else int(item["clones"])

    def newest(self, pack_id: str) -> Sequence[ImageEntry]:
        """Return what the newest entries of a history say of images: up to `COMPARED`, and up to 1 MB. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return [_entry(item) for item in self._table.query(_history(pack_id, limit=COMPARED)).items]

    def entries(self, pack_id: str) -> Iterator[ImageEntry]:
        """Yield what all entries of a history say of images, the newest first.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        query = _history(pack_id)
        page = self._table.query(query)
        while True:
            yield from map(_entry, page.items)
            if page.last_key is None:
                return
            page = self._table.query(query, start=page.last_key)

    def gone(self, pack_id: str, digests: Iterable[Digest]) -> frozenset[Digest]:
        """Return those of some images whose content is deleted or is being removed; see `states`."""
        return frozenset(digest for digest, state in self.states(pack_id, digests).items() if state.is_gone)

    def states(self, pack_id: str, digests: Iterable[Digest]) -> dict[Digest, ImageState]:
        """Return the states of some images; those without one are left out. One read for each 100 images.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        items = self._table.get_many([image_key(pack_id, digest) for digest in dict.fromkeys(digests)])
        return {state.digest: state for state in map(state_of, items)}


def _is_decided_by(token: str, item: Item | None) -> bool:
    removal = (item or {}).get("removal", {})
    return bool(removal.get("token") == token and removal.get("decided"))


def _as_read(before: ImageState | None) -> str:
    if before is None:
        return "attribute_not_exists(PK)"
    undecided = f" AND {_UNDECIDED}" if before.removal is not None else " AND attribute_not_exists(removal)"
    return f"{STATUS} = :read_status{undecided}"


def _history(pack_id: str, *, limit: int | None = None) -> Query:
    return Query(
        condition="PK = :pack AND begins_with(SK, :revision)",
        projection="revision, image_digest, manifests, layer_digest, layers",
        values={":pack": pack_partition(pack_id), ":revision": REVISION_PREFIX},
        limit=limit,
        backwards=True,
    )


def _entry(item: dict[str, Any]) -> ImageEntry:
    return ImageEntry(
        revision=int(item["revision"]),
        digest=Digest(item["image_digest"]),
        manifests=tuple(map(Digest, item.get("manifests", ()))),
        layer_digest=digest_attribute(item.get("layer_digest")),
        layers=tuple(Digest(layer["digest"]) for layer in item.get("layers", ())),
    )
