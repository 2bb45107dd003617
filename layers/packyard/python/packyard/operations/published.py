"""The outcome of a write of a pack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from packyard.packs.pack import Pack
from packyard.store.actions import Action

# Returns what else to write in the transaction that writes a pack.
Alongside = Callable[[Pack], Sequence[Action]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a request has made of a pack.

    Attributes:
        pack: The pack as it is now.
        changed: False when the pack was like this already, and nothing was written.
    """

    pack: Pack
    changed: bool


def nothing(_pack: Pack) -> Sequence[Action]:
    """Return no other write: for changes that nothing is written alongside of."""
    return ()
