"""One operation, tried again and again from the same start, with something else going wrong each time."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tests.gateway import Answer
from tests.reliability.invariants import Observed
from tests.reliability.operations import Killed, Operation
from tests.reliability.wire import Sent, Tap, straight
from tests.reliability.world import HIDDEN, Saved, World

_REPEATS: Final = 4
_COME_AGAIN: Final = frozenset({502, 503})
_OURS_TO_ANSWER: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, order=True)
class Place:
    """A request among all that an operation makes: the n-th of its kind, which does not depend on what threads do."""

    label: str
    number: int

    def __str__(self) -> str:
        return self.label if self.number == 1 else f"{self.label} ({self.number})"


@dataclass
class Count:
    """Taps the wire, and knows of each request which one it is."""

    places: list[Place] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def of(self, sent: Sent) -> Place:
        """Return which one a request is."""
        self._seen[sent.label] += 1
        place = Place(sent.label, self._seen[sent.label])
        self.places.append(place)
        return place

    def __call__(self, sent: Sent) -> Any:
        """Send it on."""
        self.of(sent)
        return sent.deliver()


class Fuse(Count):
    """Kills the process right before or right after a request; nothing that it would send after that gets through."""

    def __init__(self, at: Place, *, after: bool) -> None:
        super().__init__()
        self.dead = False
        self._at = at
        self._after = after

    def __call__(self, sent: Sent) -> Any:
        """Send it on, or die."""
        self._die_if(self.dead)
        here = self.of(sent)
        self._die_if(here == self._at and not self._after)
        answer = sent.deliver()
        self._die_if(here == self._at and self._after)
        return answer

    def _die_if(self, now: bool) -> None:
        if now:
            self.dead = True
            raise Killed


class Fault(StrEnum):
    """What can become of a request."""

    THROTTLED = "throttled"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    CUT = "cut"

    def befalls(self, sent: Sent) -> Any:
        """Let it befall a request."""
        match self:
            case Fault.THROTTLED:
                return sent.throttled()
            case Fault.FAILED:
                return sent.failed()
            case Fault.UNREACHABLE:
                raise sent.unreachable
            case Fault.LOST:
                sent.deliver()
                raise sent.lost
            case Fault.CUT:
                return sent.deliver() if sent.cut is None else sent.cut()


class Span(StrEnum):
    """For how long a fault lasts: for one attempt, for a call with all its attempts, or from then on for a service."""

    ATTEMPT = "an attempt"
    CALL = "a call"
    SERVICE = "a service"


class Trouble(Count):
    """Lets a fault befall requests."""

    def __init__(self, fault: Fault, span: Span, at: Place) -> None:
        super().__init__()
        self._fault = fault
        self._span = span
        self._at = at
        self.struck: Sent | None = None

    def __call__(self, sent: Sent) -> Any:
        """Send it on, or not."""
        if self.of(sent) == self._at:
            self.struck = sent
            return self._fault.befalls(sent)
        again = self.struck is not None and (
            (self._span is Span.CALL and sent.invocation == self.struck.invocation)
            or (self._span is Span.SERVICE and sent.service == self.struck.service)
        )
        return self._fault.befalls(sent) if again else sent.deliver()


@contextmanager
def tapped(world: World, tap: Tap) -> Iterator[None]:
    """Let somebody stand at the wire while the context lasts."""
    world.wire.tap = tap
    try:
        yield
    finally:
        world.wire.tap = straight


@dataclass(frozen=True)
class Trial:
    """An operation, where it starts from, and what it comes to when nothing goes wrong.

    Attributes:
        start: The world just before it.
        stood: What a caller can see then.
        before: The facts then, with every message settled.
        requests: Those that it makes.
        stands: What a caller can see when it is done.
        after: The facts then, with every message settled.
    """

    world: World
    operation: Operation
    start: Saved
    stood: Any
    before: Any
    requests: list[Place]
    stands: Any
    after: Any

    def begin(self) -> None:
        """Start anew."""
        self.world.restore(self.start)

    def retry(self) -> None:
        """Ask again until there is an answer; it must be one that says that it was done, now or before."""
        answer = self.operation.act(self.world)
        for _ in range(_REPEATS):
            if answer.status not in _COME_AGAIN:
                break
            self.world.service.clock.advance(HIDDEN)
            answer = self.operation.act(self.world)
        allowed = self.operation.done | self.operation.repeated
        assert answer.status in allowed, f"a repeat was answered {answer.status}: {answer.body}"

    def end(self) -> None:
        """Let everything be settled, and find that all is as if nothing had gone wrong."""
        assert_same(facts(self.world.settle()), self.after)

    def recover(self, *, settle_first: bool) -> None:
        """Check what must hold now, let everything that is under way come to its end, and ask again.

        Args:
            settle_first: Whether every message comes due before anybody asks again.
        """
        self.world.check()
        if settle_first:
            assert_either(facts(self.world.settle()), self.before, self.after)
        self.retry()
        self.world.check()
        self.end()


def trial(world: World, operation: Operation, scene: Saved) -> Trial:
    """Return the trial of an operation in a scene."""
    world.restore(scene)
    operation.prepare(world)
    start = world.save()
    stood = standing(world.check())
    before = facts(world.settle())
    world.restore(start)
    count = Count()
    with tapped(world, count):
        answer = operation.act(world)
    assert answer.status in operation.done, f"{operation.name}: {answer.status} {answer.body}"
    stands = standing(world.check())
    return Trial(world, operation, start, stood, before, count.places, stands, facts(world.settle()))


def each_of(cases: list[Any], attempt: Callable[[Any], None]) -> None:
    """Make each attempt, and fail with what came of all those that did not end well."""
    failures = []
    for case in cases:
        try:
            attempt(case)
        except Exception as failure:  # noqa: BLE001 - an assertion's or the service's own; the next case starts anew
            failures.append(f"{case}: {type(failure).__name__}: {failure}")
    assert not failures, f"{len(failures)} of {len(cases)}:\n" + "\n".join(failures)


def require_documented(answer: Answer) -> None:
    """Check that a failure of ours is one that the contract has."""
    if answer.status >= 500:
        assert answer.status in _OURS_TO_ANSWER, f"answered {answer.status}: {answer.body}"


def facts(seen: Observed) -> dict[str, Any]:
    """Return what there is to know of packs, roles and images, without what differs from one time to the next."""
    name_of = {pack_id: f"{pack.org_id}/{pack.name}" for pack_id, pack in seen.packs.items()}
    packs = [
        (
            name_of[pack_id],
            pack.status.value,
            pack.visibility.value,
            pack.image_origin.value,
            pack.revision,
            pack.version,
            pack.image_digest,
            pack.image_ref,
            [
                (entry["operation"], entry["image_digest"], entry["actor"])
                for entry in seen.histories[pack_id]
            ],
        )
        for pack_id, pack in seen.packs.items()
    ]
    roles = [
        (role["org_id"], role["role_id"], int(role["revision"]), [name_of[pack] for pack in role["pack_ids"]])
        for role in seen.roles
    ]
    images = {
        name: (sorted(repository.manifests), sorted(repository.tags.items()))
        for name, repository in seen.repositories.items()
        if repository.manifests
    }
    return {"packs": sorted(packs), "roles": sorted(roles), "images": images}


def standing(seen: Observed) -> dict[str, Any]:
    """Return the facts that a caller can see."""
    return {name: value for name, value in facts(seen).items() if name != "images"}


def assert_same(found: Any, wanted: Any) -> None:
    """Check that facts are those expected, and name what differs."""
    assert found == wanted, "\n".join(difference(found, wanted))


def assert_either(found: Any, *wanted: Any) -> None:
    """Check that facts are some of those expected."""
    assert found in wanted, "\n".join(
        ["neither nor", *(part for one in wanted for part in difference(found, one))]
    )


def difference(found: Any, wanted: Any) -> Iterator[str]:
    """Yield what is there that should not be, and what is not that should."""
    for name in wanted:
        has, should = (
            [str(part) for part in (value[name].items() if isinstance(value[name], dict) else value[name])]
            for value in (found, wanted)
        )
        yield from (f"  {name} has {part}" for part in has if part not in should)
        yield from (f"  {name} lacks {part}" for part in should if part not in has)
