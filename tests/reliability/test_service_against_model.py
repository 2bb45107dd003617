"""The service answers what its contract says, whatever is asked, in whatever order, and whatever fails."""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.reliability.budget import of
from tests.reliability.model.machine import Machine

# The first two walks of a seed are of its first rule only, so CI has one seed. After ten walks, Hypothesis begins to
# try near copies of them.
WALKS = settings(
    max_examples=of(ci=10, soak=500),
    stateful_step_count=of(ci=35, soak=70),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("number", range(of(ci=1, soak=3)))
def test_service_against_model(number: int) -> None:
    run_state_machine_as_test(seed(number)(Machine), settings=WALKS)
