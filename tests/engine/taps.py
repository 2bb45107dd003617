"""What a test lets happen at a point: the process dies there, the request fails there, or another actor comes first."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from tests.engine.points import Point, changes_nothing
from tests.engine.refusals import Fault


class Killed(BaseException):
    """The process has been killed. Nothing in the service catches this."""


@dataclass(frozen=True, order=True)
class PointName:
    """A point among all that an operation passes: the n-th with its label, which does not depend on threads."""

    label: str
    number: int = 1

    @property
    def changes_nothing(self) -> bool:
        """Whether the request only reads."""
        return changes_nothing(self.label)

    def __str__(self) -> str:
        return self.label if self.number == 1 else f"{self.label} ({self.number})"


# A point by its name, or by its number among all, from 0.
At = PointName | int


@dataclass
class Log:
    """A tap that notes the points and sends every request on.

    Attributes:
        only: Which points count; requests at others are sent on.
        passed: The points that have been passed, in order.
    """

    only: Callable[[Point], bool] = lambda _point: True
    passed: list[PointName] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def note(self, point: Point) -> PointName:
        """Note a point, and return its name."""
        self._seen[point.label] += 1
        name = PointName(point.label, self._seen[point.label])
        self.passed.append(name)
        return name

    def is_at(self, at: At) -> bool:
        """Return whether the point that was noted last is this one."""
        return at in (self.passed[-1], len(self.passed) - 1)

    def __call__(self, point: Point) -> Any:
        if self.only(point):
            self.note(point)
        return point.deliver()

    @property
    def calls(self) -> list[str]:
        """The calls to AWS in order, with `registry` for each run of requests to registries between them."""
        calls: list[str] = []
        for name in self.passed:
            call = name.label if " " not in name.label else "registry"
            if call != "registry" or calls[-1:] != ["registry"]:
                calls.append(call)
        return calls

    def first(self, start: str) -> int:
        """Return the number of the first point whose label starts so."""
        return next(number for number, name in enumerate(self.passed) if name.label.startswith(start))


@dataclass
class Crash(Log):
    """Kills the process right before or right after a point. Whatever it would send after that is not sent either.

    Attributes:
        at: The point.
        after: Whether the request is carried out first.
    """

    at: At = 0
    after: bool = False
    dead: bool = False

    def __call__(self, point: Point) -> Any:
        self._die_if(self.dead)
        if not self.only(point):
            return point.deliver()
        self.note(point)
        here = self.is_at(self.at)
        self._die_if(here and not self.after)
        answer = point.deliver()
        self._die_if(here)
        return answer

    def _die_if(self, now: bool) -> None:
        if now:
            self.dead = True
            raise Killed


class Span(StrEnum):
    """How long a fault lasts: for one attempt, for a call with all its attempts, or from then on for a service."""

    ATTEMPT = "an attempt"
    CALL = "a call"
    SERVICE = "a service"


@dataclass
class Failure(Log):
    """Lets a fault befall the request at a point, and what follows it for as long as the fault lasts."""

    at: At = 0
    fault: Fault = Fault.ERROR
    span: Span = Span.CALL
    _struck: Point | None = None

    def __call__(self, point: Point) -> Any:
        if not self.only(point):
            return point.deliver()
        self.note(point)
        if self.is_at(self.at):
            self._struck = point
            return point.befall(self.fault)
        struck = self._struck
        again = struck is not None and (
            (self.span is Span.CALL and point.invocation == struck.invocation)
            or (self.span is Span.SERVICE and point.service == struck.service)
        )
        return point.befall(self.fault) if again else point.deliver()


@dataclass
class Before(Log):
    """An interrupt: something happens once, right before a point, while the process that sends it stands still.

    Attributes:
        at: The point.
        what: What happens.
        happened: Whether it has.
    """

    at: At = 0
    what: Callable[[], object] = lambda: None
    happened: bool = False

    def __call__(self, point: Point) -> Callable[[], object] | None:
        """Return what has to happen before this request."""
        if self.happened:
            return None
        self.note(point)
        if not self.is_at(self.at):
            return None
        self.happened = True
        return self.what


def moments(points: Iterable[PointName]) -> list[Any]:
    """Return the moments before each of these points, and after the last, for parametrize: their numbers, from 0.

    Dying after a point leaves what dying before the next one does. The ids have numbers only: two threads send blobs,
    so the order of the names differs from one process that collects the tests to the next.
    """
    names = [f"before request {number}" for number, _ in enumerate(points, 1)]
    return [pytest.param(number, id=name) for number, name in enumerate([*names, "after the last"])]


def crash_at(moment: int, points: int) -> Crash:
    """Return the crash at one of the `moments` of so many points."""
    return Crash(at=moment) if moment < points else Crash(at=points - 1, after=True)
