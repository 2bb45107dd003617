"""The state that every operation starts from, for each kind of registry of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from tests.reliability import budget
from tests.reliability.deployment import Deployment, Saved, running_deployment
from tests.reliability.operations import OPERATIONS, prepare_all

Prepared = tuple[Deployment, Saved]
REGISTRIES: Final = ("ecr", "distribution")
# Operations that do different things for each kind of registry.
_KINDS_DIFFER: Final = ("delete", "upload", "clone theirs")
RUNS: Final = [
    pytest.param(registry, name, id=f"{name}, {registry}")
    for registry in REGISTRIES
    for name in OPERATIONS
    if registry == "ecr" or budget.SOAK or name in _KINDS_DIFFER or name.startswith("clean up")
]


@contextmanager
def prepared_deployment(registry: str) -> Iterator[Prepared]:
    """Run a deployment that has what every operation needs.

    Args:
        registry: The kind of our own registry.
    """
    with running_deployment(ecr=registry == "ecr") as deployment:
        prepare_all(deployment)
        yield deployment, deployment.save()
