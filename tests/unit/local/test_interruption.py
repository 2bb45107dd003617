"""An interrupt ends what was started, waits for what must not be cut short, and says one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from local.environments import PROJECT
from local.interruption import GRACE_SECONDS
from local.locks import StackRunning, exclusively, holding, is_held
from tests.eventually import eventually_written

_RUNS = """
import sys
from pathlib import Path
from local.command import run
from local.interruption import end_when_interrupted, expect_interruption
from local.locks import exclusively
end_when_interrupted()
{prepare}
with exclusively(Path("lock")):
    run(["sh", "-c", {script!r}], folder=Path(), to_its_end={to_its_end})
"""


def _us(folder: Path, script: str, *, to_its_end: bool = False, prepare: str = "") -> "subprocess.Popen[str]":
    """Start a process of ours that runs a script of the shell."""
    code = _RUNS.format(script=script, to_its_end=to_its_end, prepare=prepare)
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_an_interrupt_ends_what_runs_and_says_one_line(tmp_path: Path, number: signal.Signals) -> None:
    us = _us(tmp_path, "echo $$ > child; sleep 60; echo > went-on")
    child = int(eventually_written(tmp_path / "child"))

    us.send_signal(number)
    said, _ = us.communicate(timeout=20 + GRACE_SECONDS)

    assert us.returncode == 130
    assert said == "\nStopped. The next run continues from here.\n"
    assert not Path(f"/proc/{child}").exists()


def test_an_interrupt_that_is_expected_is_a_regular_end(tmp_path: Path) -> None:
    us = _us(tmp_path, "echo $$ > child; sleep 60", prepare='expect_interruption("Bye.")')
    eventually_written(tmp_path / "child")

    us.send_signal(signal.SIGINT)
    said, _ = us.communicate(timeout=20 + GRACE_SECONDS)

    assert (us.returncode, said) == (0, "\nBye.\n")


def test_what_must_come_to_its_end_does(tmp_path: Path) -> None:
    us = _us(tmp_path, "echo $$ > child; sleep 1; echo > went-on", to_its_end=True)
    eventually_written(tmp_path / "child")

    us.send_signal(signal.SIGINT)
    us.communicate(timeout=20 + GRACE_SECONDS)

    assert us.returncode == 130
    assert (tmp_path / "went-on").exists()


def test_what_a_killed_run_has_left_is_waited_for(tmp_path: Path) -> None:
    us = _us(tmp_path, "echo $$ > child; sleep 2; echo > went-on")
    eventually_written(tmp_path / "child")

    us.kill()
    us.wait(timeout=20)
    with exclusively(tmp_path / "lock"):
        went_on = (tmp_path / "went-on").exists()

    us.communicate()
    assert went_on


def test_a_state_is_held_by_one(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with holding(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(StackRunning), holding(tmp_path):
            pass
    assert not is_held(tmp_path)
