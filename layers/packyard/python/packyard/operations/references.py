"""Which roles reference a pack: those of the caller's organisation, and how many others there are (contract, 7).

Whoever sees a pack may ask. Which roles of others reference it is told to nobody, and how many there are only to the
pack's owner, who learns it anyway when a deletion is refused (decision 106).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from packyard.errors import PackNotFound
from packyard.oci.digest import Digest
from packyard.operations.read import is_visible, no_such_pack
from packyard.packs.pack import Pack, PackStatus, is_pack_id
from packyard.store.cursor import Position
from packyard.store.references import Reference, digests_at, list_references, referenced_pack
from packyard.store.table import Table
from packyard.tenants.caller import Caller


class ListedReference(NamedTuple):
    """A role that references a pack.

    Attributes:
        role_id: The role.
        revision: The revision at which it pins the pack.
        follow: Whether the service moves the pin.
        stale: Whether the pack's present image is another than the pin's.
    """

    role_id: str
    revision: int
    follow: bool
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The roles that reference a pack.

    Attributes:
        roles: Those of the caller's organisation, by their ids; one page.
        others: How many roles of other organisations reference the pack; None for a caller who does not own it.
        next_position: Where the next page begins; None on the last page.
    """

    roles: tuple[ListedReference, ...]
    others: int | None
    next_position: Position | None


def references_of(
    table: Table, pack_id: str, *, caller: Caller, limit: int, position: Position | None
) -> References:
    """Return the roles that reference a pack. Two reads, and a third one if a role pins an earlier revision.

    Args:
        table: The table.
        pack_id: The pack, as the client names it.
        caller: Who asks.
        limit: The most roles to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        ServiceUnavailable: DynamoDB did not answer.
    """
    found = referenced_pack(table, pack_id) if is_pack_id(pack_id) else None
    if found is None or found.pack.status is PackStatus.DELETED or not is_visible(found.pack, caller):
        raise no_such_pack(pack_id) if not is_pack_id(pack_id) else PackNotFound()
    pack = found.pack
    page = list_references(table, pack_id=pack.id, org_id=caller.org_id, limit=limit, position=position)
    pinned = {each.revision for each in page.references if each.revision is not None}
    earlier = pinned - {pack.revision}
    digests = digests_at(table, pack.id, earlier) if earlier else {}
    return References(
        roles=tuple(_listed(each, pack, digests) for each in page.references),
        others=found.foreign if pack.org_id == caller.org_id else None,
        next_position=page.next_position,
    )


def _listed(reference: Reference, pack: Pack, digests: Mapping[int, Digest]) -> ListedReference:
    if reference.revision is None:
        # Such a role has the present revision, whatever that is, until it is written again (decision 84).
        return ListedReference(reference.role_id, pack.revision, follow=True, stale=False)
    pinned = digests.get(reference.revision, pack.image_digest)
    return ListedReference(
        reference.role_id, reference.revision, reference.follow, stale=pinned != pack.image_digest
    )
