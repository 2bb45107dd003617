"""Several packs at once: as they are, and as they were at earlier revisions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from packyard.packs.image_state import ImageId, ImageState
from packyard.packs.pack import Pack
from packyard.packs.revision import Revision
from packyard.store.history import revision_of
from packyard.store.image_state_items import state_of
from packyard.store.keys import IMAGE_PREFIX, PACK_ROW, REVISION_PREFIX, image_key, pack_key, revision_key
from packyard.store.pack_items import from_item, pack_as_of
from packyard.store.table import Table


class RevisionId(NamedTuple):
    """A revision of a pack."""

    pack_id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PacksRead:
    """Packs as they were read.

    Attributes:
        now: The present state of each pack that has a row, by id; deleted ones included.
        earlier: The revisions that exist, of those that were asked for. None for one whose entry in the history was
            written before entries had the whole pack.
        states: The states of images, of those that were asked for. An image without one is in use.
    """

    now: Mapping[str, Pack]
    earlier: Mapping[RevisionId, Pack | None]
    states: Mapping[ImageId, ImageState] = field(default_factory=dict)

    def at(self, pack_id: str, revision: int) -> Pack | None:
        """Return a pack at a revision, if it is known how it was then."""
        pack = self.now.get(pack_id)
        if pack is not None and pack.revision == revision:
            return pack
        return self.earlier.get(RevisionId(pack_id, revision))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRead:
    """A pack, and one of its revisions.

    Attributes:
        now: The present state of the pack; it may be deleted.
        entry: The revision's entry in the history; None if there is no such revision.
        then: The pack at the revision. None if there is no such revision, or if its entry was written before entries
            had the whole pack.
    """

    now: Pack
    entry: Revision | None
    then: Pack | None


class PackRevisions:
    """The packs of all organisations, with their histories.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def read(
        self,
        pack_ids: Collection[str],
        revisions: Collection[RevisionId] = (),
        images: Collection[ImageId] = (),
    ) -> PacksRead:
        """Return packs as they are, and some of them at earlier revisions. One consistent read for each 100 items.

        Args:
            pack_ids: The packs, each once.
            revisions: Revisions of these packs.
            images: Images whose states are wanted.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
        """
        keys = [pack_key(pack_id) for pack_id in pack_ids]
        keys += [revision_key(*wanted) for wanted in dict.fromkeys(revisions)]
        keys += [image_key(*image) for image in dict.fromkeys(images)]
        items = {(item["PK"], item["SK"]): item for item in self._table.get_many(keys)}
        rows = {item["id"]: item for (_, kind), item in items.items() if kind == PACK_ROW}
        states = [state_of(item) for (_, kind), item in items.items() if kind.startswith(IMAGE_PREFIX)]
        earlier = {}
        for wanted in revisions:
            key = revision_key(*wanted)
            entry, row = items.get((key["PK"], key["SK"])), rows.get(wanted.pack_id)
            if entry is not None and row is not None:
                earlier[wanted] = pack_as_of(row, entry)
        return PacksRead(
            now={pack_id: from_item(row) for pack_id, row in rows.items()},
            earlier=earlier,
            states={ImageId(state.pack_id, state.digest): state for state in states},
        )

    def read_one(self, pack_id: str, revision: int) -> RevisionRead | None:
        """Return a pack and one of its revisions; None if there is no such pack. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return both items.
        """
        items = self._table.get_many([pack_key(pack_id), revision_key(pack_id, revision)])
        row = next((item for item in items if not item["SK"].startswith(REVISION_PREFIX)), None)
        entry = next((item for item in items if item["SK"].startswith(REVISION_PREFIX)), None)
        if row is None:
            return None
        return RevisionRead(
            now=from_item(row),
            entry=None if entry is None else revision_of(entry),
            then=None if entry is None else pack_as_of(row, entry),
        )
