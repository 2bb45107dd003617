"""Counting what is stored for a pack anew, from its history: for packs of before the counting, and after deletions.

A deleted image is counted no more from the transaction on that says that it is gone. Its config goes in any case, so
what the row counts changes, and of two corrections at once the second one counts again.

A publish counts what its image has and the image before did not have. Going back to earlier content by a new archive
counts that content again, although the registry stores it once. Here each layer and each config counts once. The
result is written on condition that the pack has not changed meanwhile, so writers need not stop (decision 112).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageStatus
from packyard.packs.pack import Pack, PackStatus, Visibility
from packyard.store.image_state_items import STATUS
from packyard.store.keys import (
    IMAGE_PREFIX,
    REVISION_PREFIX,
    owned_partition,
    pack_key,
    pack_partition,
)
from packyard.store.pack_items import from_item
from packyard.store.table import Action, Item, Query, Table, TransactionFailed, Update, token_of
from packyard.store.usage import of_correction

# Each further attempt means that the pack has changed since the one before.
_ATTEMPTS: Final = 5


class KeepsChanging(Exception):
    """The pack changed during each attempt to count it; nothing was written.

    Args:
        pack_id: The pack.
    """

    def __init__(self, pack_id: str) -> None:
        super().__init__(f"{pack_id} keeps changing.")
        self.pack_id = pack_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What is stored for one pack.

    Attributes:
        before: The bytes that were counted before; None if the pack was not counted.
        stored_bytes: The bytes that are counted now.
    """

    before: int | None
    stored_bytes: int


class PackCounts:
    """Counts packs anew.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def pack_ids(self, org_id: str) -> Iterator[str]:
        """Yield the ids of an organisation's packs. The index is eventually consistent, usually within a second.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        for visibility in Visibility:
            listed = Query(
                index="GSI1",
                condition="GSI1PK = :partition",
                projection="id",
                values={":partition": owned_partition(org_id, visibility.value)},
            )
            yield from (item["id"] for item in self._all(listed))

    def recount(self, pack_id: str) -> Count | None:
        """Count what is stored for a pack, and correct what is counted. One read of its history and one transaction.

        Args:
            pack_id: The pack.

        Returns:
            What was and is counted; None if the pack is deleted or is being deleted.

        Raises:
            KeepsChanging: The pack changed during each of five attempts.
            ServiceUnavailable: DynamoDB did not answer; the count may have been corrected.
        """
        for _ in range(_ATTEMPTS):
            row = self._table.get(pack_key(pack_id))
            if row is None or row["status"] != PackStatus.ACTIVE:
                return None
            pack = from_item(row)
            stored = self._stored_bytes(pack, frozenset())
            if stored == pack.stored_bytes:
                return Count(before=stored, stored_bytes=stored)
            actions = _correction(pack, stored)
            try:
                self._table.transact(actions, token=token_of(actions))
            except TransactionFailed as failure:
                if not failure.reasons[0].condition_failed:
                    raise
            else:
                return Count(before=pack.stored_bytes, stored_bytes=stored)
        raise KeepsChanging(pack_id)

    def without(self, pack_id: str, digest: Digest) -> Sequence[Action]:
        """Return the actions that count an image no more, for the transaction that says that it is gone.

        The first one has the condition that the pack has not changed since it was read here. Three reads, and one more
        for each further 1 MB of the pack's history.

        Args:
            pack_id: The pack.
            digest: The image's. It is not the pack's current one.

        Returns:
            The actions; none if the pack is not counted, or is being deleted, which gives back all that is counted.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        row = self._table.get(pack_key(pack_id))
        if row is None or row["status"] != PackStatus.ACTIVE:
            return ()
        pack = from_item(row)
        return () if pack.stored_bytes is None else _correction(pack, self._stored_bytes(pack, {digest}))

    def _stored_bytes(self, pack: Pack, without: Collection[Digest]) -> int:
        if not pack.is_stored_here:
            return 0
        deleted = {
            item["SK"].removeprefix(IMAGE_PREFIX)
            for item in self._of_pack(pack, IMAGE_PREFIX, f"SK, {STATUS}")
            if item[STATUS] == ImageStatus.DELETED
        }
        gone = deleted.union(without)
        entries = self._of_pack(pack, REVISION_PREFIX, "image_digest, layers, size_bytes")
        return _stored_bytes(entry for entry in entries if entry["image_digest"] not in gone)

    def _of_pack(self, pack: Pack, prefix: str, projection: str) -> Iterator[Item]:
        return self._all(
            Query(
                condition="PK = :pack AND begins_with(SK, :prefix)",
                projection=projection,
                values={":pack": pack_partition(pack.id), ":prefix": prefix},
            )
        )

    def _all(self, query: Query) -> Iterator[Item]:
        page = self._table.query(query)
        yield from page.items
        while page.last_key is not None:
            page = self._table.query(query, start=page.last_key)
            yield from page.items


def _stored_bytes(entries: Iterator[Item]) -> int:
    """Return the bytes of the layers and configs of some revisions' images, each once."""
    layers: dict[str, int] = {}
    configs: dict[str, int] = {}
    for entry in entries:
        own = {layer["digest"]: int(layer["size"]) for layer in entry.get("layers", ())}
        layers |= own
        # A revision from before layers were kept counts as one piece.
        rest = int(entry.get("size_bytes", 0)) - sum(own.values())
        configs[entry["image_digest"]] = max(0, min(rest, configs.get(entry["image_digest"], rest)))
    return sum(layers.values()) + sum(configs.values())


def _correction(pack: Pack, stored: int) -> list[Action]:
    counted = "attribute_not_exists(stored_bytes)" if pack.stored_bytes is None else "stored_bytes = :before"
    values: dict[str, Any] = {
        ":stored": stored,
        ":revision": pack.revision,
        ":active": PackStatus.ACTIVE.value,
    }
    if pack.stored_bytes is not None:
        values[":before"] = pack.stored_bytes
    row = Update(
        key=pack_key(pack.id),
        change="SET stored_bytes = :stored",
        condition=f"#status = :active AND revision = :revision AND {counted}",
        values=values,
        names={"#status": "status"},
    )
    added = stored - (pack.stored_bytes or 0)
    return [row, of_correction(pack.org_id, packs=int(pack.stored_bytes is None), bytes_=added)]
