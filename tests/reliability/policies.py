"""IAM's evaluation of the functions' policies, as far as they go: which statement covers which need."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from tests.reliability.permissions import Need
from tests.reliability.transformed import statements


@dataclass(frozen=True, order=True)
class Condition:
    """One condition of a statement.

    Attributes:
        operator: `StringEquals` or `ForAllValues:StringLike`.
        key: The condition key, `dynamodb:LeadingKeys`.
        values: What it is compared with.
    """

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, need: Need) -> bool:
        """Tell whether it does for a request (IAM user guide, "Condition operators", "Set operators")."""
        given = dict(need.context).get(self.key, ())
        match self.operator:
            case "StringEquals":
                return bool(given) and set(given) <= set(self.values)
            case "StringLike":
                return bool(given) and all(
                    any(fnmatchcase(one, each) for each in self.values) for one in given
                )
            case "ForAllValues:StringLike":
                # Also true of a request that has no such key.
                return all(any(fnmatchcase(value, pattern) for pattern in self.values) for value in given)
        raise AssertionError(f"what does {self.operator} mean?")


@dataclass(frozen=True, order=True)
class Grant:
    """An action on a resource that a statement allows, on all of its conditions."""

    action: str
    resource: str
    conditions: tuple[Condition, ...] = ()

    def covers(self, need: Need) -> bool:
        """Tell whether it allows a request."""
        return (
            self.action == need.action
            and fnmatchcase(need.resource, self.resource)
            and all(condition.holds(need) for condition in self.conditions)
        )

    def is_part_of(self, need: Need) -> bool:
        """Tell whether it is needed for a request that names several partitions at once."""
        values = dict(need.context)
        return self.action == need.action and all(
            any(
                fnmatchcase(given, value)
                for given in values.get(condition.key, ())
                for value in condition.values
            )
            for condition in self.conditions
        )

    def narrowed(self) -> Iterator["Grant"]:
        """Yield a grant for each single value that a condition lists: all that it allows is allowed by one of them."""
        lists = [condition for condition in self.conditions if len(condition.values) > 1]
        # Attributes come together; each of the rest is one way in by itself.
        single = [condition for condition in lists if condition.key != "dynamodb:Attributes"]
        if not single:
            yield self
        for condition in single:
            for value in condition.values:
                one = Condition(condition.operator, condition.key, (value,))
                others = tuple(one if other == condition else other for other in self.conditions)
                yield Grant(self.action, self.resource, others)


@cache
def grants(name: str) -> tuple[Grant, ...]:
    """Return all that a function's policies allow."""
    found: list[Grant] = []
    for statement in statements(name):
        if statement["Effect"] == "Deny":
            # It takes away from what a policy of AWS's allows, of which nothing is listed here.
            continue
        assert statement["Effect"] == "Allow"
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        conditions = tuple(
            Condition(operator, key, tuple(_listed(values)))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        found += [
            Grant(action, resource, conditions)
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        ]
    return tuple(found)


def allowed(name: str, need: Need) -> bool:
    """Tell whether a function may do something."""
    return any(grant.covers(need) for grant in grants(name))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value
