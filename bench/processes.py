"""Running a program to its end and measuring it: wall clock, and the most memory that any of its processes held."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SHOWN: Final = 4000

Arguments = Sequence[str | Path]


class ProgramFailed(Exception):
    """A program ended with an error; the message holds what it printed."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took.

    Attributes:
        seconds: Wall clock, its start included.
        peak_rss_bytes: Of its process, or of the largest of those that it waited for (getrusage(2), ru_maxrss).
        output: What it printed.
    """

    seconds: float
    peak_rss_bytes: int
    output: str


def measure(arguments: Arguments, *, folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run a program.

    Args:
        arguments: The program and its arguments.
        folder: Where it runs.
        environment: All its variables; those of this process when not given.

    Raises:
        ProgramFailed: Its exit status is not 0.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        # Popen.wait tells nothing of what the process used.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if process.returncode:
        words = " ".join(str(word) for word in arguments)
        raise ProgramFailed(f"{words}\n{printed[-_SHOWN:]}\nended with status {process.returncode}")
    return Run(seconds, usage.ru_maxrss * 1024, printed)


def measure_all(
    commands: Sequence[Arguments], *, folder: Path, environment: Mapping[str, str] | None = None
) -> Run:
    """Run programs one after the other, as one: times added up, memory of the largest.

    Raises:
        ProgramFailed: The exit status of one is not 0; none after it has run.
    """
    runs = [measure(command, folder=folder, environment=environment) for command in commands]
    return Run(
        sum(run.seconds for run in runs),
        max(run.peak_rss_bytes for run in runs),
        "".join(run.output for run in runs),
    )
