"""Moods: ways in which a registry can misbehave. The first of a test's moods that matches a request is applied."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(kw_only=True)
class Mood:
    """Matches requests by method and a part of the path, a given number of times; by default all requests."""

    method: str | None = None
    path: str = ""
    times: int | None = None

    def claims(self, method: str, path: str) -> bool:
        if self.times == 0 or self.method not in (None, method) or self.path not in path:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(kw_only=True)
class Meanwhile(Mood):
    """Calls a function before each request, and then answers as usual."""

    act: Callable[[], object]

    def claims(self, method: str, path: str) -> bool:
        if super().claims(method, path):
            self.act()
        return False


@dataclass(kw_only=True)
class Refuses(Mood):
    """Answers with this status instead."""

    status: int


@dataclass(kw_only=True)
class Stalls(Mood):
    """Reads the request, and answers only after a number of seconds."""

    seconds: float


@dataclass(kw_only=True)
class TakesNothing(Mood):
    """Leaves the body unread for a number of seconds, and then closes the connection."""

    seconds: float


@dataclass(kw_only=True)
class Restates(Mood):
    """Performs the request, but answers with another status."""

    status: int


@dataclass(kw_only=True)
class HangsUp(Mood):
    """Closes the connection without reading the body and without an answer."""


@dataclass(kw_only=True)
class CutsOff(Mood):
    """States the length of the whole body of its answer, but sends half of it."""


@dataclass(kw_only=True)
class Drips(Mood):
    """Sends the body of its answer byte by byte, with a pause of so many seconds after each."""

    seconds: float


@dataclass(kw_only=True)
class Garbles(Mood):
    """Sends another body of the same length."""


@dataclass(kw_only=True)
class KnowsNoRanges(Mood):
    """Ignores `Range`, and sends the whole blob."""


@dataclass(kw_only=True)
class Lies(Mood):
    """Performs the request, but states the digest of something else."""


@dataclass(kw_only=True)
class Calls(Mood):
    """Answers with another `Content-Type`, as Satellite and Pulp do with plain JSON; with None, without the header."""

    content_type: str | None


@dataclass(kw_only=True)
class SendsElsewhere(Mood):
    """Puts another base URL into the `Location` of its answer."""

    base_url: str


@dataclass(kw_only=True)
class Redirects(Mood):
    """Redirects to the same path and query on another base URL."""

    base_url: str


@dataclass(kw_only=True)
class Says(Mood):
    """Answers with the given status, headers and body; headers may repeat, and `Date` may differ from now."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    dated: bool = True


@dataclass(kw_only=True)
class NeverEnds(Mood):
    """Answers with zeros without end and without a length."""


@dataclass(kw_only=True)
class DripsHeaders(Mood):
    """Answers with headers that never end, one after each pause of so many seconds."""

    seconds: float
