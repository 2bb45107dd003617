"""Every operation that writes, with each of its requests failing in each way, for a moment or for good.

A request may be refused for being one too many, fail with 5xx, find nobody, be answered in part, or be carried out
without anybody hearing of it. What the operation then answers must be true: a success is one, and an error has
changed nothing that a caller can see (API contract, section 5, rule 5), unless what got lost was the word that it was
done. In the end, when everybody has done what they would, all must be as if nothing had happened.
"""

from collections.abc import Iterator

import pytest
from tests.gateway import Answer
from tests.reliability import budget, tally
from tests.reliability.operations import OPERATIONS
from tests.reliability.scenes import TRIALS, Scene, scene_with
from tests.reliability.trials import (
    Fault,
    Place,
    Span,
    Trial,
    Trouble,
    assert_either,
    assert_same,
    each_of,
    facts,
    require_documented,
    standing,
    tapped,
    trial,
)

Case = tuple[Place, Fault, Span]


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene_with(request.param) as made:
        yield made


def is_retried(place: Place, fault: Fault) -> bool:
    """Return whether a single failure must not be seen from outside: the SDK's, and our registry client's, retries."""
    aws = place.label.startswith(("dynamodb.", "s3.", "sqs.", "ecr."))
    return fault is not Fault.CUT and (aws or not place.label.startswith("GET "))


def assert_true(made: Trial, answer: Answer, case: Case) -> None:
    """Check that an answer says what has happened."""
    place, fault, span = case
    require_documented(answer)
    stands = standing(made.world.check())
    if answer.status in made.operation.done:
        assert_same(stands, made.stands)
        return
    assert answer.status >= 500, f"answered {answer.status}: {answer.body}"
    assert span is not Span.ATTEMPT or not is_retried(place, fault), (
        f"one failure, and answered {answer.status}"
    )
    if made.operation.deletes and (answer.status == 502 or fault is Fault.LOST):
        return
    if fault is Fault.LOST:
        assert_either(stands, made.stood, made.stands)
    else:
        assert_same(stands, made.stood)


@pytest.mark.parametrize(("scene", "name"), TRIALS, indirect=["scene"])
def test_whatever_fails_the_answer_is_true_and_everything_comes_right(scene: Scene, name: str) -> None:
    made = trial(scene[0], OPERATIONS[name], scene[1])

    def attempt(case: Case) -> None:
        made.begin()
        with tapped(made.world, Trouble(case[1], case[2], case[0])):
            answer = made.operation.act(made.world)
        assert_true(made, answer, case)
        done = answer.status in made.operation.done
        made.recover(settle_first=cases.index(case) % 2 == 0)
        if done:
            assert_same(facts(made.world.settle()), made.after)
        tally.count("failing requests")

    # The answer that got lost is the hardest case: CI takes that for every request, and a few of all the others.
    every = [(place, fault, span) for place in made.requests for fault in Fault for span in Span]
    lost = [case for case in every if case[1] is Fault.LOST and case[2] is Span.ATTEMPT]
    cases = (
        every if budget.SOAK else [*lost, *budget.spread([case for case in every if case not in lost], ci=6)]
    )
    each_of(budget.spread(cases, ci=6) if made.operation.heavy else cases, attempt)
