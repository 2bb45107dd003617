"""Every operation that writes, with each of its requests failing in each way, for a moment or for good.

A request may be throttled, fail with 5xx, find no server, be answered in part, or be carried out while its answer is
lost. What the operation then answers must be true: after a success it was carried out, and after an error nothing has
changed that a caller can see (API contract, section 5, rule 5), unless the answer that got lost said that it was done.
In the end, after retries and redeliveries, all must be as if nothing had gone wrong.
"""

from collections.abc import Iterator

import pytest
from tests.engine.points import FAULTS
from tests.engine.refusals import Fault
from tests.engine.taps import Failure, PointName, Span
from tests.gateway import Answer
from tests.reliability import budget, tally
from tests.reliability.operations import OPERATIONS
from tests.reliability.prepared_deployments import RUNS, Prepared, prepared_deployment
from tests.reliability.reference_runs import (
    ReferenceRun,
    assert_either,
    assert_same,
    each_of,
    reference_run,
    require_documented,
    visible,
)

Case = tuple[PointName, Fault, Span]


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest) -> Iterator[Prepared]:
    with prepared_deployment(request.param) as made:
        yield made


def is_retried(point: PointName, fault: Fault) -> bool:
    """Return whether the SDK, or our registry client, tries again, so that a client must not see a single failure."""
    aws = point.label.startswith(("dynamodb.", "s3.", "sqs.", "ecr.", "sts.", "kms."))
    return fault is not Fault.CUT and (aws or not point.label.startswith("GET "))


def assert_true(run: ReferenceRun, answer: Answer, case: Case) -> None:
    """Check that an answer says what happened."""
    point, fault, span = case
    require_documented(answer)
    seen = visible(run.deployment.check())
    if answer.status in run.operation.done:
        assert_same(seen, run.seen_after)
        return
    assert answer.status >= 500, f"answered {answer.status}: {answer.body}"
    assert span is not Span.ATTEMPT or not is_retried(point, fault), (
        f"one failure, and answered {answer.status}"
    )
    if run.operation.deletes and (answer.status == 502 or fault is Fault.LOST):
        return
    if fault is Fault.LOST:
        assert_either(seen, run.seen_before, run.seen_after)
    else:
        assert_same(seen, run.seen_before)


# Without the scope, pytest makes the fixture anew for each test: not all parameters are a fixture's.
@pytest.mark.parametrize(("prepared", "name"), RUNS, indirect=["prepared"], scope="module")
def test_whatever_fails_the_answer_is_true_and_everything_comes_right(prepared: Prepared, name: str) -> None:
    run = reference_run(prepared[0], OPERATIONS[name], prepared[1])

    def attempt(case: Case) -> None:
        run.begin()
        point, fault, span = case
        with run.deployment.wire.tapped(Failure(at=point, fault=fault, span=span)):
            answer = run.operation.act(run.deployment)
        assert_true(run, answer, case)
        done = answer.status in run.operation.done
        run.recover(settle_first=cases.index(case) % 2 == 0)
        if done:
            run.end()
        tally.count("failing requests")

    # A lost answer is the hardest case: CI tries it for every request that changes something, and a few of the others,
    # which differ from one operation to the next.
    every = [(point, fault, span) for point in run.points for fault in FAULTS for span in Span]
    lost = [
        (point, fault, span)
        for point, fault, span in every
        if fault is Fault.LOST and span is Span.ATTEMPT and not point.changes_nothing
    ]
    others = [case for case in every if case not in lost]
    cases = every if budget.SOAK else [*lost, *budget.spread(others, ci=3, of_whom=name)]
    each_of(budget.spread(cases, ci=4) if run.operation.heavy else cases, attempt)
