"""Every two operations that conflict, overlapping in many ways, each time the same way.

First, one waits before each of its requests while the other runs as a whole, at once or after the first one's claims
and leases have run out. Then, one waits there while the other runs up to one of its own requests, and ends while that
one waits. The outcome must be that of one of the two orders, or of one operation alone, and an operation that was
answered with a success must be part of it. So of two that conflict exactly one wins, unless it is told to try again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement, product
from threading import Event, Thread
from typing import Any

import pytest
from tests.engine.taps import Before, Log, PointName
from tests.engine.wire import nothing
from tests.gateway import Answer
from tests.reliability import budget, tally
from tests.reliability.conflicts import CONFLICTS
from tests.reliability.deployment import HIDDEN, Deployment, Saved
from tests.reliability.operations import Operation
from tests.reliability.prepared_deployments import REGISTRIES, Prepared, prepared_deployment
from tests.reliability.reference_runs import assert_either, each_of, facts, require_documented

PAIRS = [
    pytest.param(registry, first, second, id=f"{conflict}, {registry}: {first.name} + {second.name}")
    for registry in budget.of(ci=REGISTRIES[:1], soak=REGISTRIES)
    for conflict, operations in CONFLICTS.items()
    for first, second in combinations_with_replacement(operations, 2)
]
Case = tuple[int, PointName, PointName | timedelta]
# Longer than a publisher's claim and a build's lease; a cleaner's is longer.
SLOW = HIDDEN


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest) -> Iterator[Prepared]:
    with prepared_deployment(request.param) as made:
        yield made


@dataclass
class Pair:
    """Two operations and where they start from.

    Attributes:
        deployment: Where they run.
        allowed: The outcomes that may be, by which of the two was answered with a success.
        may_both_fail: Whether both fail when one runs after the other.
        points: The requests that each sends by itself.
    """

    deployment: Deployment
    both: tuple[Operation, Operation]
    start: Saved
    allowed: dict[tuple[bool, bool], list[Any]]
    may_both_fail: bool
    points: tuple[list[PointName], list[PointName]]

    def act(self, number: int) -> Answer:
        """Run one of the two, in a process of its own."""
        with self.deployment.service.another_process(), self.deployment.wire.sent_by(number):
            return self.both[number].act(self.deployment)

    def judge(self, *answers: Answer) -> None:
        """Check that the outcome is one that could have been without overlapping."""
        for answer in answers:
            require_documented(answer)
        self.deployment.check()
        found = facts(self.deployment.settle())
        # A message that came back to its queue may have been settled since.
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


def pair_of(deployment: Deployment, both: tuple[Operation, Operation], saved: Saved) -> Pair:
    """Run both orders, and each operation alone, and return the pair."""
    deployment.restore(saved)
    for operation in dict.fromkeys(both):
        operation.prepare(deployment)
    start = deployment.save()
    deployment.builds.clear()
    allowed: dict[tuple[bool, bool], list[Any]] = {(False, False): [facts(deployment.settle())]}
    may_both_fail = False
    points: tuple[list[PointName], list[PointName]] = [], []
    for order in ((0,), (1,), (0, 1), (1, 0)):
        deployment.restore(start)
        succeeded = [False, False]
        for number in order:
            log = Log()
            with deployment.wire.tapped(log):
                succeeded[number] = both[number].ask(deployment).status < 400
            deployment.new_process()
            if len(order) == 1:
                points[number].extend(log.passed)
                # A build that is still queued would add to the outcome of the other operation alone.
                deployment.builds.clear()
        may_both_fail |= len(order) > 1 and not any(succeeded)
        allowed.setdefault((succeeded[0], succeeded[1]), []).append(facts(deployment.settle()))
    if both[0] is both[1] and both[0].both_may_succeed:
        allowed.setdefault((True, True), []).extend(allowed[True, False])
    return Pair(deployment, both, start, allowed, may_both_fail, points)


def overtaken(pair: Pair, first: int, at: PointName, after: timedelta) -> None:
    """Let the first wait before a request for some time, and the other run as a whole meanwhile."""
    pair.deployment.restore(pair.start)
    answers: dict[int, Answer] = {}

    def overtake() -> None:
        pair.deployment.service.clock.advance(after)
        answers[1 - first] = pair.act(1 - first)

    before = Before(at=at, what=overtake)
    with pair.deployment.wire.tapped(interrupt=before):
        answers[first] = pair.act(first)
    assert before.happened
    pair.judge(answers[0], answers[1])


def switched(pair: Pair, first: int, at: PointName, until: PointName) -> None:
    """Let the first wait before a request, run the other up to one of its own, finish the first, then the other."""
    pair.deployment.restore(pair.start)
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
        pair.deployment.wire.interrupt = Before(at=at, what=wait)
        threads[0].start()
        assert stopped.wait(60)
        pair.deployment.wire.interrupt = Before(at=until, what=finish_the_first)
        threads[1].start()
        assert done.wait(60)
    finally:
        # If the other ended before its request, the first must not take that place of its own for it.
        pair.deployment.wire.interrupt = nothing
        going.set()
        for thread in threads:
            thread.join(60)
    assert all(isinstance(answer, Answer) for answer in answers.values()), answers
    pair.judge(answers[0], answers[1])


# The scope as in `test_every_crash_point.py`.
@pytest.mark.parametrize(
    ("prepared", "first", "second"), budget.spread(PAIRS, ci=30), indirect=["prepared"], scope="module"
)
def test_however_two_overlap_it_comes_to_what_some_order_would_have(
    prepared: Prepared, first: Operation, second: Operation
) -> None:
    pair = pair_of(prepared[0], (first, second), prepared[1])

    def attempt(case: Case) -> None:
        who, at, until = case
        if isinstance(until, timedelta):
            overtaken(pair, who, at, until)
        else:
            switched(pair, who, at, until)
        tally.count("overlappings of two operations")

    places = [(who, at) for who in (0, 1) for at in pair.points[who]]
    overtakings: list[Case] = [(who, at, after) for after in (timedelta(), SLOW) for who, at in places]
    switches: list[Case] = [(who, at, until) for who, at in places for until in pair.points[1 - who]]
    cases = [
        *budget.spread(overtakings, ci=4, of_whom=f"{first.name} + {second.name}"),
        *budget.spread(switches, ci=2, soak=100, of_whom=f"{second.name} + {first.name}"),
    ]
    each_of(cases, attempt)
