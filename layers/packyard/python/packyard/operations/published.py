"""The outcome of a write of a pack."""

from dataclasses import dataclass

from packyard.packs.pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a request has made of a pack.

    Attributes:
        pack: The pack as it is now.
        changed: False when the pack was like this already, and nothing was written.
    """

    pack: Pack
    changed: bool
