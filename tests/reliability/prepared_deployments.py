"""The state that every operation starts from, for each kind of registry of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from tests.reliability import budget
from tests.reliability.deployment import Deployment, Saved, running_deployment
from tests.reliability.operations import OPERATIONS, prepare_all
from tests.small_layers import shrink_layers

from packyard.operations import publish, standing_pack

Prepared = tuple[Deployment, Saved]
REGISTRIES: Final = ("ecr", "distribution")
# Operations that do different things for each kind of registry.
_KINDS_DIFFER: Final = ("delete", "upload", "clone theirs", "pull a blob")
RUNS: Final = [
    pytest.param(registry, name, id=f"{name}, {registry}")
    for registry in REGISTRIES
    for name in OPERATIONS
    if registry == "ecr" or budget.SOAK or name in _KINDS_DIFFER or name.startswith("clean up")
]


@contextmanager
def small_layers() -> Iterator[None]:
    """Divide the sizes by 1024 from which an image has several layers, and an archive is built upon what stands."""
    with pytest.MonkeyPatch.context() as patch:
        shrink_layers(patch)
        patch.setattr(publish, "_LARGE_ARCHIVE", publish._LARGE_ARCHIVE >> 10)  # noqa: SLF001 - a bound on effort
        patch.setattr(standing_pack, "_WORTH_BYTES", standing_pack._WORTH_BYTES >> 10)  # noqa: SLF001 - likewise
        yield


@contextmanager
def prepared_deployment(registry: str) -> Iterator[Prepared]:
    """Run a deployment that has what every operation needs.

    Args:
        registry: The kind of our own registry.
    """
    with small_layers(), running_deployment(ecr=registry == "ecr") as deployment:
        prepare_all(deployment)
        yield deployment, deployment.save()
