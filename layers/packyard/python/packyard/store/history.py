"""Revision histories of packs, the newest revision first, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from packyard.oci.digest import Digest
from packyard.packs.manifest.version import Version
from packyard.packs.revision import Revision
from packyard.packs.timestamp import parse_timestamp
from packyard.store.cursor import Binding, Position
from packyard.store.image_state_items import state_of
from packyard.store.keys import REVISION_PREFIX, image_key, pack_partition, revision_key
from packyard.store.pack_items import digest_attribute
from packyard.store.table import Item, Query, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """One page of a revision history.

    Attributes:
        revisions: The newest first.
        next_position: Where the next page begins; None on the last page.
    """

    revisions: tuple[Revision, ...]
    next_position: Position | None


def list_revisions(
    table: Table, *, pack_id: str, limit: int, position: Position | None = None
) -> HistoryPage:
    """Return a page of a pack's revision history, with the states of its images. Two reads.

    Args:
        table: The table.
        pack_id: The pack.
        limit: The most revisions to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    # `~` sorts after every digit, so this comes after every revision key.
    end = f"{REVISION_PREFIX}~" if position is None else revision_key(pack_id, int(position) - 1)["SK"]
    page = table.query(
        Query(
            condition="PK = :pack AND SK BETWEEN :start AND :end",
            values={":pack": pack_partition(pack_id), ":start": REVISION_PREFIX, ":end": end},
            limit=limit + 1,
            backwards=True,
        )
    )
    revisions = with_states(table, pack_id, [revision_of(item) for item in page.items[:limit]])
    more = len(page.items) > limit or page.last_key is not None
    return HistoryPage(
        revisions=revisions,
        next_position=Position(str(revisions[-1].number)) if more else None,
    )


def with_states(table: Table, pack_id: str, revisions: Sequence[Revision]) -> tuple[Revision, ...]:
    """Return revisions of a pack with the states of their images. One consistent read for each 100 images.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    digests = dict.fromkeys(revision.image_digest for revision in revisions)
    items = table.get_many([image_key(pack_id, digest) for digest in digests])
    states = {state.digest: state for state in map(state_of, items)}
    return tuple(replace(revision, state=states.get(revision.image_digest)) for revision in revisions)


def binding(*, org_id: str, pack_id: str) -> Binding:
    """Return what a cursor of this history is valid for."""
    return {"listing": "revisions", "org_id": org_id, "pack_id": pack_id}


def revision_of(item: Item) -> Revision:
    """Return the revision of an entry in a history, without the state of its image."""
    return Revision(
        number=int(item["revision"]),
        operation=item["operation"],
        version=Version(item["version"]),
        image_digest=Digest(item["image_digest"]),
        actor=item["actor"],
        at=parse_timestamp(item["at"]),
        content_digest=digest_attribute(item.get("files_digest")),
    )
