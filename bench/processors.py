"""A build on some of the machine's processors: the section `processors` of the results."""

import json
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.command import CommandFailed

from bench.contenders import run_in_layer
from bench.inputs import archive_of
from bench.samples import summary, taken_in_turn

if TYPE_CHECKING:
    from bench.processes import Run

# A build has threads for two to six (decision 81).
_COUNTS: Final = (1, 2, 3, 4, 6, 8)
_NEEDED: Final = 6
_SIBLINGS: Final = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def enough_processors() -> bool:
    """Return whether this process may run on as many processors as a build uses at most."""
    # Linux alone tells.
    return hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) >= _NEEDED


def measure_processors(*, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Return, for each count of processors, the median seconds of a build of the large pack and its peak memory in MB.

    Args:
        folder: For the input and temporary data, up to 1 GB.
        rounds: How often each count is measured.

    Raises:
        CommandFailed: This machine has fewer than six, or the images differ.
        ProgramFailed: A build failed.
    """
    if not enough_processors():
        raise CommandFailed(f"the section `processors` needs a machine with {_NEEDED} of them")
    available = processors_by_core(os.sched_getaffinity(0))
    sets = {str(count): available[:count] for count in _COUNTS if count <= len(available)}
    return measured_on(sets, folder=folder, rounds=rounds)


def measured_on(
    sets: Mapping[str, Iterable[int]], *, folder: Path, rounds: int
) -> dict[str, dict[str, float]]:
    """Return, for each set of processors, what `measure_processors` returns for each count.

    Raises:
        CommandFailed: The images differ.
        ProgramFailed: A build failed.
    """
    archive = archive_of("pack", folder=folder / "inputs")
    runs: dict[str, list[Run]] = {name: [] for name in sets}
    stages: dict[str, list[dict[str, Any]]] = {name: [] for name in sets}

    def build(name: str) -> float:
        with tempfile.TemporaryDirectory(dir=folder) as empty, _restricted_to(sets[name]):
            run = run_in_layer("bench.packyard_build", archive, folder=Path(empty))
        runs[name].append(run)
        stages[name].append(json.loads(run.output))
        return float(stages[name][-1]["spool_s"] + stages[name][-1]["layers_s"])

    # Then all files are in the page cache.
    build(next(iter(sets)))
    samples = taken_in_turn({name: partial(build, name) for name in sets}, rounds=rounds)
    digests = {stage["digest"] for taken in stages.values() for stage in taken}
    if len(digests) != 1:
        raise CommandFailed(f"the images differ: {sorted(digests)}")
    for name, taken in samples.items():
        print(f"  {name:>2} processors {summary(taken)}", flush=True)
    return {
        name: {
            "build_s": round(statistics.median(samples[name]), 4),
            **_medians(stages[name][-rounds:]),
            "process_s": round(statistics.median(run.seconds for run in runs[name][-rounds:]), 4),
            "peak_rss_mb": round(max(run.peak_rss_bytes for run in runs[name]) / 1e6, 1),
        }
        for name in sets
    }


def processors_by_core(available: Iterable[int]) -> list[int]:
    """Return processors in an order in which no two share a core before every core has had one."""
    before_it: Counter[str] = Counter()
    places = []
    for number in sorted(available):
        core = _core_of(number)
        places.append((before_it[core], number))
        before_it[core] += 1
    return [number for _, number in sorted(places)]


def _core_of(number: int) -> str:
    """Return a text that only the processors of the same core have."""
    try:
        return Path(_SIBLINGS.format(number)).read_text()
    except FileNotFoundError:
        return str(number)


def _medians(stages: list[dict[str, Any]]) -> dict[str, float]:
    names = [name for name in stages[0] if name != "digest"]
    return {name: round(statistics.median(stage[name] for stage in stages), 4) for name in names}


@contextmanager
def _restricted_to(processors: Iterable[int]) -> Iterator[None]:
    """Let programs that start meanwhile run on these processors only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
