"""Finds the stack that another process runs, by its port."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Endpoint
from local.environments import LOCAL
from local.function import free_port
from local.sam_deployment import function_environments
from local.stack import StackDescription, running_stack

_DEFAULT_PORT = 4566


class StackNotRunning(Exception):
    """No stack is running. The message says how to start one."""


@dataclass(frozen=True, slots=True)
class StandingStack:
    """A running stack.

    Attributes:
        port: Its port on 127.0.0.1.
        description: Its addresses and keys.
        variables: Each function's variables, by logical id.
    """

    port: int
    description: StackDescription
    variables: dict[str, dict[str, str]]

    @property
    def log_level(self) -> str:
        """The log of its functions."""
        return next(iter(self.variables.values()))["POWERTOOLS_LOG_LEVEL"]


def standing_stack(port: int, *, folder: Path | None = None) -> StandingStack:
    """Return the stack that `make run` runs on a port.

    Args:
        port: Its port on 127.0.0.1.
        folder: The stack's state; by default that of `make run` for this port.

    Raises:
        StackNotRunning: Nothing answers there, or it is not this folder's stack.
    """
    start = "make run" if port == _DEFAULT_PORT else f"PORT={port} make run"
    missing = StackNotRunning(
        f"no stack of this folder runs on port {port}. Start one in another terminal, `{start}`, and try again; "
        "PORT= chooses another port"
    )
    try:
        text = ((folder or LOCAL / "state" / str(port)) / "stack.json").read_text(encoding="utf-8")
        description: StackDescription = json.loads(text)
        variables = function_environments(endpoint=Endpoint(port))
    except (OSError, ValueError, BotoCoreError, ClientError) as error:
        raise missing from error
    # Another clone's stack on this port has another table or other queues.
    if any(stated["PACKYARD_TABLE"] != description["table"] for stated in variables.values()):
        raise missing
    return StandingStack(port, description, variables)


@contextmanager
def standing_or_own(port: int) -> Iterator[StackDescription]:
    """Yield the stack that runs on a port, or else one that runs while the block lasts, on another port.

    Raises:
        StackRunning, EmulatorFailed, CommandFailed: It did not start.
    """
    with ExitStack() as ending:
        try:
            stack = standing_stack(port).description
        except StackNotRunning:
            folder = ending.enter_context(tempfile.TemporaryDirectory(dir=LOCAL))
            stack = ending.enter_context(running_stack(folder=Path(folder), port=free_port()))
        yield stack
