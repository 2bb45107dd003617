"""The visibility of a pack, in forms and in JSON bodies."""

from collections.abc import Mapping
from typing import Any, Final

from packyard.http.fields import Field
from packyard.packs.pack import Visibility

VISIBILITY: Final = Field(name="visibility", values=Visibility, default=Visibility.ORG)


def stated_visibility(given: Mapping[str, Any], faults: dict[str, str]) -> Visibility:
    """Return the visibility that a body's fields state; `org` by default. Add to `faults` when it is unknown."""
    return parse_visibility(given.get(VISIBILITY.name, VISIBILITY.default), faults)


def parse_visibility(value: Any, faults: dict[str, str]) -> Visibility:
    """Return the visibility that `value` names. When it names none, add to `faults` under `visibility`."""
    try:
        return Visibility(value)
    except ValueError:
        faults[VISIBILITY.name] = (
            f"must be {Visibility.ORG} (only your organisation sees the pack) or {Visibility.COMMUNITY} (all do)"
        )
        return Visibility.ORG
