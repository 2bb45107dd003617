"""Who may see a pack, as clients state it in forms and in JSON."""

from packyard.packs.pack import Visibility


def parse_visibility(value: object, faults: dict[str, str]) -> Visibility:
    """Return the visibility that `value` names, adding to `faults` under `visibility` when it names none."""
    try:
        return Visibility(value)
    except ValueError:
        faults["visibility"] = f"must be one of: {', '.join(Visibility)}"
        return Visibility.ORG
