"""What an answer has to be: exact, except for values that only the service can know."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.gateway import Answer


class _Any:
    """Any value."""

    def __repr__(self) -> str:
        return "ANY"

    def __deepcopy__(self, _memo: Any) -> "_Any":
        return self


ANY: Final = _Any()


@dataclass(eq=False)
class Learnt:
    """A value that is learnt when it is first seen, and has to stay the same from then on.

    Attributes:
        owner: What has the value; its attribute is None until it is known.
        attribute: Its name.
        prefix: How the value begins.
    """

    owner: Any
    attribute: str
    prefix: str

    @property
    def value(self) -> Any:
        return getattr(self.owner, self.attribute)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learnt) and (self.attribute, self.value) == (other.attribute, other.value)

    def __hash__(self) -> int:
        return hash((self.attribute, self.prefix))

    def could_be(self, value: Any) -> bool:
        """Return whether a value may be this one: it has the right form, and nothing else is known to have it."""
        other = getattr(self.owner, "known_of_another", None)
        return str(value).startswith(self.prefix) and not (other and other(self.attribute, value))

    def learn(self, value: Any) -> None:
        setattr(self.owner, self.attribute, value)


@dataclass(frozen=True)
class IfStated:
    """A value that an answer may leave out; where it is stated, it is this one."""

    value: Any


@dataclass
class Expected:
    """What an answer has to be."""

    status: int
    body: Any = None
    etag: str | None = None

    @property
    def code(self) -> str | None:
        return self.body["error"]["code"] if isinstance(self.body, dict) and "error" in self.body else None

    def fault(self, answer: Answer) -> str | None:
        """Return how an answer differs, or None. When it does not differ, what it is the first to state is learnt."""
        learnt: list[tuple[Learnt, Any]] = []
        if answer.status != self.status:
            return f"status: {answer.status} instead of {self.status} {self.code or ''}"
        if self.etag is not None and answer.headers.get("ETag") != self.etag:
            return f"ETag: {answer.headers.get('ETag')} instead of {self.etag}"
        fault = _fault(self.body, answer.body, "", learnt)
        if fault is None:
            for unknown, value in learnt:
                unknown.learn(value)
        return fault


class Refused(Exception):
    """An operation is refused, with the contract's status and code and with these details."""

    def __init__(self, status: int, code: str, **details: Any) -> None:
        super().__init__(f"{status} {code} {details or ''}")
        error: dict[str, Any] = {"code": code, "message": ANY, "request_id": ANY}
        self.expected = Expected(status, {"error": error | ({"details": details} if details else {})})

    @classmethod
    def by_fields(cls, *fields: str) -> "Refused":
        """Return the refusal of a request in which these fields are wrong."""
        return cls(400, "validation_error", fields=dict.fromkeys(fields, ANY))

    @classmethod
    def or_answer(cls, act: Callable[[], Expected]) -> Expected:
        """Return what an operation answers, refused or not."""
        try:
            return act()
        except cls as refused:
            return refused.expected


def _names(expected: dict[str, Any], found: dict[str, Any]) -> set[str]:
    return {name for name, value in expected.items() if name in found or not isinstance(value, IfStated)}


def _fault(  # noqa: PLR0911 - one for each kind of expectation
    expected: Any, found: Any, at: str, learnt: list[tuple[Learnt, Any]]
) -> str | None:
    match expected:
        case _Any():
            return None
        case Learnt():
            if expected.value is None and expected.could_be(found):
                learnt.append((expected, found))
                return None
            expected = expected.value
        case IfStated():
            return _fault(expected.value, found, at, learnt)
        case dict() if isinstance(found, dict) and _names(expected, found) == found.keys():
            faults = (_fault(expected[name], found[name], f"{at}.{name}", learnt) for name in found)
            return next(filter(None, faults), None)
        case list() if isinstance(found, list) and len(expected) == len(found):
            pairs = enumerate(zip(expected, found, strict=True))
            faults = (_fault(one, other, f"{at}[{n}]", learnt) for n, (one, other) in pairs)
            return next(filter(None, faults), None)
        case re.Pattern():
            return None if expected.fullmatch(str(found)) else f"{at}: {found}"
    return None if expected == found else f"{at or 'body'}: {found!r} instead of {expected!r}"
