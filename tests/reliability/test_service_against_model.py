"""The service answers what its contract says, whatever is asked, in whatever order, and whatever fails."""

from hypothesis import HealthCheck, settings
from tests.reliability.budget import of
from tests.reliability.model.machine import Machine

TestServiceAgainstModel = Machine.TestCase
TestServiceAgainstModel.settings = settings(
    max_examples=of(ci=20, soak=1500),
    stateful_step_count=of(ci=50, soak=70),
    suppress_health_check=list(HealthCheck),
)
