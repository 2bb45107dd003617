"""Other people's tools, which say whether the world can read what we write. A missing one fails the test."""

import os
import subprocess
from typing import Final

import pytest
from local.programs import ProgramMissing, program

# A copy: pytest changes the process's own variables for each test. A program that a thread starts at that very moment
# would be handed memory that is being moved, and the kernel refuses that with EFAULT.
_ENVIRONMENT: Final = dict(os.environ)


def witness(name: str) -> str:
    """Return where a tool is installed."""
    try:
        return str(program(name))
    except ProgramMissing as error:
        pytest.fail(str(error), pytrace=False)


def run(*command: str) -> bytes:
    """Run a witness and return what it prints."""
    finished = subprocess.run(  # noqa: S603 - a witness, and arguments of a test
        [witness(command[0]), *command[1:]], capture_output=True, check=False, env=_ENVIRONMENT, timeout=60
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout
