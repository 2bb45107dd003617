"""From an archive to a pushed image, side by side: the section `build` of the results."""

import statistics
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from local.docker_registry import docker_registry

from bench.contenders import CONTENDERS, Task
from bench.inputs import archive_of
from bench.processes import ProgramFailed, Run
from bench.samples import summary, taken_in_turn

# The contenders to measure: all of them where a goal compares them, only ours where only memory matters.
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "pack": tuple(CONTENDERS),
    "incompressible": tuple(CONTENDERS),
    "small": tuple(CONTENDERS),
    "50_mb": ("packyard_s", "gunzip_sha256_s"),
    "1_gib": ("packyard_s", "gunzip_sha256_s"),
}


def measure_building(*, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Return, for each input, the median seconds of every contender and our peak memory in MB.

    A contender that cannot run here is left out, and its error is printed.

    Args:
        folder: For inputs and temporary data, up to 4 GB.
        rounds: How often each is measured.

    Raises:
        ProgramMissing: A peer is not installed.
    """
    section = {}
    numbers = count(1)
    for name, contenders in INPUTS.items():
        archive = archive_of(name, folder=folder / "inputs")
        print(f"\n{name}: {archive.stat().st_size / 1e6:.1f} MB", flush=True)
        runs: list[Run] = []
        with tempfile.TemporaryDirectory(dir=folder) as work, docker_registry(Path(work)) as url:
            host = url.removeprefix("http://")

            def run(contender: str, archive: Path = archive, host: str = host) -> Run:
                with tempfile.TemporaryDirectory(dir=folder) as empty:
                    repository = f"bench/pack-{next(numbers)}"
                    task = Task(archive=archive, host=host, repository=repository, folder=Path(empty))
                    return CONTENDERS[contender](task)

            able = _able(contenders, run)
            samples = taken_in_turn(
                {contender: partial(_seconds, run, contender, runs) for contender in able}, rounds=rounds
            )
        for contender, taken in samples.items():
            print(f"  {contender:16} {summary(taken)}", flush=True)
        section[name] = {
            contender: round(statistics.median(taken), 4) for contender, taken in samples.items()
        }
        section[name]["peak_rss_mb"] = round(max(run.peak_rss_bytes for run in runs) / 1e6, 1)
        print(f"  {'peak memory':16} {section[name]['peak_rss_mb']:8.1f} MB", flush=True)
    return section


def _able(contenders: tuple[str, ...], run: Callable[[str], Run]) -> list[str]:
    """Return the contenders that can run here. Each has run once, so that its files are in the page cache."""
    able = []
    for contender in contenders:
        try:
            run(contender)
        except ProgramFailed as failure:
            print(f"  {contender:16} cannot run here: {failure}", flush=True)
        else:
            able.append(contender)
    return able


def _seconds(run: Callable[[str], Run], contender: str, runs: list[Run]) -> float:
    taken = run(contender)
    if contender == "packyard_s":
        runs.append(taken)
    return taken.seconds
