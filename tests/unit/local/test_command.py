"""Commands of the local stack end with everything that they started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from local.command import CommandFailed, end, run
from local.environments import PROJECT
from tests.eventually import eventually_gone, eventually_written


def test_what_a_command_prints_comes_back_errors_included(tmp_path: Path) -> None:
    assert run(["sh", "-c", "echo out; echo err >&2"], folder=tmp_path) == "out\nerr\n"


def test_a_failure_says_what_was_run_and_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"sh -c .*\nwhy\n\nended with status 3"):
        run(["sh", "-c", "echo why; exit 3"], folder=tmp_path)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no-such-program: No such file"):
        run(["no-such-program"], folder=tmp_path)


@pytest.mark.parametrize("trap", ["", "trap '' TERM;"], ids=["willing", "deaf"])
def test_ending_a_process_ends_what_it_started_whether_or_not_it_listens(tmp_path: Path, trap: str) -> None:
    command = ["sh", "-c", f"{trap} sleep 60 & echo $! > child; wait"]
    process = subprocess.Popen(command, cwd=tmp_path, text=True, start_new_session=True)  # noqa: S603 - our own
    child = int(eventually_written(tmp_path / "child"))

    end(process, grace_seconds=0.2)

    assert process.returncode < 0
    assert eventually_gone(child)


def test_an_interrupted_command_does_not_go_on(tmp_path: Path) -> None:
    # A shell that starts its jobs in the background lets them ignore SIGINT, these tests among them. The command prints
    # more than a pipe holds: what it writes afterwards says that it is being read from, so that the signal comes then.
    script = """
import signal
from pathlib import Path
from local.command import run
signal.signal(signal.SIGINT, signal.default_int_handler)
run(["sh", "-c", "seq 100000; echo $$ > child; sleep 60"], folder=Path())
"""
    us = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stderr=subprocess.DEVNULL,
    )
    child = int(eventually_written(tmp_path / "child"))

    us.send_signal(signal.SIGINT)
    us.wait(timeout=20)

    assert eventually_gone(child)
