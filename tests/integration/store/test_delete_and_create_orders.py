"""No order of those who delete a pack, a cleaner and a publisher of its name leaves an active row without its image.

Each is written as a sequence of steps, and every order in which the steps can fall is run against the real conditions.
A registry cannot be told to refuse a late delete: whoever has begun to purge may delete at any later moment.
"""

from collections.abc import Iterator

import pytest
from tests import table_rows
from tests.aws import Aws, aws_in_memory
from tests.engine.turns import Steps, every_order, take_steps
from tests.packs import ORG
from tests.publishing_steps import LAPSED, LEASE, OneName, publisher

from packyard.store.repository_holds import NameLost, RepositoryBusy


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def a_name(aws: Aws) -> OneName:
    """Return a new one in an empty table."""
    table_rows.remove_all()
    return OneName(aws)


def a_name_with_a_pack(aws: Aws) -> tuple[OneName, str]:
    name = a_name(aws)
    for _ in publisher(name, claimed_for=LAPSED):
        pass
    name.outcomes.clear()
    pack_id = name.packs.find_by_name(org_id=ORG, name=name.text)
    assert pack_id is not None
    return name, pack_id


def brief_publisher(name: OneName) -> Steps:
    """Claim and push at once, then commit."""
    steps = publisher(name, claimed_for=LAPSED)
    next(steps, None)
    yield from steps


def deleter(name: OneName, pack_id: str) -> Steps:
    """Decide and take the repository, purge it, finish."""
    deletion = name.decide(pack_id)
    if deletion is None:
        name.outcomes.append("deleted before")
        return
    try:
        purge = name.join_purge(deletion)
    except NameLost:
        name.outcomes.append("deleted before")
        return
    yield
    name.delete()
    yield
    name.finish(deletion, purge)
    name.outcomes.append("deleted")


def brief_deleter(name: OneName, pack_id: str) -> Steps:
    """Decide and take the repository, then do all the rest at once."""
    steps = deleter(name, pack_id)
    if next(steps, steps) is None:
        yield
    for _ in steps:
        pass


def late_cleaner(name: OneName) -> Steps:
    """Begin because of some other image; delete at leisure, and end."""
    try:
        purge = name.begin_purge()
    except RepositoryBusy:
        name.outcomes.append("no purge")
        return
    used = name.is_used(purge)
    yield
    if not used:
        name.delete()
    yield
    name.repositories.end_purge(purge)


def test_a_publisher_of_the_name_comes_after_the_purge_or_not_at_all(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name, pack_id = a_name_with_a_pack(aws)
        actors = [deleter(name, pack_id), publisher(name, claimed_for=LAPSED)]
        take_steps(actors, order, name.assert_sound)
        seen.add(frozenset(name.outcomes))

    assert seen == {frozenset({"deleted", "committed"}), frozenset({"deleted", "no claim: NameHeld"})}


def test_a_publisher_from_before_cannot_commit_into_the_purge_nor_after_it(aws: Aws) -> None:
    """Two claimed the name while it was free; the other one's pack is the one that is deleted."""
    for order in every_order():
        name = a_name(aws)
        slow = publisher(name, claimed_for=LAPSED)
        next(slow)
        for _ in publisher(name, claimed_for=LAPSED):
            pass
        pack_id = name.packs.find_by_name(org_id=ORG, name=name.text)
        assert pack_id is not None
        name.outcomes.clear()

        take_steps([deleter(name, pack_id), slow], order, name.assert_sound)

        assert "committed" not in name.outcomes
        assert "deleted" in name.outcomes


def test_of_two_who_delete_both_succeed_and_a_publisher_waits_for_the_last(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name, pack_id = a_name_with_a_pack(aws)
        actors = [deleter(name, pack_id), brief_deleter(name, pack_id), brief_publisher(name)]
        take_steps(actors, order, name.assert_sound)
        assert name.deletions.find(pack_id) is None
        seen.update(name.outcomes)

    assert seen == {
        "deleted",
        "deleted before",
        "committed",
        "no claim: NameHeld",
        "no claim: RepositoryBusy",
    }


def test_a_cleaner_that_is_slow_keeps_publishers_out_when_the_name_is_free(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name, pack_id = a_name_with_a_pack(aws)
        actors = [brief_deleter(name, pack_id), late_cleaner(name), brief_publisher(name)]
        take_steps(actors, order, name.assert_sound)
        assert name.deletions.find(pack_id) is None
        seen.update(name.outcomes)

    assert {"deleted", "no purge", "committed", "no claim: RepositoryBusy"} <= seen


@pytest.mark.parametrize("steps_before_the_crash", [1, 2])
def test_a_dead_deleter_delays_only_publishers_and_only_for_one_lease(
    aws: Aws, steps_before_the_crash: int
) -> None:
    name, pack_id = a_name_with_a_pack(aws)
    crashed = deleter(name, pack_id)
    for _ in range(steps_before_the_crash):
        next(crashed)

    for _ in deleter(name, pack_id):
        pass
    for _ in publisher(name, claimed_for=LAPSED):
        pass
    name.now += LEASE * 2
    for _ in publisher(name, claimed_for=LAPSED):
        assert name.is_sound()

    assert name.outcomes == ["deleted", "no claim: RepositoryBusy", "committed"]
