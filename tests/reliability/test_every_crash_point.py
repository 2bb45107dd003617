"""Every operation that writes, killed right before and right after each request that leaves the process.

Then everybody does what they would: the queues deliver again what was not settled, and the client asks again, at once
or after everything has been cleaned up. In between and at the end every invariant is looked at, and in the end all must
be as if nothing had happened.
"""

from collections.abc import Iterator

import pytest
from tests.reliability import budget, tally
from tests.reliability.operations import OPERATIONS, Killed
from tests.reliability.scenes import TRIALS, Scene, scene_with
from tests.reliability.trials import Fuse, Place, Trial, each_of, tapped, trial

AT_ONCE = "asked again at once"
SETTLED = "settled, then asked again"


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene_with(request.param) as made:
        yield made


def killed(made: Trial, place: Place, *, after: bool) -> None:
    made.begin()
    fuse = Fuse(place, after=after)
    with pytest.raises(Killed), tapped(made.world, fuse):
        made.operation.act(made.world)
    made.world.new_process()
    tally.count("crash points")


@pytest.mark.parametrize(("scene", "name"), TRIALS, indirect=["scene"])
def test_killed_before_or_after_any_request_it_leaves_nothing_that_does_not_come_right(
    scene: Scene, name: str
) -> None:
    made = trial(scene[0], OPERATIONS[name], scene[1])

    def attempt(case: tuple[Place, str, str]) -> None:
        place, side, then = case
        killed(made, place, after=side == "after")
        made.recover(settle_first=then == SETTLED)

    # Dying before a request leaves what dying after the one before it does, but for what runs side by side: for CI one
    # of the two will do. There, every other moment is followed by the one, and the rest by the other.
    moments = [
        (place, side)
        for place in made.requests
        for side in ("before", "after")
        if budget.SOAK or side == "after" or place is made.requests[0]
    ]
    cases = [
        (place, side, then)
        for number, (place, side) in enumerate(moments)
        for parity, then in enumerate((AT_ONCE, SETTLED))
        if budget.SOAK or number % 2 == parity
    ]
    each_of(budget.spread(cases, ci=6) if made.operation.heavy else cases, attempt)
