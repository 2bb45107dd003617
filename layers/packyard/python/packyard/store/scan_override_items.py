"""The scan overrides of a pack as an item of the table."""

from collections.abc import Sequence
from dataclasses import dataclass

from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.scanning.override import ScanOverride
from packyard.store.wire import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class PackOverrides:
    """The overrides of a pack.

    Attributes:
        overrides: In the order in which they were made; expired ones may be among them.
        revision: How often they have been changed.
    """

    overrides: Sequence[ScanOverride] = ()
    revision: int = 0


def overrides_of(item: Item | None) -> PackOverrides:
    """Return the overrides of an item; none without one."""
    if item is None:
        return PackOverrides()
    return PackOverrides(
        overrides=tuple(
            ScanOverride(
                rule=each["rule"],
                path=each["path"],
                reason=each["reason"],
                expires_at=parse_timestamp(each["expires_at"]),
                by=each["by"],
                at=parse_timestamp(each["at"]),
            )
            for each in item["overrides"]
        ),
        revision=int(item["revision"]),
    )


def override_attributes(override: ScanOverride) -> Item:
    """Return an override as an attribute of the item."""
    return {
        "rule": override.rule,
        "path": override.path,
        "reason": override.reason,
        "expires_at": format_timestamp(override.expires_at),
        "by": override.by,
        "at": format_timestamp(override.at),
    }
