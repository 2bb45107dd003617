"""Requests whose time runs out in the middle: answered before the gateway gives up, and settled afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.fake_registry.moods import Meanwhile
from tests.reliability.world import World, running_world
from tests.service import PackArchive

ARCHIVE = PackArchive().build()


@pytest.fixture
def world() -> Iterator[World]:
    with running_world() as running:
        running.service.time_passes()
        yield running


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_a_publish_answers_when_its_time_is_over_and_its_repeat_succeeds(world: World, method: str) -> None:
    # 29 seconds are what the function has; the gateway's own answer would come after as many.
    begun = world.service.clock()
    waits = Meanwhile(method=method, times=2, act=lambda: world.service.clock.advance(timedelta(seconds=12)))
    world.service.registry.moods.append(waits)

    answer = world.service.upload(ARCHIVE)

    assert (answer.status, answer.body["error"]["code"]) == (502, "registry_unavailable")
    assert world.service.clock() - begun < timedelta(seconds=29)
    assert world.service.list_packs().body["packs"] == []
    world.check()
    assert world.service.upload(ARCHIVE).status == 201
    world.settle()


def test_what_ran_out_of_time_leaves_nothing_once_everything_is_settled(world: World) -> None:
    waits = Meanwhile(method="PUT", times=3, act=lambda: world.service.clock.advance(timedelta(seconds=12)))
    world.service.registry.moods.append(waits)
    assert world.service.upload(ARCHIVE).status == 502

    world.settle()

    assert world.service.registry.shelves.repositories == {}
