"""No order of those who give a pack a new image and a cleaner leaves a revision whose image is gone.

The cleaner comes for an image that a killed re-upload pushed, while another one pushes the same image again.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from tests.aws import Aws, aws_in_memory
from tests.engine.turns import Steps, every_order, take_steps
from tests.packs import a_pack
from tests.publishing_steps import HELD, IMAGE, LAPSED, OneName, cleaner

from packyard.packs.pack import Pack
from packyard.store.packs import Stale
from packyard.store.repository_holds import ClaimLost, RepositoryBusy


def standing_pack(name: OneName) -> Pack:
    """Return a pack that holds the name, with an image that no actor of this test changes."""
    pack = a_pack(next(name.numbers), name=name.text)
    name.packs.create(pack, actor="key:1", operation="upload", claim=name.claim(LAPSED))
    return pack


def reuploader(name: OneName, pack: Pack, *, claimed_for: timedelta) -> Steps:
    """Claim, push, commit."""
    try:
        claim = name.repositories.claim_for_change(
            pack, until=name.now + claimed_for, now=name.now, token=f"{next(name.numbers)}"
        )
    except RepositoryBusy:
        name.outcomes.append("no claim")
        return
    yield
    name.push()
    yield
    after = pack.revised(at=name.now, image_digest=IMAGE)
    try:
        name.packs.change(pack, after, actor="key:1", operation="reupload", claim=claim)
    except (Stale, ClaimLost) as refused:
        name.outcomes.append(f"no commit: {type(refused).__name__}")
    else:
        name.outcomes.append("committed")


def is_sound(name: OneName, pack: Pack) -> bool:
    return name.has_image or not name.packs.uses_digest(pack.id, IMAGE)


def assert_sound(name: OneName, pack: Pack) -> None:
    assert is_sound(name, pack), name.outcomes


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def test_a_reupload_at_work_is_never_disturbed(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name = OneName(aws)
        pack = standing_pack(name)
        actors = [reuploader(name, pack, claimed_for=HELD), cleaner(name)]
        take_steps(actors, order, partial(assert_sound, name, pack))
        seen.add(frozenset(name.outcomes))

    assert seen == {
        frozenset({"committed", "no purge: RepositoryBusy"}),
        frozenset({"deleted", "no claim"}),
        frozenset({"deleted", "committed"}),
    }


def test_a_reupload_whose_claim_has_lapsed_commits_before_a_purge_or_not_at_all(aws: Aws) -> None:
    seen = set()
    for order in every_order():
        name = OneName(aws)
        pack = standing_pack(name)
        actors = [reuploader(name, pack, claimed_for=LAPSED), cleaner(name)]
        take_steps(actors, order, partial(assert_sound, name, pack))
        seen.add(frozenset(name.outcomes))

    assert seen == {
        frozenset({"committed", "kept"}),
        frozenset({"deleted", "no commit: ClaimLost"}),
        frozenset({"deleted", "no claim"}),
        frozenset({"deleted", "committed"}),
    }


def test_of_two_reuploads_from_one_revision_one_commits(aws: Aws) -> None:
    for order in every_order():
        name = OneName(aws)
        pack = standing_pack(name)
        actors = [reuploader(name, pack, claimed_for=HELD) for _ in range(2)]
        take_steps(actors, order, partial(assert_sound, name, pack))

        assert sorted(name.outcomes) == ["committed", "no commit: Stale"]
