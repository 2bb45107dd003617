"""The refusal of a request for the names in it: of a query, of a body's fields, of a form's parts.

A client may send many names, and long ones. A refusal repeats the first twenty, and of each 64 characters.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from packyard.errors import InvalidRequest

_NAMES: Final = 20
_CHARACTERS: Final = 64


def first_names(names: Iterable[str]) -> list[str]:
    """Return those names that a refusal can repeat; looking for what was meant by the others would take time."""
    return sorted(names)[:_NAMES]


def refusal_of_names(faults: Mapping[str, str], *, unnamed: str) -> InvalidRequest:
    """Return the refusal of the first twenty.

    Args:
        faults: What is wrong, by the name as it was given; the first is what the message repeats.
        unnamed: What to call the empty name.
    """
    shown = islice(faults.items(), _NAMES)
    return InvalidRequest({name[:_CHARACTERS] or unnamed: reason for name, reason in shown})
