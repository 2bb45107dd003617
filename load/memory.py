"""Measures the memory of the functions and the emulator during the load, from proc(5)."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

EMULATOR: Final = "emulator"
_SECONDS_BETWEEN: Final = 2.0
_MB: Final = 1e6
# How much one process may grow, because caches fill and the allocator keeps memory.
_ALLOWED_GROWTH: Final = 1.15
_ALLOWED_MB: Final = 12.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process, and what it runs: a function's name, or the emulator."""

    number: int
    runs: str


@dataclass
class Memory:
    """Resident memory over time.

    Attributes:
        port: The emulator's port. Its processes and those of the functions have it in their environment.
        samples: For each process, seconds from the start and bytes.
    """

    port: int
    samples: defaultdict[Process, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take samples while the block lasts."""
        ended = threading.Event()
        started = time.monotonic()

        def watch() -> None:
            while not ended.wait(_SECONDS_BETWEEN):
                self._sample(time.monotonic() - started)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _sample(self, at: float) -> None:
        for process in self._processes():
            with suppress(OSError, StopIteration):  # it may have ended just now
                status = Path(f"/proc/{process.number}/status").read_text()
                line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
                self.samples[process].append((at, int(line.split()[1]) * 1024))

    def _processes(self) -> Iterator[Process]:
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                variables = dict(part.split("=", 1) for part in path.read_text().split("\0") if "=" in part)
            except (OSError, UnicodeDecodeError):
                continue
            if variables.get("GATEWAY_PORT") == str(self.port):
                yield Process(int(path.parent.name), variables.get("AWS_LAMBDA_FUNCTION_NAME", EMULATOR))

    def over_time(self) -> list[tuple[float, float, float]]:
        """Return, for each instant, the megabytes of all functions and of the emulator."""
        at: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for process, samples in self.samples.items():
            for seconds, size in samples:
                at[int(seconds)][process.runs == EMULATOR] += size / _MB
        return [(float(seconds), *sizes) for seconds, sizes in sorted(at.items())]  # type: ignore[misc]

    def first_and_last(self, *, window: float) -> dict[str, Any]:
        """Return megabytes in the first and the last part, for all function processes that lived through both.

        A process that was started later is left out, because it grows at first by its imports.

        Args:
            window: The length of these parts, in seconds.
        """
        began = min((samples[0][0] for samples in self.samples.values()), default=0.0)
        grown = {
            process: (_held(samples, 0, window), _held(samples, -window, 0))
            for process, samples in self.samples.items()
            if samples[0][0] == began and samples[-1][0] - began >= 2 * window
        }
        functions = {process: sizes for process, sizes in grown.items() if process.runs != EMULATOR}
        return {
            "processes": len(functions),
            "first": round(sum(first for first, _ in functions.values()), 1),
            "last": round(sum(last for _, last in functions.values()), 1),
            "grown": {
                f"{process.runs} {process.number}": [round(first, 1), round(last, 1)]
                for process, (first, last) in functions.items()
                if last > first * _ALLOWED_GROWTH + _ALLOWED_MB
            },
        }


def _held(samples: list[tuple[float, int]], start: float, end: float) -> float:
    zero = samples[-1][0] if end <= 0 else samples[0][0]
    return median(size for at, size in samples if zero + start <= at <= zero + end) / _MB
