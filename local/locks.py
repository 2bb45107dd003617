"""Locks between runs. The system releases them even if a run is killed."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local.progress import step

# A killed run may leave a command behind that still writes. That command also holds the lock, until it has ended.
_shared_with_commands: set[int] = set()


class StackRunning(Exception):
    """Another process runs a stack with this state."""


def shared_with_commands() -> tuple[int, ...]:
    """Return the file descriptors that a command must inherit."""
    return tuple(_shared_with_commands)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold a file's lock, together with all commands that run meanwhile. Wait while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not _locked(file):
            with step("waiting for another run in this folder"):
                fcntl.flock(file, fcntl.LOCK_EX)
        _shared_with_commands.add(file.fileno())
        try:
            yield
        finally:
            _shared_with_commands.discard(file.fileno())


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Claim a stack's state for this process.

    Args:
        folder: The state.

    Raises:
        StackRunning: Another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        if not _locked(file):
            raise StackRunning(f"a stack is starting or running already with the state in {folder}")
        yield


def is_held(folder: Path) -> bool:
    """Return whether a process has claimed a stack's state."""
    try:
        with holding(folder):
            return False
    except StackRunning:
        return True


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
