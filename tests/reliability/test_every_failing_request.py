"""Every operation that writes, with each of its requests failing in each way, for a moment or for good.

A request may be refused for being one too many, fail with 5xx, find nobody, be answered in part, or be carried out
without anybody hearing of it. What the operation then answers must be true: a success is one, and an error has
changed nothing that a caller can see (API contract, section 5, rule 5), unless what got lost was the word that it was
done. In the end, when everybody has done what they would, all must be as if nothing had happened.
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
    facts,
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
    """Return whether a single failure must not be seen from outside: the SDK's, and our registry client's, retries."""
    aws = point.label.startswith(("dynamodb.", "s3.", "sqs.", "ecr."))
    return fault is not Fault.CUT and (aws or not point.label.startswith("GET "))


def assert_true(run: ReferenceRun, answer: Answer, case: Case) -> None:
    """Check that an answer says what has happened."""
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


@pytest.mark.parametrize(("prepared", "name"), RUNS, indirect=["prepared"])
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
            assert_same(facts(run.deployment.settle()), run.facts_after)
        tally.count("failing requests")

    # The answer that got lost is the hardest case: CI takes that for every request, and a few of all the others.
    every = [(point, fault, span) for point in run.points for fault in FAULTS for span in Span]
    lost = [case for case in every if case[1] is Fault.LOST and case[2] is Span.ATTEMPT]
    cases = (
        every if budget.SOAK else [*lost, *budget.spread([case for case in every if case not in lost], ci=6)]
    )
    each_of(budget.spread(cases, ci=6) if run.operation.heavy else cases, attempt)
