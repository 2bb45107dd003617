"""Every operation that writes, killed right before and right after each request that leaves the process.

Then the queues deliver again what was not settled, and the client asks again, at once or after everything has been
cleaned up. Every invariant is checked in between and at the end. In the end all must be as if nothing had gone wrong.
"""

from collections.abc import Iterator

import pytest
from tests.engine.taps import Crash, Killed, PointName
from tests.reliability import budget, tally
from tests.reliability.operations import OPERATIONS
from tests.reliability.prepared_deployments import RUNS, Prepared, prepared_deployment
from tests.reliability.reference_runs import ReferenceRun, each_of, reference_run

AT_ONCE = "asked again at once"
SETTLED = "settled, then asked again"


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest) -> Iterator[Prepared]:
    with prepared_deployment(request.param) as made:
        yield made


def kill(run: ReferenceRun, point: PointName, *, after: bool) -> None:
    run.begin()
    with pytest.raises(Killed), run.deployment.wire.tapped(Crash(at=point, after=after)):
        run.operation.act(run.deployment)
    run.deployment.new_process()
    tally.count("crash points")


# Without the scope, pytest makes the fixture anew for each test: not all parameters are a fixture's.
@pytest.mark.parametrize(("prepared", "name"), RUNS, indirect=["prepared"], scope="module")
def test_killed_before_or_after_any_request_it_leaves_nothing_that_does_not_come_right(
    prepared: Prepared, name: str
) -> None:
    run = reference_run(prepared[0], OPERATIONS[name], prepared[1])

    def attempt(case: tuple[PointName, str, str]) -> None:
        point, side, then = case
        kill(run, point, after=side == "after")
        run.recover(settle_first=then == SETTLED)

    # Dying before a request leaves what dying after the one before it does, and dying after one that only reads leaves
    # what dying before it does, unless requests run in parallel: CI tries one of these. It asks again at once after
    # every other moment, and after settling after the rest.
    moments = [
        (point, side)
        for point in run.points
        for side in ("before", "after")
        if budget.SOAK
        or (side == "before" and point is run.points[0])
        or (side == "after" and (point is run.points[-1] or not point.changes_nothing))
    ]
    cases = [
        (point, side, then)
        for number, (point, side) in enumerate(moments)
        for parity, then in enumerate((AT_ONCE, SETTLED))
        if budget.SOAK or number % 2 == parity
    ]
    each_of(budget.spread(cases, ci=4) if run.operation.heavy else cases, attempt)
