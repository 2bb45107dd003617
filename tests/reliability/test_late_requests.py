"""A request to remove something whose answer is lost, and which is carried out only some time later.

By then the client has asked again, with success. A registry cannot be told that a request is out of date. So the late
request must not remove what has been published in the meantime.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.engine.points import Point
from tests.reliability.deployment import HIDDEN, Deployment
from tests.reliability.operations import Operation, abandon_an_image, delete, message, upload
from tests.reliability.prepared_deployments import REGISTRIES, Prepared, prepared_deployment

REMOVALS = ("ecr.DeleteRepository", "ecr.BatchDeleteImage", "DELETE ")


def _delete_new(deployment: Deployment) -> None:
    deployment.notes["new"] = upload()(deployment).body["id"]
    deployment.settle()


OPERATIONS = {
    "delete": Operation(name="delete", function="delete_pack", act=delete("new"), prepare=_delete_new),
    "clean up": Operation(
        name="clean up", function="clean_up", act=message("orphan_image"), prepare=abandon_an_image
    ),
}


class Late:
    """A tap that keeps the n-th removal for later, or all attempts of its call."""

    def __init__(self, number: int, *, all_attempts: bool) -> None:
        self.kept: list[Callable[[], Any]] = []
        self.removals = 0
        self._number = number
        self._all_attempts = all_attempts
        self._invocation: str | None = None

    def __call__(self, point: Point) -> Any:
        """Send it on, or keep it."""
        if not point.label.startswith(REMOVALS):
            return point.deliver()
        self.removals += 1
        again = self._all_attempts and point.invocation == self._invocation
        if self.removals != self._number and not again:
            return point.deliver()
        self._invocation = point.invocation
        self.kept.append(point.deliver)
        raise point.lost


@pytest.fixture(scope="module", params=REGISTRIES)
def prepared(request: pytest.FixtureRequest) -> Iterator[Prepared]:
    with prepared_deployment(request.param) as made:
        yield made


@pytest.mark.parametrize("all_attempts", [False, True], ids=["one attempt", "the whole call"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_published_after_a_removal_outlives_the_removal_s_late_requests(
    prepared: Prepared, name: str, all_attempts: bool
) -> None:
    deployment, start = prepared
    operation = OPERATIONS[name]
    deployment.restore(start)
    operation.prepare(deployment)
    start = deployment.save()
    number = removals = 1
    while number <= removals:
        deployment.restore(start)
        late = Late(number, all_attempts=all_attempts)
        with deployment.wire.tapped(late):
            operation.act(deployment)
        # A client that was told of a failure asks again.
        for _ in range(4):
            if operation.act(deployment).status == 200:
                break
            deployment.service.clock.advance(HIDDEN)
        published = upload()(deployment)
        for deliver in late.kept:
            deliver()
        deployment.new_process()
        deployment.check()
        assert published.status in (201, 503), published.body
        deployment.settle()
        removals = max(removals, 0 if all_attempts else late.removals - 1)
        number += 1
