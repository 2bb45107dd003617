"""No order of those who give a pack a new image and a cleaner leaves a revision whose image is gone.

The cleaner comes for an image that a killed re-upload pushed, while another one pushes the same image again.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.aws import Aws, aws_in_memory
from tests.packs import a_pack
from tests.repository_world import HELD, IMAGE, LAPSED, Steps, World, cleaner, orders

from packyard.packs.pack import Pack
from packyard.store.packs import Stale
from packyard.store.repository_holds import ClaimLost, RepositoryBusy


def standing_pack(world: World) -> Pack:
    """Return a pack that holds the name, with an image that no actor of this test changes."""
    pack = a_pack(next(world.numbers), name=world.name)
    world.packs.create(pack, actor="key:1", operation="upload", claim=world.claim(LAPSED))
    return pack


def reuploader(world: World, pack: Pack, *, claimed_for: timedelta) -> Steps:
    """Claim, push, commit."""
    try:
        claim = world.repositories.claim_for_change(
            pack, until=world.now + claimed_for, now=world.now, token=f"{next(world.numbers)}"
        )
    except RepositoryBusy:
        world.outcomes.append("no claim")
        return
    yield
    world.push()
    yield
    after = pack.revised(at=world.now, image_digest=IMAGE)
    try:
        world.packs.change(pack, after, actor="key:1", operation="reupload", claim=claim)
    except (Stale, ClaimLost) as refused:
        world.outcomes.append(f"no commit: {type(refused).__name__}")
    else:
        world.outcomes.append("committed")


def is_sound(world: World, pack: Pack) -> bool:
    return world.has_image or not world.packs.uses_digest(pack.id, IMAGE)


def run(world: World, pack: Pack, actors: list[Steps], order: tuple[int, ...]) -> None:
    for actor in order:
        next(actors[actor], None)
        assert is_sound(world, pack), world.outcomes


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def test_a_reupload_at_work_is_never_disturbed(aws: Aws) -> None:
    seen = set()
    for order in orders([3, 4]):
        world = World(aws)
        pack = standing_pack(world)
        run(world, pack, [reuploader(world, pack, claimed_for=HELD), cleaner(world)], order)
        seen.add(frozenset(world.outcomes))

    assert seen == {
        frozenset({"committed", "no purge: RepositoryBusy"}),
        frozenset({"deleted", "no claim"}),
        frozenset({"deleted", "committed"}),
    }


def test_a_reupload_whose_claim_has_lapsed_commits_before_a_purge_or_not_at_all(aws: Aws) -> None:
    seen = set()
    for order in orders([3, 4]):
        world = World(aws)
        pack = standing_pack(world)
        run(world, pack, [reuploader(world, pack, claimed_for=LAPSED), cleaner(world)], order)
        seen.add(frozenset(world.outcomes))

    assert seen == {
        frozenset({"committed", "kept"}),
        frozenset({"deleted", "no commit: ClaimLost"}),
        frozenset({"deleted", "no claim"}),
        frozenset({"deleted", "committed"}),
    }


def test_of_two_reuploads_from_one_revision_one_commits(aws: Aws) -> None:
    for order in orders([3, 3]):
        world = World(aws)
        pack = standing_pack(world)
        actors = [reuploader(world, pack, claimed_for=HELD) for _ in range(2)]
        run(world, pack, actors, order)

        assert sorted(world.outcomes) == ["committed", "no commit: Stale"]
