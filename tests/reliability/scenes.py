"""The scene that all trials start from, once for each kind of registry."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.reliability.operations import build_scene
from tests.reliability.world import Saved, World, running_world

Scene = tuple[World, Saved]
REGISTRIES = ("ecr", "distribution")


@contextmanager
def scene_with(registry: str) -> Iterator[Scene]:
    """Run a world with something for every operation.

    Args:
        registry: The kind of our own registry.
    """
    with running_world(ecr=registry == "ecr") as world:
        build_scene(world)
        yield world, world.save()
