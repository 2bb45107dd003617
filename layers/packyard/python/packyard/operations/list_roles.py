"""Listing an organisation's roles, each with whether one of its pins is stale."""

from dataclasses import dataclass
from typing import NamedTuple

from packyard.packs.role import Role
from packyard.store.cursor import Position
from packyard.store.pack_revisions import PackRevisions
from packyard.store.role_lists import list_roles
from packyard.store.table import Table
from packyard.tenants.caller import Caller

# A page ends when its roles have this many packs. They are read in three requests at most.
_MAX_PACKS = 300


class ListedRole(NamedTuple):
    """A role in a list.

    Attributes:
        role: The role.
        stale: Whether the present image of one of its packs is another than the pin's.
    """

    role: Role
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePage:
    """One page of a list of roles.

    Attributes:
        roles: By their ids. There may be few or none, although more pages follow.
        next_position: Where the next page begins; None on the last page.
    """

    roles: tuple[ListedRole, ...]
    next_position: Position | None


def roles_page(
    table: Table, *, caller: Caller, limit: int, position: Position | None, packs: PackRevisions
) -> RolePage:
    """Return a page of the caller's roles. Two to four reads, however many roles and packs there are.

    Args:
        table: The table.
        caller: Whose roles they are.
        limit: The most roles to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.
        packs: Where packs are.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    stored = list_roles(table, org_id=caller.org_id, limit=limit, position=position)
    roles: list[Role] = []
    wanted: dict[str, None] = {}
    next_position = stored.next_position
    for role in stored.roles:
        with_these = {**wanted, **dict.fromkeys(role.pack_ids)}
        if roles and len(with_these) > _MAX_PACKS:
            next_position = Position(roles[-1].role_id)
            break
        roles.append(role)
        wanted = with_these
    now = packs.read(wanted).now if wanted else {}
    listed = (
        ListedRole(
            role,
            any(now[pin.pack_id].image_digest != pin.image_digest for pin in role.pins.values()),
        )
        for role in roles
    )
    return RolePage(roles=tuple(listed), next_position=next_position)
