"""What capabilities allow, and whether one list of them allows more than another (API contract, sections 7 and 8).

The comparison is about requests, not about text: names, order, comments and how rules are split do not matter. A list
is wider than another if it allows at least one request that the other does not.

- A host `*.slack.com` stands for all hosts below `slack.com`, at any depth, and not for `slack.com` itself. Hosts have
  no case (RFC 9110, section 4.2.3).
- Methods have case (RFC 9110, section 9.1). A method `*` counts as every method, since runtimes may read it so.
- Paths are patterns (`packs.path_patterns`). A rule without paths allows every path.
- An entry without rules allows what its type and name stand for. What that is, only the agents' runtime knows, so a new
  one counts as wider.
- `transforms` and `budgets` say how a request is made, not which one, and do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from packyard.packs.path_patterns import EVERYTHING, Budget, TooComplex, uncovered_path

# About 0.3 seconds, and far more than the rules of real packs need. A comparison that needs more counts as wider, so
# that a person decides.
_MAX_STEPS: Final = 500_000
# Of one pack's rules that come or go. An answer may be about 30 packs.
_SHOWN_CHARACTERS: Final = 32 << 10
_ANY_METHOD: Final = "*"
_WILDCARD: Final = "*."
_SCHEME: Final = "https://"


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests that one entry allows.

    Attributes:
        name: The entry's name.
        type: The entry's type, such as `http`.
        domains: Hosts, in lower case. Empty if the entry has no rules: then it allows what type and name stand for.
        methods: The methods.
        paths: The patterns of paths.
    """

    name: str
    type: str
    domains: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """How two lists of capabilities differ.

    Attributes:
        added: Rules of the new list that allow something which the old list does not.
        removed: Rules of the old list that allow something which the new list does not.
        example: A request that only the new list allows, such as `GET https://slack.com/api`; None if there is none, or
            none was found in time.
    """

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    example: str | None

    @property
    def widened(self) -> bool:
        """Whether the new list allows a request that the old one does not."""
        return bool(self.added)

    def shown(self) -> dict[str, Any]:
        """Return the difference for an answer: of many rules or long ones the first, with how many there are."""
        shown: dict[str, Any] = {"widened": self.widened}
        for name, rules in (("added", self.added), ("removed", self.removed)):
            shown[name] = _first_shown(rules)
            if len(shown[name]) < len(rules):
                shown[f"{name}_in_all"] = len(rules)
        return shown | ({"example": self.example} if self.example else {})


def _first_shown(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    shown, room = [], _SHOWN_CHARACTERS
    for rule in rules:
        fields = {"name": rule.name, "type": rule.type}
        listed = {"domains": rule.domains, "methods": rule.methods, "paths": rule.paths}
        room -= sum(len(text) + 4 for texts in listed.values() for text in texts) + 100
        if room < 0:
            break
        shown.append(fields | ({name: list(texts) for name, texts in listed.items()} if rule.domains else {}))
    return shown


def compare(old: str | None, new: str | None) -> Difference:
    """Return how two lists of capabilities differ.

    Args:
        old: The list as a pack's row has it: YAML that this service has written; None for a pack without one.
        new: The other one.
    """
    if old == new:
        return Difference((), (), None)
    before, after = rules_of(old), rules_of(new)
    added, removed = _uncovered_rules(after, before), _uncovered_rules(before, after)
    return Difference(tuple(added), tuple(removed), next(filter(None, added.values()), None))


def rules_of(text: str | None) -> Sequence[Rule]:
    """Return the rules of a list of capabilities, in its order.

    Args:
        text: As for `compare`.
    """
    return [] if text is None else [rule for entry in _entries(text) for rule in _rules(entry)]


def _entries(text: str) -> Sequence[dict[str, Any]]:
    import yaml  # noqa: PLC0415 - most comparisons are of equal texts, which need no parser

    # The text is of our own writing (`manifest.yaml_document.dump`), which all readers of YAML read alike.
    entries: Sequence[dict[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return entries


def _rules(entry: dict[str, Any]) -> Iterator[Rule]:
    name, kind = str(entry["name"]), str(entry["type"])
    allowed = entry.get("allow") or []
    if not allowed:
        yield Rule(name, kind)
    for rule in allowed:
        yield Rule(
            name,
            kind,
            domains=tuple(str(domain).lower() for domain in rule["domains"]),
            methods=tuple(rule["methods"]),
            paths=tuple(rule.get("paths") or (EVERYTHING,)),
        )


def _uncovered_rules(rules: Sequence[Rule], others: Sequence[Rule]) -> dict[Rule, str]:
    """Return the rules that allow something which the others do not, each with a request, or empty as `_uncovered`."""
    budget = Budget(_MAX_STEPS)
    unchanged = {replace(other, name="") for other in others if other.domains}
    return {
        rule: request
        for rule in rules
        if replace(rule, name="") not in unchanged
        and (request := _uncovered(rule, others, budget)) is not None
    }


def _uncovered(rule: Rule, others: Sequence[Rule], budget: Budget) -> str | None:
    """Return a request that a rule allows and the others do not; empty if none was found in time, None if none is."""
    same = [other for other in others if other.type == rule.type]
    if not rule.domains:
        named = any(not other.domains and other.name == rule.name for other in same)
        return None if named else ""
    with_hosts = [other for other in same if other.domains]
    try:
        for host in _hosts(rule, with_hosts, budget):
            for method in _methods(rule, with_hosts):
                budget.spend(sum(len(other.domains) for other in with_hosts))
                covering = [
                    path for other in with_hosts if _applies(other, host, method) for path in other.paths
                ]
                for pattern in rule.paths:
                    path = uncovered_path(pattern, covering, budget)
                    if path is not None:
                        return f"{method} {_SCHEME}{host}{path}"
    except TooComplex:
        return ""
    return None


def _applies(rule: Rule, host: str, method: str) -> bool:
    return (method in rule.methods or _ANY_METHOD in rule.methods) and any(
        matches_host(domain, host) for domain in rule.domains
    )


def matches_host(domain: str, host: str) -> bool:
    """Return whether a host is one that a domain of a rule stands for. Both are in lower case."""
    return host.endswith(domain[1:]) if domain.startswith(_WILDCARD) else host == domain


def _hosts(rule: Rule, others: Sequence[Rule], budget: Budget) -> Iterator[str]:
    """Yield hosts of a rule such that each other host of the rule is matched by the same rules as one of these.

    Which rules match a host depends on whether they name it, and on the wildcards above it.
    """
    known = {domain for other in others for domain in other.domains}
    label = _fresh({label for domain in {*known, *rule.domains} for label in domain.split(".")}, "x")
    for domain in rule.domains:
        if not domain.startswith(_WILDCARD):
            yield domain
            continue
        yield label + domain[1:]
        budget.spend(len(known))
        for other in sorted(known):
            bare = other.removeprefix(_WILDCARD)
            if bare.endswith(domain[1:]):
                yield bare if bare == other else f"{label}.{bare}"


def _methods(rule: Rule, others: Sequence[Rule]) -> Iterator[str]:
    known = {method for other in others for method in other.methods}
    for method in rule.methods:
        if method != _ANY_METHOD:
            yield method
            continue
        yield _fresh(known, "ANY")
        yield from sorted(known - {_ANY_METHOD})


def _fresh(taken: set[str], text: str) -> str:
    """Return a text that is not among those that are taken."""
    number = 0
    while text in taken:
        number += 1
        text = f"{text.rstrip('0123456789')}{number}"
    return text
