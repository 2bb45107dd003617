"""Every two operations that want the same thing, overlapping in many ways, each time the same way.

First one is overtaken by the other, whole, at each of its requests, at once or after a time in which its claims and
leases run out. Then one is stopped there while the other goes as
far as one of its own requests, and is finished while that waits. Whatever comes of it must be what one of the two
orders would have come to, or one of the two alone, and who was answered with a success must be part of it: so of two
that are in conflict exactly one wins, unless it is told to come again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations_with_replacement, product
from threading import Event, Thread
from typing import Any

import pytest
from tests.gateway import Answer
from tests.reliability import budget, tally
from tests.reliability.contests import CONTESTS
from tests.reliability.operations import Operation
from tests.reliability.scenes import REGISTRIES, Scene, scene_with
from tests.reliability.trials import (
    Count,
    Place,
    assert_either,
    each_of,
    facts,
    require_documented,
    tapped,
)
from tests.reliability.wire import Sent
from tests.reliability.world import HIDDEN, Saved, World

PAIRS = [
    pytest.param(registry, first, second, id=f"{contest}, {registry}: {first.name} + {second.name}")
    for registry in budget.of(ci=REGISTRIES[:1], soak=REGISTRIES)
    for contest, operations in CONTESTS.items()
    for first, second in combinations_with_replacement(operations, 2)
]
Case = tuple[int, Place, Place | timedelta]
# Longer than a publisher's claim and a build's lease; a cleaner's is longer.
SLOW = HIDDEN


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene_with(request.param) as made:
        yield made


@dataclass
class Meeting:
    """What is to happen once, right before a request.

    Attributes:
        happened: Whether it has.
    """

    at: Place
    what: Callable[[], object]
    happened: bool = False
    _count: Count = field(default_factory=Count)

    def __call__(self, sent: Sent) -> Callable[[], object] | None:
        """Say what is to happen before this request."""
        if self.happened or self._count.of(sent) != self.at:
            return None
        self.happened = True
        return self.what


@dataclass
class Pair:
    """Two operations and where they start from.

    Attributes:
        world: Where they meet.
        allowed: What may come of it, by who was answered with a success.
        may_both_fail: Whether they do so one after the other.
        requests: Those that each makes by itself.
    """

    world: World
    both: tuple[Operation, Operation]
    start: Saved
    allowed: dict[tuple[bool, bool], list[Any]]
    may_both_fail: bool
    requests: tuple[list[Place], list[Place]]

    def act(self, number: int) -> Answer:
        """Ask for one of the two, in a process of its own."""
        with self.world.another_process(), self.world.wire.played_by(number):
            return self.both[number].act(self.world)

    def judge(self, *answers: Answer) -> None:
        """Check that what has come of it is what could have come without overlapping."""
        for answer in answers:
            require_documented(answer)
        self.world.check()
        found = facts(self.world.settle())
        # What was put back into its queue may have been done since.
        ends = [
            {answer.status < 400, answer.status < 400 or (operation.comes_again and answer.status >= 500)}
            for operation, answer in zip(self.both, answers, strict=True)
        ]
        allowed = [one for end in product(*ends) for one in self.allowed.get((end[0], end[1]), [])]
        told = [f"{answer.status} {answer.body}" for answer in answers]
        assert allowed, f"in no order is it {told}"
        assert_either(found, *allowed)
        assert (
            any(map(any, ends)) or self.may_both_fail or {503, 504} & {answer.status for answer in answers}
        ), told


def pair_of(world: World, both: tuple[Operation, Operation], scene: Saved) -> Pair:
    """Return a pair, once both orders have been tried, and each alone."""
    world.restore(scene)
    for operation in dict.fromkeys(both):
        operation.prepare(world)
    start = world.save()
    world.builds.clear()
    allowed: dict[tuple[bool, bool], list[Any]] = {(False, False): [facts(world.settle())]}
    may_both_fail = False
    requests: tuple[list[Place], list[Place]] = [], []
    for order in ((0,), (1,), (0, 1), (1, 0)):
        world.restore(start)
        succeeded = [False, False]
        for number in order:
            count = Count()
            with tapped(world, count):
                succeeded[number] = both[number].act(world).status < 400
            world.new_process()
            if len(order) == 1:
                requests[number].extend(count.places)
                # What is built when everything is settled is not what the other one has come to alone.
                world.builds.clear()
        may_both_fail |= len(order) > 1 and not any(succeeded)
        allowed.setdefault((succeeded[0], succeeded[1]), []).append(facts(world.settle()))
    return Pair(world, both, start, allowed, may_both_fail, requests)


def overtaken(pair: Pair, first: int, at: Place, after: timedelta) -> None:
    """Let the first stand still before a request for some time, and then the other come and go."""
    pair.world.restore(pair.start)
    answers: dict[int, Answer] = {}

    def overtake() -> None:
        pair.world.service.clock.advance(after)
        answers[1 - first] = pair.act(1 - first)

    meeting = Meeting(at, overtake)
    pair.world.wire.meets = meeting
    try:
        answers[first] = pair.act(first)
    finally:
        pair.world.wire.meets = lambda _sent: None
    assert meeting.happened
    pair.judge(answers[0], answers[1])


def switched(pair: Pair, first: int, at: Place, until: Place) -> None:
    """Stop the first at a request, let the other come as far as one of its own, finish the first, then the other."""
    pair.world.restore(pair.start)
    stopped, going, ended, done = Event(), Event(), Event(), Event()
    answers: dict[int, Any] = {}

    def play(number: int) -> None:
        try:
            answers[number] = pair.act(number)
        except BaseException as error:  # noqa: BLE001 - told below, by whoever waits
            answers[number] = error
        (ended if number == first else done).set()
        stopped.set()

    def wait() -> None:
        stopped.set()
        assert going.wait(60)

    def finish_the_first() -> None:
        going.set()
        assert ended.wait(60)

    threads = [Thread(target=play, args=(number,)) for number in (first, 1 - first)]
    try:
        pair.world.wire.meets = Meeting(at, wait)
        threads[0].start()
        assert stopped.wait(60)
        pair.world.wire.meets = Meeting(until, finish_the_first)
        threads[1].start()
        assert done.wait(60)
    finally:
        going.set()
        for thread in threads:
            thread.join(60)
        pair.world.wire.meets = lambda _sent: None
    assert all(isinstance(answer, Answer) for answer in answers.values()), answers
    pair.judge(answers[0], answers[1])


@pytest.mark.parametrize(("scene", "first", "second"), budget.spread(PAIRS, ci=40), indirect=["scene"])
def test_however_two_overlap_it_comes_to_what_some_order_would_have(
    scene: Scene, first: Operation, second: Operation
) -> None:
    pair = pair_of(scene[0], (first, second), scene[1])

    def attempt(case: Case) -> None:
        who, at, until = case
        if isinstance(until, timedelta):
            overtaken(pair, who, at, until)
        else:
            switched(pair, who, at, until)
        tally.count("overlappings of two operations")

    places = [(who, at) for who in (0, 1) for at in pair.requests[who]]
    overtakings: list[Case] = [(who, at, after) for after in (timedelta(), SLOW) for who, at in places]
    switches: list[Case] = [(who, at, until) for who, at in places for until in pair.requests[1 - who]]
    cases = [*budget.spread(overtakings, ci=7), *budget.spread(switches, ci=2, soak=100)]
    each_of(cases, attempt)
