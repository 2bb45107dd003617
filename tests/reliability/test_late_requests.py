"""A request to remove something that nobody hears the answer of, and that is carried out only some time later.

Whoever asked has asked again by then and gone on, since the second time everything was well. A registry cannot be told
that a request is out of date: what is published in the meantime must not be what it removes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.reliability.operations import Operation, abandon_an_image, delete, message, upload
from tests.reliability.scenes import REGISTRIES, Scene, scene_with
from tests.reliability.trials import Count, tapped
from tests.reliability.wire import Sent
from tests.reliability.world import HIDDEN, World

REMOVALS = ("ecr.DeleteRepository", "ecr.BatchDeleteImage", "DELETE ")


def _delete_new(world: World) -> None:
    world.notes["new"] = upload()(world).body["id"]
    world.settle()


OPERATIONS = {
    "delete": Operation(name="delete", act=delete("new"), prepare=_delete_new),
    "clean up": Operation(name="clean up", act=message("orphan_image"), prepare=abandon_an_image),
}


class Late(Count):
    """Keeps the n-th removal for later, or all up to it that a call makes."""

    def __init__(self, number: int, *, all_attempts: bool) -> None:
        super().__init__()
        self.kept: list[Callable[[], Any]] = []
        self.removals = 0
        self._number = number
        self._all_attempts = all_attempts
        self._invocation: str | None = None

    def __call__(self, sent: Sent) -> Any:
        """Send it on, or keep it."""
        if not sent.label.startswith(REMOVALS):
            return sent.deliver()
        self.removals += 1
        again = self._all_attempts and sent.invocation == self._invocation
        if self.removals != self._number and not again:
            return sent.deliver()
        self._invocation = sent.invocation
        self.kept.append(sent.deliver)
        raise sent.lost


@pytest.fixture(scope="module", params=REGISTRIES)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene_with(request.param) as made:
        yield made


@pytest.mark.parametrize("all_attempts", [False, True], ids=["one attempt", "the whole call"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_published_after_a_removal_outlives_the_removal_s_late_requests(
    scene: Scene, name: str, all_attempts: bool
) -> None:
    world, start = scene
    operation = OPERATIONS[name]
    world.restore(start)
    operation.prepare(world)
    start = world.save()
    number = removals = 1
    while number <= removals:
        world.restore(start)
        late = Late(number, all_attempts=all_attempts)
        with tapped(world, late):
            operation.act(world)
        # Whoever was told that it failed asks again, and gets what they ask for.
        for _ in range(4):
            if operation.act(world).status == 200:
                break
            world.service.clock.advance(HIDDEN)
        published = upload()(world)
        for deliver in late.kept:
            deliver()
        world.new_process()
        world.check()
        assert published.status in (201, 503), published.body
        world.settle()
        removals = max(removals, 0 if all_attempts else late.removals - 1)
        number += 1
