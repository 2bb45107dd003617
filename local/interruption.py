"""Interrupts: a command that is asked to stop ends the processes that it has started, prints one line, and exits.

Nothing is unwound. So an interrupt has the same effect at every moment, and leaves no more behind than SIGKILL does:
what is incomplete has no stamp yet, and the next run makes it again.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Final

from local.locks import shared_with_commands

GRACE_SECONDS: Final = 20
_INTERRUPTED: Final = 130  # what a shell reports for a program that SIGINT ended
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _State:
    """What the signal handler needs to know.

    Attributes:
        children: The running process groups, and whether each must finish: `dpkg` must not be cut short.
        starting: Whether one is being started, whose group is not known yet.
        pending: Whether an interrupt came meanwhile.
        farewell: The line to print.
        status: The exit status.
    """

    children: dict[int, bool] = field(default_factory=dict)
    starting: bool = False
    pending: bool = False
    farewell: str = "Stopped. The next run continues from here."
    status: int = _INTERRUPTED


_state: Final = _State()


def end_when_interrupted() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP end this process and all processes that `start` has started."""
    for number in _SIGNALS:
        signal.signal(number, _interrupted)


def expect_interruption(farewell: str) -> None:
    """From now on an interrupt is the normal end, with exit status 0.

    Args:
        farewell: The line to print then.
    """
    _state.farewell, _state.status = farewell, 0


def start(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str] | None,
    output: IO[str] | int,
    to_its_end: bool = False,
) -> subprocess.Popen[str]:
    """Start a process in its own session. An interrupt ends it together with all its children.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: All its variables; by default those of this process.
        output: Where its standard output and errors go.
        to_its_end: Whether an interrupt waits for it instead of ending it.

    Raises:
        OSError: It could not be started.
    """
    _state.starting = True
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            pass_fds=shared_with_commands(),
        )
        _state.children[process.pid] = to_its_end
    finally:
        _state.starting = False
        if _state.pending:
            _end_everything()
    return process


def forget(process: subprocess.Popen[str]) -> None:
    """Note that a process that `start` has started has ended."""
    _state.children.pop(process.pid, None)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    if _state.starting:
        _state.pending = True
    else:
        _end_everything()


def _end_everything() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # Not `print`, because the interrupt may have come during one. The reader may be gone, too.
    with suppress(OSError):
        os.write(1, f"\n{_state.farewell}\n".encode())
    for group, to_its_end in _state.children.items():
        if not to_its_end:
            _signal(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for group, to_its_end in _state.children.items():
        # Not Popen.wait, because the interrupt may have come while it holds its lock.
        while _runs(group) and (to_its_end or time.monotonic() < deadline):
            time.sleep(0.05)
        _signal(group, signal.SIGKILL)
    os._exit(_state.status)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _runs(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False
