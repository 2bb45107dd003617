"""Refusals of names in a request: of a query's parameters, a body's fields, a form's parts.

A client may send many and long names. A refusal repeats the first twenty, and 64 characters of each.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from packyard.errors import InvalidRequest

_NAMES: Final = 20
_CHARACTERS: Final = 64


def first_names(names: Iterable[str]) -> list[str]:
    """Return the names that a refusal can repeat. Looking for a suggestion for all the others would take time."""
    return sorted(names)[:_NAMES]


def refusal_of_names(faults: Mapping[str, str], *, unnamed: str) -> InvalidRequest:
    """Return the refusal of the first twenty names.

    Args:
        faults: What is wrong, by name. The message repeats the first.
        unnamed: The name to show for an empty name.
    """
    shown = islice(faults.items(), _NAMES)
    return InvalidRequest({name[:_CHARACTERS] or unnamed: reason for name, reason in shown})
