"""The names of packs where a door has no owners: each stands for one pack, and says which (API contract, section 12).

A pack of the feed's own organisation is called by its name, one of another is called
`x<length of the owner>-<owner>-<name>`. An own pack whose name begins like that has the long form too.
"""

import re
from typing import Final

from packyard.packs.manifest.name import SLUG

# The longest name that the discovery index, Claude Code and the Agent Skills specification all take.
MAX_CHARACTERS: Final = 64

_LONG: Final = re.compile(r"x([1-9][0-9]{0,2})-(.+)")
_LOOKS_LONG: Final = re.compile(r"x[0-9]+-")


class NoFlatName(ValueError):
    """A pack has no name in a door without owners. The text says why."""


def flat_name(owner: str, name: str, *, own: str) -> str:
    """Return what a pack is called where there are no owners.

    Args:
        owner: The slug of the organisation that owns the pack.
        name: The pack's name.
        own: The slug of the organisation whose feed or role it is.

    Raises:
        NoFlatName: It would be too long, or the owner has no slug.
    """
    if owner == own and not _LOOKS_LONG.match(name):
        return name
    if not SLUG.fullmatch(owner):
        raise NoFlatName("its owner has no name that could be part of one")
    long = f"x{len(owner)}-{owner}-{name}"
    if len(long) > MAX_CHARACTERS:
        raise NoFlatName(
            f"its name with its owner's would be {long}, which is over {MAX_CHARACTERS} characters; "
            "clone it under a shorter name, and serve the clone"
        )
    return long


def pack_of(flat: str, *, own: str) -> tuple[str, str] | None:
    """Return the owner and the name of the pack that `flat_name` has called this; None if it calls none this.

    Args:
        flat: The flat name, which may be anything.
        own: As for `flat_name`.
    """
    if len(flat) > MAX_CHARACTERS:
        return None
    if not _LOOKS_LONG.match(flat):
        return (own, flat) if SLUG.fullmatch(flat) else None
    match = _LONG.fullmatch(flat)
    if match is None:
        return None
    length, rest = int(match[1]), match[2]
    owner, dash, name = rest[:length], rest[length : length + 1], rest[length + 1 :]
    if dash != "-" or not SLUG.fullmatch(owner) or not SLUG.fullmatch(name):
        return None
    return (owner, name) if owner != own or _LOOKS_LONG.match(name) else None
