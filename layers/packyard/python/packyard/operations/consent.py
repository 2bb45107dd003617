"""Consent: a pin moves to a revision that may do more only if somebody accepts that revision (contract, section 8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packyard.errors import CapabilitiesWidened, InvalidRequest
from packyard.packs.capabilities import Difference, compare
from packyard.packs.pack import Pack


@dataclass(frozen=True, slots=True)
class Move:
    """A pin that moves from one revision to another.

    Attributes:
        before: The pack at the revision of the pin; None if it is not known how it was then. Then everything that the
            pack may do now needs consent.
        after: The pack at the revision that the pin moves to.
        from_revision: The revision of the pin.
    """

    before: Pack | None
    after: Pack
    from_revision: int

    @property
    def difference(self) -> Difference:
        """How what the pack may do differs."""
        return compare(None if self.before is None else self.before.capabilities, self.after.capabilities)


def accepted_moves(
    moves: Iterable[Move], accepts: Mapping[str, int], *, held: Iterable[str]
) -> dict[str, int]:
    """Check that every move to wider capabilities is accepted. Return those that are, as pack and revision.

    Args:
        moves: The pins that are to move.
        accepts: By pack, the revision that the client accepts.
        held: The packs of the role.

    Raises:
        InvalidRequest: On `accept_capabilities`: it names a pack that the role does not have.
        CapabilitiesWidened: A move is to a wider revision that is not accepted, or another revision is accepted than
            that to which the pin would move.
    """
    if unknown := sorted(set(accepts) - set(held)):
        raise InvalidRequest({"accept_capabilities": f"names {unknown[0]}, which the role does not have"})
    refused: dict[str, Any] = {}
    accepted = {}
    for move in moves:
        pack_id, revision = move.after.id, move.after.revision
        difference = move.difference
        agreed = accepts.get(pack_id)
        if (agreed is not None and agreed != revision) or (difference.widened and agreed is None):
            refused[pack_id] = {"from": move.from_revision, "to": revision, **difference.shown()}
        elif difference.widened:
            accepted[pack_id] = revision
    if refused:
        raise CapabilitiesWidened(refused)
    return accepted
