"""What `make run` promises: state survives, one stack to a state, nothing is left running."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from local.emulator import HOST
from local.environments import LOCAL, PROJECT, prepare
from local.function import free_port
from local.locks import StackRunning, holding
from local.ports import STATES
from local.stack import StackDescription, running_stack
from tests.e2e.client import Client


def _sample_pack() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(PROJECT / "examples" / "hello-pack", "hello-pack")
    return archive.getvalue()


def test_the_sample_pack_that_it_tells_people_to_push_is_one(stack: StackDescription) -> None:
    published = Client.of(stack, "platform").upload(_sample_pack())

    assert (published.status, published.body["name"]) == (201, "hello-pack")


def test_what_a_stack_holds_survives_its_restart(tmp_path: Path) -> None:
    prepare()
    port = free_port()
    with running_stack(folder=tmp_path, port=port) as first:
        published = Client.of(first, "acme").upload(_sample_pack())

    with running_stack(folder=tmp_path, port=port) as second:
        read = Client.of(first, "acme").call("GET", f"/packs/{published.body['id']}")
        stranger = Client.of(first).call("GET", "/packs")

    assert second == first
    assert (read.status, read.body) == (200, published.body)
    assert (stranger.status, stranger.code) == (401, "unauthenticated")


def test_one_state_is_for_one_stack(tmp_path: Path) -> None:
    with holding(tmp_path), pytest.raises(StackRunning), holding(tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_the_emulator_ends_with_its_runner_even_if_that_is_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    prepare()
    port = free_port()
    script = f"""
import pathlib, signal
from local.emulator import running_emulator
with running_emulator(folder=pathlib.Path({str(tmp_path)!r}), port={port}):
    signal.pause()
"""
    command = [sys.executable, "-c", script]
    runner = subprocess.Popen(command, cwd=PROJECT, env={"PYTHONPATH": str(PROJECT)})  # noqa: S603 - our own code
    assert _within(60, lambda: _listens(port))

    runner.send_signal(number)

    runner.wait(timeout=60)
    assert _within(60, lambda: not _listens(port))


@pytest.fixture
def developers_stack() -> Iterator[None]:
    """Leave what describes the stack that somebody may be running in this checkout as it is."""
    described = LOCAL / "stack.json"
    kept = described.read_bytes() if described.exists() else None
    yield
    if kept is None:
        described.unlink(missing_ok=True)
    else:
        described.write_bytes(kept)


@pytest.mark.usefixtures("developers_stack")
def test_a_stack_whose_emulator_is_killed_ends_says_so_and_starts_again() -> None:
    prepare()
    port = free_port()
    try:
        with _stack(port) as runner:
            (emulator,) = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
            os.kill(int(emulator), signal.SIGKILL)
            _, complaint = runner.communicate(timeout=60)

            assert runner.returncode == 1
            assert "the emulator has ended by itself" in complaint

        with _stack(port):
            assert _listens(port)
    finally:
        shutil.rmtree(STATES / str(port), ignore_errors=True)


@contextmanager
def _stack(port: int) -> Iterator[subprocess.Popen[str]]:
    """Have `make run`'s own process run until the end of the block, from when it says that it is ready."""
    command = [sys.executable, "-m", "local", "run", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": "layers/packyard/python"}
    runner = subprocess.Popen(  # noqa: S603 - our own code
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert runner.stdout is not None
        assert any("is ready" in line for line in runner.stdout)
        yield runner
    finally:
        runner.terminate()
        runner.communicate(timeout=60)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex((HOST, port)) == 0


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
