"""Commands that end together with us: each runs in its own process group, which is ended as a whole."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local.interruption import GRACE_SECONDS, forget, start

Command = Sequence[str | Path]


class CommandFailed(Exception):
    """A command ended with an error. The message has all that it printed."""


def run(
    command: Command,
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    to_its_end: bool = False,
) -> str:
    """Run a command, wait for it, and return its standard output and errors.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: All its variables; by default those of this process.
        to_its_end: Whether an interrupt waits until it has ended.

    Raises:
        CommandFailed: It could not be started, or its exit status is not 0.
    """
    try:
        process = start(
            command,
            folder=folder,
            environment=environment,
            output=subprocess.PIPE,
            to_its_end=to_its_end,
        )
    except OSError as error:
        raise CommandFailed(f"{command[0]}: {error.strerror}") from error
    try:
        output, _ = process.communicate()
    except BaseException:
        end(process)
        raise
    forget(process)
    if process.returncode:
        words = " ".join(str(word) for word in command)
        raise CommandFailed(f"{words}\n{output}\nended with status {process.returncode}")
    return output


def end(process: subprocess.Popen[str], *, grace_seconds: float = GRACE_SECONDS) -> None:
    """End a process and its group: with SIGTERM first, and SIGKILL after the grace time.

    Args:
        process: The leader of its process group.
        grace_seconds: How long it may take to end after SIGTERM.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=grace_seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    forget(process)
