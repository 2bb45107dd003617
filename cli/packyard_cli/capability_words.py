"""What a pack's capabilities allow, in words: what a person reads before a push or a consent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packyard.packs.path_patterns import EVERYTHING


def capability_lines(old: str | None, new: str | None) -> list[str]:
    """Return what differs between two lists of capabilities, by what they allow (API contract, section 7).

    Args:
        old: A caps.yaml fragment as the service writes it; None for none.
        new: Likewise.
    """
    if old == new:
        return []
    difference = capability_difference(old, new)
    shown = {str(rule["name"]) for rule in (*difference["added"], *difference["removed"])}
    before, after = _by_name(old), _by_name(new)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [
        *difference_lines(difference),
        *(
            f"~ capability {name}: other text, the same requests are allowed"
            for name in names
            if name not in shown
        ),
    ]


def capability_difference(old: str | None, new: str | None) -> dict[str, Any]:
    """Return how two lists of capabilities differ, as `{widened, added, removed, example?}`.

    Args:
        old: As for `capability_lines`.
        new: Likewise.
    """
    from packyard.packs.capabilities import compare  # noqa: PLC0415 - only where there are capabilities

    return compare(old, new).shown()


def difference_lines(difference: Mapping[str, Any]) -> Iterator[str]:
    """Yield a difference as lines for people.

    Args:
        difference: As `capability_difference` returns it, or as the service answers it.
    """
    for sign, name in (("+", "added"), ("-", "removed")):
        rules: Sequence[Any] = difference.get(name) or ()
        for rule in rules:
            yield f"{sign} capability {rule_text(rule)}"
        more = int(difference.get(f"{name}_in_all", 0)) - len(rules)
        if more > 0:
            yield f"{sign} {more} more"


def rule_text(rule: Mapping[str, Any]) -> str:
    """Return one rule in words, such as `slack-api: GET, POST to slack.com, paths /api/*`."""
    if not rule.get("domains"):
        return f"{rule['name']}: no rules, so the runtime decides what its type {rule['type']} allows"
    paths = rule.get("paths") or [EVERYTHING]
    where = "every path" if EVERYTHING in paths else f"paths {', '.join(paths)}"
    methods = "every method" if "*" in rule["methods"] else ", ".join(rule["methods"])
    return f"{rule['name']}: {methods} to {', '.join(rule['domains'])}, {where}"


def _by_name(fragment: str | None) -> Mapping[str, Any]:
    if not fragment:
        return {}
    import yaml  # noqa: PLC0415 - only where there are capabilities

    entries: Sequence[Any] = yaml.load(fragment, Loader=yaml.CSafeLoader) or []
    return {str(entry.get("name")): entry for entry in entries if isinstance(entry, dict)}
