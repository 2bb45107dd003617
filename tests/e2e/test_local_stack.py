"""What `make run` promises: the sample pack is verified, one stack to a state, nothing is left running."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from email.message import Message
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from local.emulator import HOST, EmulatorFailed, running_emulator
from local.environments import LOCAL, PROJECT, prepare
from local.first_push import SAMPLE, push_and_read_back
from local.function import free_port
from local.image_reader import NotVerified
from local.ports import STATES
from local.proxy import PassOn, Received, Sent, proxied
from local.stack import StackDescription


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


def test_the_sample_pack_is_pushed_and_read_back_again_and_again(stack: StackDescription) -> None:
    first, second = push_and_read_back(stack), push_and_read_back(stack)

    assert (second.name, second.version, second.files) == ("hello-pack", "1.0.0", 5)
    assert second == replace(first, is_new=False)
    # An index, and of each of two platforms a manifest and a configuration; they share the layer.
    assert second.blobs == 6


def test_a_sample_pack_that_somebody_has_changed_is_left_alone(
    stack: StackDescription, tmp_path: Path
) -> None:
    standing = push_and_read_back(stack)
    other = Path(shutil.copytree(SAMPLE, tmp_path / SAMPLE.name))
    (other / "README.md").write_text("Changed.\n")

    seen = push_and_read_back(stack, other)

    assert (seen.is_changed, seen.image_digest) == (True, standing.image_digest)


def test_a_push_that_is_refused_is_not_verified(stack: StackDescription, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no pack.yaml")

    with pytest.raises(NotVerified, match=r"was answered 400: .*pack\.yaml"):
        push_and_read_back(stack, tmp_path)


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
def test_an_image_that_comes_back_otherwise_is_not_verified(stack: StackDescription, kind: str) -> None:
    port = int(stack["registry"].partition(":")[2])

    def damage(request: Sent, pass_on: PassOn) -> Received:
        answer = pass_on(request)
        body = answer.body
        if f"/{kind}/" in request.path:
            body += b" "
        elif request.method == "POST":
            pack = json.loads(body)
            registry = urlsplit(proxy).netloc
            body = json.dumps(
                pack | {"image_ref": pack["image_ref"].replace(stack["registry"], registry)}
            ).encode()
        return Received(answer.status, answer.headers, body)

    with (
        proxied(port, damage) as proxy,
        pytest.raises(NotVerified, match=r"the registry answered 200 for sha256:.*, with content of sha256:"),
    ):
        push_and_read_back({**stack, "api_url": proxy + urlsplit(stack["api_url"]).path})


def test_an_emulator_that_has_taken_the_port_meanwhile_is_not_taken_for_ours(tmp_path: Path) -> None:
    prepare()
    with (
        proxied(0, lambda _request, _pass_on: Received(200, Message(), b"{}")) as stranger,
        pytest.raises(EmulatorFailed, match=rf"is taken by .*process {os.getpid()}.* PORT=45\d0 make run"),
        running_emulator(folder=tmp_path, port=urlsplit(stranger).port or 0),
    ):
        pass


def test_a_taken_port_is_refused_before_anything_else() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        finished = subprocess.run(  # noqa: S603 - our own code
            ["make", "run", f"PORT={port}", f"PYTHON={sys.executable}"],  # noqa: S607 - as people type it
            cwd=PROJECT,
            # Those of the make that may have started this would change what it prints.
            env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            check=False,
            capture_output=True,
            text=True,
        )

    assert finished.returncode == 2
    assert finished.stdout == ""
    assert f"setup: port {port} is taken by another program (process {os.getpid()}: " in finished.stderr


@pytest.fixture
def developers_stack() -> Iterator[None]:
    """Leave what describes the stack that somebody may be running in this checkout as it is."""
    described = LOCAL / "stack.json"
    kept = described.readlink() if described.is_symlink() else None
    yield
    described.unlink(missing_ok=True)
    if kept is not None:
        described.symlink_to(kept)


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

        with _stack(port) as runner:
            described = json.loads((LOCAL / "stack.json").read_text())
            assert described == json.loads((STATES / str(port) / "stack.json").read_text())
            assert described["registry"] == f"{HOST}:{port}"
            runner.send_signal(signal.SIGINT)
            said, complaint = runner.communicate(timeout=60)

            assert (runner.returncode, complaint) == (0, "")
            assert said.endswith("\nSaving the state and stopping.\n")
    finally:
        shutil.rmtree(STATES / str(port), ignore_errors=True)


@contextmanager
def _stack(port: int) -> Iterator[subprocess.Popen[str]]:
    """Have `make run`'s own process run until the end of the block, from when it says how to stop it."""
    command = [sys.executable, "-m", "local", "run", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": "layers/packyard/python"}
    runner = subprocess.Popen(  # noqa: S603 - our own code
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert runner.stdout is not None
        said = list(takewhile(lambda line: "Ctrl-C" not in line, runner.stdout))
        assert any("is ready" in line for line in said), said
        assert any("verified  read back" in line for line in said), said
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
