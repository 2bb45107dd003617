"""What a refusal can propose to who has mistyped a name (API contract, section 1, "A refusal says what to do")."""

import re
from collections.abc import Collection
from typing import Final

_LONGEST: Final = 64
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def closest(word: str, known: Collection[str]) -> str | None:
    """Return the known name that `word` was probably meant to be, or None when none is near.

    `displayName`, `display-name` and `DISPLAY NAME` are near `display_name`, and so are a beginning of it and a
    misspelling.
    """
    return _spelled_otherwise(word, known) or _misspelled(word, known)


def _spelled_otherwise(word: str, known: Collection[str]) -> str | None:
    plain = {_plain(name): name for name in known}
    wanted = _plain(word[: _LONGEST + 1])
    if wanted in plain:
        return plain[wanted]
    begun = [name for spelling, name in plain.items() if wanted and spelling.startswith(wanted)]
    return begun[0] if len(begun) == 1 else None


def _misspelled(word: str, known: Collection[str]) -> str | None:
    if len(word) > _LONGEST:
        return None
    plain = {_plain(name): name for name in known}
    # Only refusals need it, so that other requests do not load it.
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(_plain(word), plain, n=1)
    return plain[near[0]] if near else None


def unknown_name(name: str, known: Collection[str], *, kind: str, place: str | None = None) -> str:
    """Return what a refusal says of a name that is not known: the one that was meant if any is near, else all of them.

    Args:
        name: As given.
        known: The names that would have been taken.
        kind: What it is not: `a field of this request`.
        place: Where it belongs, for one that is no misspelling.
    """
    near = _spelled_otherwise(name, known) if place else closest(name, known)
    hint = f"did you mean {near}?" if near else place or f"known are {', '.join(sorted(known))}"
    return f"is not {kind}; {hint}"


def not_one_of(value: str, known: Collection[str]) -> str:
    """Return what a refusal says of a value that is none of a few: all of them, and the one that was meant if any."""
    near = closest(value, known)
    return f"must be one of: {', '.join(known)}{f'; did you mean {near}?' if near else ''}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", name).lower()).strip("_")
