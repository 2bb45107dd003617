"""No order of a few publishers and a cleaner leaves a row whose image is gone.

Each is written as a sequence of steps, and every order in which the steps can fall is run against the real conditions.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.aws import Aws, aws_in_memory
from tests.engine.turns import Order, Steps, every_order, take_steps
from tests.publishing_steps import HELD, LAPSED, LEASE, OneName, cleaner, publisher


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def test_a_publisher_at_work_is_never_disturbed(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name = OneName(aws)
        actors = [publisher(name, claimed_for=HELD), cleaner(name)]
        take_steps(actors, order, name.assert_sound)
        seen.add(frozenset(name.outcomes))

    # The first one gets the repository. The other waits, or finds it in use.
    assert seen == {
        frozenset({"committed", "no purge: RepositoryBusy"}),
        frozenset({"deleted", "no claim: RepositoryBusy"}),
        frozenset({"deleted", "committed"}),
    }


def test_a_publisher_whose_claim_has_lapsed_commits_before_a_purge_or_not_at_all(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name = OneName(aws)
        actors = [publisher(name, claimed_for=LAPSED), cleaner(name)]
        take_steps(actors, order, name.assert_sound)
        seen.add(frozenset(name.outcomes))

    assert seen == {
        frozenset({"committed", "kept"}),
        frozenset({"deleted", "no commit: ClaimLost"}),
        frozenset({"deleted", "no claim: RepositoryBusy"}),
        frozenset({"deleted", "committed"}),
    }


def test_of_two_publishers_of_one_image_at_most_one_commits_and_its_image_stays(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name = OneName(aws)
        actors = [_in_two(publisher(name, claimed_for=LAPSED)) for _ in range(2)]
        take_steps([*actors, cleaner(name)], order, name.assert_sound)
        assert name.outcomes.count("committed") <= 1
        seen.update(name.outcomes)

    assert seen == {
        "committed",
        "kept",
        "deleted",
        "no claim: NameHeld",
        "no claim: RepositoryBusy",
        "no commit: NameHeld",
        "no commit: ClaimLost",
    }


def _in_two(steps: Steps) -> Steps:
    """Take a publisher's first two steps at once."""
    next(steps, None)
    next(steps, None)
    yield
    next(steps, None)


@pytest.mark.parametrize("steps_before_the_crash", [1, 2, 3])
def test_a_crashed_cleaner_is_taken_over_when_its_lease_has_run_out(
    aws: Aws, steps_before_the_crash: int
) -> None:
    for order in every_order():
        name = OneName(aws)
        crashed = cleaner(name)
        paused = publisher(name, claimed_for=LAPSED)
        next(paused)
        for _ in range(steps_before_the_crash):
            next(crashed)
        name.now += LEASE + timedelta(seconds=1)

        actors = [publisher(name, claimed_for=LAPSED), cleaner(name)]
        take_steps(actors, order, name.assert_sound)
        take_steps([paused], Order(()), name.assert_sound)

        assert "no commit: ClaimLost" in name.outcomes or "no commit: NameHeld" in name.outcomes
