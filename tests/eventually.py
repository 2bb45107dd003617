"""Waiting for what another process does."""

import time
from pathlib import Path

import pytest


def eventually_written(path: Path) -> str:
    """Return what is written to a file, as soon as something is."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text().strip()):
            return text
        time.sleep(0.02)
    return pytest.fail(f"{path} was not written")


def eventually_gone(pid: int) -> bool:
    """Return whether a process ends soon."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        # A zombie that nobody has reaped yet has ended, too.
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
