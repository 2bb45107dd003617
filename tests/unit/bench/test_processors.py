"""The benchmark builds on some of the machine's processors."""

import json
import os
from pathlib import Path
from random import Random

import pytest
from bench import processors
from bench.goals import compared
from bench.packyard_build import build
from bench.processes import Run
from bench.processors import measure_processors, measured_on, processors_by_core
from local.command import CommandFailed
from tests.service import PackArchive

STAGES = {"spool_s": 0.3, "layers_s": 0.2, "spool_cpu_s": 0.5, "layers_cpu_s": 0.3, "digest": "sha256:1"}


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Let this process run on eight processors of four cores; return where it might run, from first to last."""
    allowed = [set(range(8))]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: allowed[-1])
    monkeypatch.setattr(os, "sched_setaffinity", lambda _process, numbers: allowed.append(set(numbers)))
    monkeypatch.setattr(processors, "_core_of", lambda number: f"{number // 2}")
    monkeypatch.setattr(processors, "archive_of", lambda name, folder: folder / name)
    return allowed


def test_processors_of_different_cores_come_first(allowed: list[set[int]]) -> None:
    assert processors_by_core(allowed[0]) == [0, 2, 4, 6, 1, 3, 5, 7]


def test_each_build_runs_on_its_processors_only(
    allowed: list[set[int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(module: str, archive: Path, **_folder: Path) -> Run:
        assert (module, archive) == ("bench.packyard_build", tmp_path / "inputs" / "pack")
        seconds = {2: 1.0, 6: 0.5}.get(len(allowed[-1]), 0.7)
        return Run(seconds + 0.1, 2.0, 80_000_000, json.dumps(STAGES | {"spool_s": seconds - 0.2}))

    monkeypatch.setattr(processors, "run_in_layer", run)

    measured = measure_processors(folder=tmp_path, rounds=2)

    assert allowed[-1] == set(range(8))
    assert {0, 2} in allowed
    assert {0, 1, 2, 3, 4, 6} in allowed
    assert list(measured) == ["1", "2", "3", "4", "6", "8"]
    assert measured["2"] == {
        "build_s": 1.0,
        "spool_s": 0.8,
        "layers_s": 0.2,
        "spool_cpu_s": 0.5,
        "layers_cpu_s": 0.3,
        "process_s": 1.1,
        "peak_rss_mb": 80.0,
    }
    assert [goal["measured"] for goal in compared({"processors": measured}).values()] == [0.5]


def test_images_that_differ_are_no_result(
    allowed: list[set[int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(_module: str, _archive: Path, **_folder: Path) -> Run:
        return Run(1.0, 2.0, 80_000_000, json.dumps(STAGES | {"digest": f"sha256:{len(allowed[-1])}"}))

    monkeypatch.setattr(processors, "run_in_layer", run)

    with pytest.raises(CommandFailed, match="the images differ"):
        measured_on({"2": [0, 1], "6": range(6)}, folder=tmp_path, rounds=1)
    assert allowed[-1] == set(range(8))


def test_a_machine_with_fewer_than_six_processors_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(5)))

    with pytest.raises(CommandFailed, match="needs a machine with 6"):
        measure_processors(folder=tmp_path, rounds=1)


def test_a_build_in_two_stages_gives_the_same_image_with_two_and_six_processors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = tmp_path / "pack.tar.gz"
    # More than what is sent only when it is complete.
    archive.write_bytes(PackArchive(files={"data/random": Random(1).randbytes(9 << 20)}).build())  # noqa: S311 - the same each time
    built = []
    for count in (2, 6):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _process, count=count: set(range(count)))
        built.append(build(archive))

    assert built[0]["digest"] == built[1]["digest"]
    assert min(built[0]["spool_s"], built[0]["layers_s"]) > 0
