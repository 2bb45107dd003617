"""Suggesting the right name after a typing mistake (API contract, section 1, "A refusal says what to do")."""

import re
from collections.abc import Collection
from typing import Final

_LONGEST: Final = 64
# The place before a capital in a camel-case name.
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def closest(word: str, known: Collection[str]) -> str | None:
    """Return the known name that `word` was probably meant to be, or None if none is similar.

    For `display_name`, similar words are `displayName`, `display-name`, `DISPLAY NAME`, a beginning of the name, and a
    misspelling.
    """
    return _spelled_otherwise(word, known) or _misspelled(word, known)


def _spelled_otherwise(word: str, known: Collection[str]) -> str | None:
    plain = {_plain(name): name for name in known}
    wanted = _plain(word[: _LONGEST + 1])
    if wanted in plain:
        return plain[wanted]
    completions = [name for spelling, name in plain.items() if wanted and spelling.startswith(wanted)]
    return completions[0] if len(completions) == 1 else None


def _misspelled(word: str, known: Collection[str]) -> str | None:
    if len(word) > _LONGEST:
        return None
    plain = {_plain(name): name for name in known}
    # Imported here because only refusals need it.
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(_plain(word), plain, n=1)
    return plain[near[0]] if near else None


def unknown_name(name: str, known: Collection[str], *, kind: str, place: str | None = None) -> str:
    """Return the reason for refusing an unknown name. It proposes a similar known name or, without one, lists them all.

    Args:
        name: The unknown name.
        known: The known names.
        kind: What the name is not, such as `a field of this request`.
        place: Advice for a known mistake, such as where the value belongs. It replaces the list, and the search for
            misspellings.
    """
    near = _spelled_otherwise(name, known) if place else closest(name, known)
    hint = f"did you mean {near}?" if near else place or f"known are {', '.join(sorted(known))}"
    return f"is not {kind}; {hint}"


def not_one_of(value: str, known: Collection[str]) -> str:
    """Return the reason for refusing a value outside of a small set. It lists the set, and proposes a similar value."""
    near = closest(value, known)
    return f"must be one of: {', '.join(known)}{f'; did you mean {near}?' if near else ''}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", name).lower()).strip("_")
