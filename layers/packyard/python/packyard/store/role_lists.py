"""The roles of an organisation, and the history of one of them, one page at a time."""

from dataclasses import dataclass

from packyard.oci.digest import Digest
from packyard.packs.manifest.version import Version
from packyard.packs.role import Role
from packyard.packs.role_revision import PinnedThen, RoleRevision
from packyard.packs.timestamp import parse_timestamp
from packyard.store.cursor import Binding, Position
from packyard.store.keys import REVISION_PREFIX, role_key, role_partition, role_revision_key
from packyard.store.role_items import DELETED, role_of
from packyard.store.table import Item, Query, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRoles:
    """Some roles of an organisation.

    Attributes:
        roles: By their ids. There may be few or none, although more follow: deleted ones are left out.
        next_position: Where to go on; None at the end.
    """

    roles: tuple[Role, ...]
    next_position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHistoryPage:
    """One page of a role's history.

    Attributes:
        revisions: The newest first.
        next_position: Where the next page begins; None on the last page.
    """

    revisions: tuple[RoleRevision, ...]
    next_position: Position | None


def list_roles(table: Table, *, org_id: str, limit: int, position: Position | None = None) -> StoredRoles:
    """Return roles of an organisation, in the order of their ids. One read.

    Args:
        table: The table.
        org_id: The organisation.
        limit: The most roles to return, 1 to 100.
        position: The `next_position` of those before; None for the first.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    prefix = role_key(org_id, "")
    # `~` sorts after every character of a role's id, and `!` before them.
    after = prefix["SK"] if position is None else f"{prefix['SK']}{position}!"
    page = table.query(
        Query(
            condition="PK = :org AND SK BETWEEN :after AND :end",
            values={":org": prefix["PK"], ":after": after, ":end": f"{prefix['SK']}~"},
            limit=limit + 1,
        )
    )
    seen = page.items[:limit]
    more = len(page.items) > limit or page.last_key is not None
    return StoredRoles(
        roles=tuple(role_of(item) for item in seen if DELETED not in item),
        next_position=Position(seen[-1]["role_id"]) if more else None,
    )


def list_role_revisions(
    table: Table, *, org_id: str, role_id: str, limit: int, position: Position | None = None
) -> RoleHistoryPage:
    """Return a page of a role's history. One read.

    Args:
        table: The table.
        org_id: The organisation whose role it is.
        role_id: The role.
        limit: The most revisions to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    end = f"{REVISION_PREFIX}~"
    if position is not None:
        end = role_revision_key(org_id, role_id, int(position) - 1)["SK"]
    page = table.query(
        Query(
            condition="PK = :role AND SK BETWEEN :start AND :end",
            values={":role": role_partition(org_id, role_id), ":start": REVISION_PREFIX, ":end": end},
            limit=limit + 1,
            backwards=True,
        )
    )
    revisions = tuple(_revision(item) for item in page.items[:limit])
    more = len(page.items) > limit or page.last_key is not None
    return RoleHistoryPage(
        revisions=revisions, next_position=Position(str(revisions[-1].number)) if more else None
    )


def roles_binding(*, org_id: str) -> Binding:
    """Return what a cursor of a list of roles is valid for."""
    return {"listing": "roles", "org_id": org_id}


def history_binding(*, org_id: str, role_id: str) -> Binding:
    """Return what a cursor of a role's history is valid for."""
    return {"listing": "role revisions", "org_id": org_id, "role_id": role_id}


def _revision(item: Item) -> RoleRevision:
    return RoleRevision(
        number=int(item["revision"]),
        # Entries from before there were other operations do not say which.
        operation=item.get("operation", "set"),
        pack_ids=tuple(item["pack_ids"]),
        pins=tuple(
            PinnedThen(
                id=pin["id"],
                revision=int(pin["revision"]),
                version=Version(pin["version"]),
                image_digest=Digest(pin["image_digest"]),
                follow=pin.get("follow", False),
                alias=pin.get("alias"),
            )
            for pin in item.get("pins", ())
        ),
        accepted={pack_id: int(revision) for pack_id, revision in item.get("accepted", {}).items()},
        actor=item["actor"],
        at=parse_timestamp(item["at"]),
    )
