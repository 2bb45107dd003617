"""Which roles reference a pack, one page at a time."""

from dataclasses import dataclass
from typing import NamedTuple

from packyard.oci.digest import Digest
from packyard.packs.pack import Pack
from packyard.store.cursor import Binding, Position
from packyard.store.keys import pack_key, pack_partition, reference_prefix, revision_key
from packyard.store.pack_items import from_item
from packyard.store.table import Query, Table


class ReferencedPack(NamedTuple):
    """A pack, and how many roles of other organisations than its owner's reference it.

    Attributes:
        pack: The pack; it may be deleted.
        foreign: The number of those roles.
    """

    pack: Pack
    foreign: int


class Reference(NamedTuple):
    """A role that references a pack.

    Attributes:
        role_id: The role.
        revision: The revision at which the role pins the pack; None for a role that was last written before there were
            pins.
        follow: Whether the service moves the pin.
    """

    role_id: str
    revision: int | None
    follow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePage:
    """Some roles of an organisation that reference a pack.

    Attributes:
        references: By the ids of the roles.
        next_position: Where the next page begins; None on the last page.
    """

    references: tuple[Reference, ...]
    next_position: Position | None


def referenced_pack(table: Table, pack_id: str) -> ReferencedPack | None:
    """Return a pack and the number of references to it; None if there is no row. One consistent read.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    row = table.get(pack_key(pack_id))
    # The counter does not exist before the first such reference.
    return None if row is None else ReferencedPack(from_item(row), int(row.get("foreign_refs", 0)))


def list_references(
    table: Table, *, pack_id: str, org_id: str, limit: int, position: Position | None = None
) -> ReferencePage:
    """Return a page of the roles of an organisation that reference a pack. One consistent read.

    Args:
        table: The table.
        pack_id: The pack.
        org_id: The organisation.
        limit: The most roles to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    prefix = reference_prefix(org_id)
    # `~` sorts after every character of a role's id, and `!` before them.
    after = prefix if position is None else f"{prefix}{position}!"
    page = table.query(
        Query(
            condition="PK = :pack AND SK BETWEEN :after AND :end",
            values={":pack": pack_partition(pack_id), ":after": after, ":end": f"{prefix}~"},
            limit=limit + 1,
        )
    )
    seen = page.items[:limit]
    more = len(page.items) > limit or page.last_key is not None
    return ReferencePage(
        references=tuple(
            Reference(
                item["role_id"],
                int(item["revision"]) if "revision" in item else None,
                item.get("follow", False),
            )
            for item in seen
        ),
        next_position=Position(seen[-1]["role_id"]) if more else None,
    )


def digests_at(table: Table, pack_id: str, revisions: set[int]) -> dict[int, Digest]:
    """Return the digests of the images that a pack had at some revisions. One consistent read for each 100 revisions.

    Raises:
        ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
    """
    items = table.get_many([revision_key(pack_id, revision) for revision in sorted(revisions)])
    return {int(item["revision"]): Digest(item["image_digest"]) for item in items}


def binding(*, org_id: str, pack_id: str) -> Binding:
    """Return what a cursor of this list is valid for."""
    return {"listing": "references", "org_id": org_id, "pack_id": pack_id}
