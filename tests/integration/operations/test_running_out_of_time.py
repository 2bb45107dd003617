"""Requests whose time runs out in the middle: answered before the gateway gives up, and settled afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.fake_registry.moods import Meanwhile
from tests.reliability.deployment import Deployment, running_deployment
from tests.service import PackArchive

ARCHIVE = PackArchive().build()


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with running_deployment() as running:
        running.service.time_passes()
        yield running


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_a_publish_answers_when_its_time_is_over_and_its_repeat_succeeds(
    deployment: Deployment, method: str
) -> None:
    # 29 seconds are what the function has; the gateway's own answer would come after as many.
    begun = deployment.service.clock()
    waits = Meanwhile(
        method=method, times=2, act=lambda: deployment.service.clock.advance(timedelta(seconds=12))
    )
    deployment.service.registry.moods.append(waits)

    answer = deployment.service.upload(ARCHIVE)

    assert (answer.status, answer.body["error"]["code"]) == (502, "registry_unavailable")
    assert deployment.service.clock() - begun < timedelta(seconds=29)
    assert deployment.service.list_packs().body["packs"] == []
    deployment.check()
    assert deployment.service.upload(ARCHIVE).status == 201
    deployment.settle()


def test_what_ran_out_of_time_leaves_nothing_once_everything_is_settled(deployment: Deployment) -> None:
    waits = Meanwhile(
        method="PUT", times=3, act=lambda: deployment.service.clock.advance(timedelta(seconds=12))
    )
    deployment.service.registry.moods.append(waits)
    assert deployment.service.upload(ARCHIVE).status == 502

    deployment.settle()

    assert deployment.service.registry.shelves.repositories == {}
