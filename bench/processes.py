"""Runs a program and measures its wall clock time, its processor time and the peak memory of its largest process."""

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
    """A program ended with an error. The message has its output."""


@dataclass(frozen=True, slots=True)
class Run:
    """The measurements of a run.

    Attributes:
        seconds: Wall clock, start included.
        cpu_seconds: Processor time of user and system, start included.
        peak_rss_bytes: Of its process or of its largest child (getrusage(2), ru_maxrss).
        output: Its output.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    output: str


def measure(arguments: Arguments, *, folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run a program.

    Args:
        arguments: The program and its arguments.
        folder: Where it runs.
        environment: All its variables; by default those of this process.

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
        # Popen.wait does not return the process's resource usage.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if process.returncode:
        words = " ".join(str(word) for word in arguments)
        raise ProgramFailed(f"{words}\n{printed[-_SHOWN:]}\nended with status {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, printed)


def measure_all(
    commands: Sequence[Arguments], *, folder: Path, environment: Mapping[str, str] | None = None
) -> Run:
    """Run programs one after the other. Times are added; memory is that of the largest.

    Raises:
        ProgramFailed: The exit status of one is not 0. The programs after it have not run.
    """
    runs = [measure(command, folder=folder, environment=environment) for command in commands]
    return Run(
        sum(run.seconds for run in runs),
        sum(run.cpu_seconds for run in runs),
        max(run.peak_rss_bytes for run in runs),
        "".join(run.output for run in runs),
    )
