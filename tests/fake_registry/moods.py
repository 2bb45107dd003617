"""Ways in which a registry can misbehave. The first of a test's moods that claims a request is acted out."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(kw_only=True)
class Mood:
    """Applies to requests of one method whose path holds a text, so many times; by default to all, always."""

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
    """Lets something happen before each request, and answers as without it."""

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
    """Takes the request and says nothing for so long."""

    seconds: float


@dataclass(kw_only=True)
class TakesNothing(Mood):
    """Reads nothing of the body for so long, and then closes the connection."""

    seconds: float


@dataclass(kw_only=True)
class Restates(Mood):
    """Does as it is asked, and says so with another status."""

    status: int


@dataclass(kw_only=True)
class HangsUp(Mood):
    """Closes the connection without reading the body, let alone answering."""


@dataclass(kw_only=True)
class CutsOff(Mood):
    """Announces the whole body of its answer and sends half."""


@dataclass(kw_only=True)
class Drips(Mood):
    """Sends the body of its answer byte by byte, with a pause of so many seconds after each."""

    seconds: float


@dataclass(kw_only=True)
class Garbles(Mood):
    """Sends another body of the same length."""


@dataclass(kw_only=True)
class KnowsNoRanges(Mood):
    """Sends all of a blob, whatever part of it is asked for."""


@dataclass(kw_only=True)
class Lies(Mood):
    """Does as it is asked, but names the digest of something else."""


@dataclass(kw_only=True)
class Calls(Mood):
    """Calls what it sends something else, as Satellite and Pulp call manifests JSON; None says nothing of it."""

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
    """Answers with something else; a header may stand in it more than once, and be dated otherwise than now."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    dated: bool = True


@dataclass(kw_only=True)
class NeverEnds(Mood):
    """Answers with zeros, for as long as anyone takes them, and does not say how many."""


@dataclass(kw_only=True)
class DripsHeaders(Mood):
    """Answers with headers that never end, one after each pause of so many seconds."""

    seconds: float
