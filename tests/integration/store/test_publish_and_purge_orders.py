"""No order of a few publishers and a cleaner leaves a row whose image is gone.

Each is written as a sequence of steps, and every order in which the steps can fall is run against the real conditions.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.aws import Aws, aws_in_memory
from tests.repository_world import HELD, LAPSED, LEASE, Steps, World, cleaner, orders, publisher, run


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def test_a_publisher_at_work_is_never_disturbed(aws: Aws) -> None:
    seen = set()
    for order in orders([3, 4]):
        world = World(aws)
        run(world, [publisher(world, claimed_for=HELD), cleaner(world)], order)
        seen.add(frozenset(world.outcomes))

    # The first one gets the repository. The other waits, or finds it in use.
    assert seen == {
        frozenset({"committed", "no purge: RepositoryBusy"}),
        frozenset({"deleted", "no claim: RepositoryBusy"}),
        frozenset({"deleted", "committed"}),
    }


def test_a_publisher_whose_claim_has_lapsed_commits_before_a_purge_or_not_at_all(aws: Aws) -> None:
    seen = set()
    for order in orders([3, 4]):
        world = World(aws)
        run(world, [publisher(world, claimed_for=LAPSED), cleaner(world)], order)
        seen.add(frozenset(world.outcomes))

    assert seen == {
        frozenset({"committed", "kept"}),
        frozenset({"deleted", "no commit: ClaimLost"}),
        frozenset({"deleted", "no claim: RepositoryBusy"}),
        frozenset({"deleted", "committed"}),
    }


def test_of_two_publishers_of_one_image_at_most_one_commits_and_its_image_stays(aws: Aws) -> None:
    seen = set()
    for order in orders([2, 2, 3]):
        if order.index(0) > order.index(1):
            continue  # the two publishers are alike
        world = World(aws)
        actors = [_in_two(publisher(world, claimed_for=LAPSED)) for _ in range(2)]
        run(world, [*actors, cleaner(world)], order)
        assert world.outcomes.count("committed") <= 1
        seen.update(world.outcomes)

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
    for order in orders([3, 4]):
        world = World(aws)
        crashed = cleaner(world)
        paused = publisher(world, claimed_for=LAPSED)
        next(paused)
        for _ in range(steps_before_the_crash):
            next(crashed)
        world.now += LEASE + timedelta(seconds=1)

        run(world, [publisher(world, claimed_for=LAPSED), cleaner(world), paused], [*order, 2, 2])

        assert "no commit: ClaimLost" in world.outcomes or "no commit: NameHeld" in world.outcomes
