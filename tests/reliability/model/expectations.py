"""What an answer has to be: exact, except for values that only the service can know."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import ANY

import yaml
from tests.gateway import Answer


class _Text:
    """Equal to any text."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str)

    __hash__ = None  # type: ignore[assignment]  # it equals many


ANY_TEXT: Final = _Text()


@dataclass(eq=False)
class Learnt:
    """An attribute of the model that is None until an answer states it, and has to stay the same from then on."""

    owner: Any
    attribute: str
    prefix: str

    @property
    def value(self) -> Any:
        return getattr(self.owner, self.attribute)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learnt) and (self.attribute, self.value) == (other.attribute, other.value)

    __hash__ = None  # type: ignore[assignment]  # it would change

    def could_be(self, value: Any) -> bool:
        """Return whether a value has the right form, and nothing else is known to have it."""
        other = getattr(self.owner, "known_of_another", None)
        return str(value).startswith(self.prefix) and not (other and other(self.attribute, value))


@dataclass(frozen=True)
class IfStated:
    """A value that an answer may leave out; where it is stated, it is this one."""

    value: Any


@dataclass(frozen=True)
class OneOf:
    """A value that may be any of these."""

    values: frozenset[Any]


@dataclass(frozen=True)
class SomeOf:
    """A list of which some may be left out. The others have their order."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class AsYaml:
    """A value that is stated as YAML text."""

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
        if answer.status != self.status:
            return f"status: {answer.status} instead of {self.status} {self.code or ''}"
        if self.etag not in (None, answer.headers.get("ETag")):
            return f"ETag: {answer.headers.get('ETag')} instead of {self.etag}"
        learnt: list[tuple[Learnt, Any]] = []
        fault = next(_differences(self.body, answer.body, "body", learnt), None)
        for unknown, value in learnt if fault is None else []:
            setattr(unknown.owner, unknown.attribute, value)
        return fault


class Refused(Exception):
    """An operation is refused, with the contract's status and code and with these details."""

    def __init__(self, status: int, code: str, **details: Any) -> None:
        error: dict[str, Any] = {"code": code, "message": ANY, "request_id": ANY}
        self.expected = Expected(status, {"error": error | ({"details": details} if details else {})})

    @classmethod
    def or_answer(cls, act: Callable[[], Expected]) -> Expected:
        try:
            return act()
        except cls as refused:
            return refused.expected


def require(is_so: object, status: int, code: str, **details: Any) -> None:
    if not is_so:
        raise Refused(status, code, **details)


def require_none_wrong(*fields: str) -> None:
    """Refuse a request in which any fields are wrong."""
    require(not fields, 400, "validation_error", fields=dict.fromkeys(fields, ANY))


def require_field(is_right: object, field: str) -> None:
    require(is_right, 400, "validation_error", fields={field: ANY})


def page(name: str, things: list[Any], query: Mapping[str, str], at_the_end: dict[str, Any]) -> Expected:
    limit = int(query["limit"])
    more = {"next_cursor": ANY} if len(things) > limit else at_the_end
    return Expected(200, {name: things[:limit]} | more)


def _differences(expected: Any, found: Any, at: str, learnt: list[tuple[Learnt, Any]]) -> Iterator[str]:
    match expected:
        case Learnt() if expected.value is None and expected.could_be(found):
            learnt.append((expected, found))
        case AsYaml():
            yield from _differences(expected.value, yaml.safe_load(found), at, learnt)
        case OneOf() if found in expected.values:
            pass
        case SomeOf() if found == [value for value in expected.values if value in found]:
            pass
        case Learnt() | IfStated():
            yield from _differences(expected.value, found, at, learnt)
        case list() if isinstance(found, list):
            yield from _differences(dict(enumerate(expected)), dict(enumerate(found)), at, learnt)
        case dict() if isinstance(found, dict) and _names(expected, found) == found.keys():
            for name in found:
                yield from _differences(expected[name], found[name], f"{at}.{name}", learnt)
        case _ if expected != found:
            yield f"{at}: {found!r} instead of {expected!r}"


def _names(expected: dict[str, Any], found: dict[str, Any]) -> set[str]:
    return {name for name, value in expected.items() if name in found or not isinstance(value, IfStated)}
