"""What a role is to become: which packs come, stay and go, and where each is pinned. Here nothing is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from packyard.errors import InvalidRequest, PackDeleting, PackNotFound, RevisionNotFound
from packyard.operations.consent import Move
from packyard.operations.read import is_visible
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.role import MAX_CHANGED_PINS, Pin, Role, pin_of
from packyard.store.pack_revisions import PacksRead, RevisionId
from packyard.tenants.caller import Caller


class Wish(NamedTuple):
    """A pack that a role is to have.

    Attributes:
        pack_id: The pack.
        revision: The revision to pin; None to keep the pin, or to pin a new pack at its present revision.
        follow: Whether the pin is to follow the pack; None to leave that as it is.
        alias: What the role is to call the pack.
        states_alias: Whether `alias` counts; else the pack keeps the one that it has.
    """

    pack_id: str
    revision: int | None = None
    follow: bool | None = None
    alias: str | None = None
    states_alias: bool = False


Owners = Callable[[Iterable[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A role's next revision.

    Attributes:
        before: The role as it was read.
        after: Its next revision.
        packs: As for `RoleChange`.
        moves: The pins that move.
        read: What the plan was made of: all packs of the role among others.
        more: As for `RoleState`.
    """

    before: Role
    after: Role
    packs: Mapping[str, Pack]
    moves: tuple[Move, ...]
    read: PacksRead
    more: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether the role has these packs and pins already."""
        return (self.before.pack_ids, self.before.pins) == (self.after.pack_ids, self.after.pins)

    @property
    def newly_pinned(self) -> tuple[Pack, ...]:
        """The packs that come, and those whose pins are set or move, as they are at the revision that is pinned."""
        pins = self.before.pins
        return tuple(
            self.packs[pack_id]
            for pack_id, pin in self.after.pins.items()
            if pack_id not in pins or pins[pack_id].revision != pin.revision
        )


def revisions_of(wishes: Sequence[Wish], before: Role) -> list[RevisionId]:
    """Return the revisions that a plan needs: those to pin, and those of pins that may move.

    Args:
        wishes: The packs that the role is to have.
        before: The role as it was read.
    """
    wanted = []
    for wish in wishes:
        pin = before.pins.get(wish.pack_id)
        if wish.revision is not None and (pin is None or pin.revision != wish.revision):
            wanted.append(RevisionId(wish.pack_id, wish.revision))
        if pin is not None and (wish.revision not in (None, pin.revision) or _begins_to_follow(wish, pin)):
            wanted.append(RevisionId(wish.pack_id, pin.revision))
    return wanted


def planned(  # noqa: PLR0913 - by name: all that a plan is made of
    wishes: Sequence[Wish],
    before: Role,
    read: PacksRead,
    *,
    caller: Caller,
    owners: Owners,
    pins_floating: bool = True,
) -> Plan:
    """Return the role's next revision.

    Args:
        wishes: The packs that the role is to have, in this order.
        before: The role as it was read.
        read: Those packs, those that the role loses, and the revisions of `revisions_of`.
        caller: Whose role it is.
        owners: Returns the slugs of organisations by id.
        pins_floating: Whether packs without a pin get one although no wish says where.

    Raises:
        InvalidRequest, PackNotFound, RevisionNotFound, PackDeleting: As for `RoleSetter.set_packs`.
    """
    new = [wish.pack_id for wish in wishes if wish.pack_id not in before.pack_ids]
    _require_attachable(new, read.now, caller)
    targets = {wish.pack_id: _target(wish, before.pins.get(wish.pack_id), read, caller) for wish in wishes}
    released = [pack_id for pack_id in before.pack_ids if pack_id not in targets]
    set_or_moved = [
        pack_id
        for pack_id, target in targets.items()
        if target is not None
        and (pack_id in new or (pack_id in before.pins and target.revision != before.pins[pack_id].revision))
    ]
    field = "packs" if any(wish.states_alias for wish in wishes) else "pack_ids"
    _require_few(set_or_moved, released, field)
    room = MAX_CHANGED_PINS - len(set_or_moved) - len(released)
    # What was attached before there were pins gets one now, as far as there is room in the transaction.
    floating = [
        wish for wish in wishes if wish.pack_id in before.pack_ids and wish.pack_id not in before.pins
    ]
    left = {wish.pack_id for wish in floating if not pins_floating and wish.revision is None}
    left |= {wish.pack_id for wish in [wish for wish in floating if wish.pack_id not in left][max(room, 0) :]}
    slugs = owners(read.now[pack_id].org_id for pack_id in targets if pack_id not in before.pins)
    pins = {
        wish.pack_id: _pinned(wish, before.pins.get(wish.pack_id), targets[wish.pack_id], slugs)
        for wish in wishes
        if wish.pack_id not in left
    }
    after = before.with_pins(tuple(targets), pins)
    _require_names(after, read.now, field)
    return Plan(
        before=before,
        after=after,
        packs={**{pack_id: read.now[pack_id] for pack_id in released}, **_present(targets)},
        moves=tuple(_moves(before, targets, read)),
        read=read,
    )


def _target(wish: Wish, pin: Pin | None, read: PacksRead, caller: Caller) -> Pack | None:
    """Return the pack at the revision where it is to be pinned; None if its pin stays where it is."""
    pack = read.now[wish.pack_id]
    if pin is not None and wish.revision in (None, pin.revision) and not _begins_to_follow(wish, pin):
        return None
    if wish.revision in (None, pack.revision):
        return pack
    known = RevisionId(wish.pack_id, wish.revision) in read.earlier
    if not known or not pack.shows(wish.revision, org_id=caller.org_id):
        raise RevisionNotFound(wish.pack_id, wish.revision)
    then = read.at(wish.pack_id, wish.revision)
    if then is None:
        raise InvalidRequest(
            {
                "packs": f"revision {wish.revision} of {wish.pack_id} was written before revisions could be pinned; "
                f"pin revision {pack.revision}, or a later one"
            }
        )
    return then


def _begins_to_follow(wish: Wish, pin: Pin) -> bool:
    return wish.follow is True and not pin.follow


def _pinned(wish: Wish, pin: Pin | None, target: Pack | None, slugs: Mapping[str, str]) -> Pin:
    if pin is None:
        # Only a pin can stay where it is.
        present = cast("Pack", target)
        moved = pin_of(present, owner=slugs[present.org_id])
    else:
        moved = pin if target is None else pin.at(target)
    follow = moved.follow if wish.follow is None else wish.follow
    return replace(moved, follow=follow, alias=wish.alias if wish.states_alias else moved.alias)


def _moves(before: Role, targets: Mapping[str, Pack | None], read: PacksRead) -> Iterable[Move]:
    for pack_id, target in targets.items():
        pin = before.pins.get(pack_id)
        if target is not None and pin is not None and target.revision != pin.revision:
            yield Move(read.at(pack_id, pin.revision), target, pin.revision)


def _require_few(set_or_moved: Sequence[str], released: Sequence[str], field: str) -> None:
    # Packs that only go need fewer writes each.
    if set_or_moved and len(set_or_moved) + len(released) > MAX_CHANGED_PINS:
        raise InvalidRequest(
            {
                field: f"would add, move and remove more than {MAX_CHANGED_PINS} pins at once; do it in two requests"
            }
        )


def _require_names(role: Role, packs: Mapping[str, Pack], field: str) -> None:
    """Check that no two packs of a role have one name there."""
    taken: dict[str, str] = {}
    for pack_id in role.pack_ids:
        name = role.pins[pack_id].called if pack_id in role.pins else packs[pack_id].name
        if name in taken:
            raise InvalidRequest(
                {
                    field: f"{taken[name]} and {pack_id} would both be called {name}; give one of them an alias, "
                    f'as in {{"packs": [{{"id": "{pack_id}", "alias": "{name[:58]}-other"}}, …]}}'
                }
            )
        taken[name] = pack_id


def _require_attachable(pack_ids: Sequence[str], packs: Mapping[str, Pack], caller: Caller) -> None:
    """Check that packs are there and active, as they were read."""
    visible = {pack_id for pack_id, pack in packs.items() if _is_there(pack, caller)}
    if missing := [pack_id for pack_id in pack_ids if pack_id not in visible]:
        raise PackNotFound(missing)
    if deleting := [pack_id for pack_id in pack_ids if packs[pack_id].status is PackStatus.DELETING]:
        raise PackDeleting(deleting)


def _is_there(pack: Pack, caller: Caller) -> bool:
    return pack.status is not PackStatus.DELETED and is_visible(pack, caller)


def _present(targets: Mapping[str, Pack | None]) -> dict[str, Pack]:
    return {pack_id: pack for pack_id, pack in targets.items() if pack is not None}
