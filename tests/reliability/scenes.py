"""The scene that all trials start from, once for each kind of registry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from tests.reliability import budget
from tests.reliability.operations import OPERATIONS, build_scene
from tests.reliability.world import Saved, World, running_world

Scene = tuple[World, Saved]
REGISTRIES: Final = ("ecr", "distribution")
# Where it makes a difference which kind of registry is ours.
_KINDS_DIFFER: Final = ("delete", "upload", "clone theirs")
TRIALS: Final = [
    pytest.param(registry, name, id=f"{name}, {registry}")
    for registry in REGISTRIES
    for name in OPERATIONS
    if registry == "ecr" or budget.SOAK or name in _KINDS_DIFFER or name.startswith("clean up")
]


@contextmanager
def scene_with(registry: str) -> Iterator[Scene]:
    """Run a world with something for every operation.

    Args:
        registry: The kind of our own registry.
    """
    with running_world(ecr=registry == "ecr") as world:
        build_scene(world)
        yield world, world.save()
