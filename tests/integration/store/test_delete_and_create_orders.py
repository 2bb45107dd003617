"""No order of those who delete a pack, a cleaner and a publisher of its name leaves an active row without its image.

Each is written as a sequence of steps, and every order in which the steps can fall is run against the real conditions.
A registry cannot be told to refuse a late delete: whoever has begun to purge may delete at any later moment.
"""

from collections.abc import Iterator

import pytest
from tests.aws import TABLE, Aws, aws_in_memory
from tests.packs import ORG
from tests.repository_world import LAPSED, LEASE, Steps, World, orders, publisher, run

from packyard.store.repository_holds import NameLost, RepositoryBusy


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def a_world(aws: Aws) -> World:
    """Return a new one in an empty table: each transaction costs the emulation a copy of all that is in it."""
    for item in aws.dynamodb.scan(TableName=TABLE)["Items"]:
        aws.dynamodb.delete_item(TableName=TABLE, Key={"PK": item["PK"], "SK": item["SK"]})
    return World(aws)


def a_world_with_a_pack(aws: Aws) -> tuple[World, str]:
    world = a_world(aws)
    for _ in publisher(world, claimed_for=LAPSED):
        pass
    world.outcomes.clear()
    pack_id = world.packs.find_by_name(org_id=ORG, name=world.name)
    assert pack_id is not None
    return world, pack_id


def brief_publisher(world: World) -> Steps:
    """Claim and push at once, then commit."""
    steps = publisher(world, claimed_for=LAPSED)
    next(steps, None)
    yield from steps


def deleter(world: World, pack_id: str) -> Steps:
    """Decide and take the repository, purge it, finish."""
    deletion = world.decide(pack_id)
    if deletion is None:
        world.outcomes.append("deleted before")
        return
    try:
        purge = world.join_purge(deletion)
    except NameLost:
        world.outcomes.append("deleted before")
        return
    yield
    world.delete()
    yield
    world.finish(deletion, purge)
    world.outcomes.append("deleted")


def brief_deleter(world: World, pack_id: str) -> Steps:
    """Decide and take the repository, then do all the rest at once."""
    steps = deleter(world, pack_id)
    if next(steps, steps) is None:
        yield
    for _ in steps:
        pass


def late_cleaner(world: World) -> Steps:
    """Begin because of some other image; delete at leisure, and end."""
    try:
        purge = world.begin_purge()
    except RepositoryBusy:
        world.outcomes.append("no purge")
        return
    used = world.is_used(purge)
    yield
    if not used:
        world.delete()
    yield
    world.repositories.end_purge(purge)


def test_a_publisher_of_the_name_comes_after_the_purge_or_not_at_all(aws: Aws) -> None:
    seen = set()
    for order in orders([3, 3]):
        world, pack_id = a_world_with_a_pack(aws)
        run(world, [deleter(world, pack_id), publisher(world, claimed_for=LAPSED)], order)
        seen.add(frozenset(world.outcomes))

    assert seen == {frozenset({"deleted", "committed"}), frozenset({"deleted", "no claim: NameHeld"})}


def test_a_publisher_from_before_cannot_commit_into_the_purge_nor_after_it(aws: Aws) -> None:
    """Two claimed the name while it was free; the other one's pack is the one that is deleted."""
    for order in orders([3, 2]):
        world = a_world(aws)
        slow = publisher(world, claimed_for=LAPSED)
        next(slow)
        for _ in publisher(world, claimed_for=LAPSED):
            pass
        pack_id = world.packs.find_by_name(org_id=ORG, name=world.name)
        assert pack_id is not None
        world.outcomes.clear()

        run(world, [deleter(world, pack_id), slow], order)

        assert "committed" not in world.outcomes
        assert "deleted" in world.outcomes


def test_of_two_who_delete_both_succeed_and_a_publisher_waits_for_the_last(aws: Aws) -> None:
    seen = set()
    for order in orders([3, 2, 2]):
        world, pack_id = a_world_with_a_pack(aws)
        actors = [deleter(world, pack_id), brief_deleter(world, pack_id), brief_publisher(world)]
        run(world, actors, order)
        assert world.deletions.find(pack_id) is None
        seen.update(world.outcomes)

    assert seen == {
        "deleted",
        "deleted before",
        "committed",
        "no claim: NameHeld",
        "no claim: RepositoryBusy",
    }


def test_a_cleaner_that_is_slow_keeps_publishers_out_when_the_name_is_free(aws: Aws) -> None:
    seen = set()
    for order in orders([2, 3, 2]):
        world, pack_id = a_world_with_a_pack(aws)
        actors = [brief_deleter(world, pack_id), late_cleaner(world), brief_publisher(world)]
        run(world, actors, order)
        assert world.deletions.find(pack_id) is None
        seen.update(world.outcomes)

    assert {"deleted", "no purge", "committed", "no claim: RepositoryBusy"} <= seen


@pytest.mark.parametrize("steps_before_the_crash", [1, 2])
def test_a_dead_deleter_delays_only_publishers_and_only_for_one_lease(
    aws: Aws, steps_before_the_crash: int
) -> None:
    world, pack_id = a_world_with_a_pack(aws)
    crashed = deleter(world, pack_id)
    for _ in range(steps_before_the_crash):
        next(crashed)

    for _ in deleter(world, pack_id):
        pass
    for _ in publisher(world, claimed_for=LAPSED):
        pass
    world.now += LEASE * 2
    for _ in publisher(world, claimed_for=LAPSED):
        assert world.is_sound()

    assert world.outcomes == ["deleted", "no claim: RepositoryBusy", "committed"]
