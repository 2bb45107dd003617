"""The outcome of a write of a pack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from packyard.packs.pack import Pack
from packyard.store.actions import Action

# Returns what else to write in the transaction that writes a pack, of which there are these warnings.
Alongside = Callable[[Pack, Sequence[str]], Sequence[Action]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a request has made of a pack.

    Attributes:
        pack: The pack as it is now.
        changed: False when the pack was like this already, and nothing was written.
        warnings: What breaks the specification of Agent Skills in what was sent, each with the field first.
    """

    pack: Pack
    changed: bool
    warnings: Sequence[str] = ()


def nothing(_pack: Pack, _warnings: Sequence[str]) -> Sequence[Action]:
    """Return no other write: for changes that nothing is written alongside of."""
    return ()
