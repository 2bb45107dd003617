"""Other people's tools, which say whether the world can read what we write. A missing one fails the test."""

import shutil
import subprocess

import pytest

INSTALL = "apt-get install skopeo umoci docker-registry libarchive-tools"


def witness(name: str) -> str:
    """Return where a tool is installed."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: {INSTALL}", pytrace=False)
    return path


def run(*command: str) -> bytes:
    """Run a witness and return what it prints."""
    finished = subprocess.run(  # noqa: S603 - a witness, and arguments of a test
        [witness(command[0]), *command[1:]], capture_output=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout
