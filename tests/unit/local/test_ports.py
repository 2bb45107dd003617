"""A port that cannot be listened on is refused with who has it and what to do."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from local.function import free_port
from local.locks import holding
from local.ports import HOST, PortUnusable, check_port, is_free, listener, listens

_LISTEN = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
sys.stdin.read()
"""


@contextmanager
def _somebody_on(port: int, folder: Path) -> Iterator[int]:
    """Have another process listen, in a folder; yield its number."""
    process = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", _LISTEN, str(port)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    try:
        yield process.pid
    finally:
        process.communicate()


@pytest.mark.parametrize("text", ["0", "80000", "65536", "-1", "abc", "", "4566x", "1e3", " 4566", "٤٥٦٦"])
def test_an_invalid_port_is_refused_with_the_valid_range(text: str) -> None:
    with pytest.raises(PortUnusable, match=rf"PORT={text} is no port: .* from 1 to 65535"):
        check_port(text)


def test_a_free_port_is_the_number_that_the_text_states() -> None:
    port = free_port()

    assert check_port(str(port)) == port


def test_a_port_whose_connections_have_just_been_closed_is_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with closing(socket.create_connection((HOST, port))):
            accepted, _ = server.accept()
            # The side that closes first keeps the port in TIME_WAIT.
            accepted.close()

    assert is_free(port)


def test_another_program_is_named_with_its_process_and_the_way_out(tmp_path: Path) -> None:
    port = free_port()
    with _somebody_on(port, tmp_path) as pid, pytest.raises(PortUnusable) as refused:
        check_port(str(port))

    message = str(refused.value)
    assert message.startswith(f"port {port} is taken by another program (process {pid}: ")
    assert sys.executable in message
    assert "PORT=45" in message
    assert message.endswith(" make run")


def test_another_stack_is_named_by_its_folder(tmp_path: Path) -> None:
    port = free_port()
    state = tmp_path / "clone" / ".local" / "state" / str(port)
    state.mkdir(parents=True)
    with _somebody_on(port, state) as pid, pytest.raises(PortUnusable) as refused:
        check_port(str(port))

    assert f"another Packyard stack, of the folder {tmp_path / 'clone'} (process {pid})" in str(refused.value)


def test_this_folder_s_own_stack_is_called_so(tmp_path: Path) -> None:
    port = free_port()
    state = tmp_path / ".local" / "state" / str(port)
    with holding(state), _somebody_on(port, state) as pid, pytest.raises(PortUnusable) as refused:
        check_port(str(port), states=state.parent)

    assert f"this folder's own stack (process {pid})" in str(refused.value)
    assert f".local/state/{port}/stack.json" in str(refused.value)


def test_an_emulator_that_a_killed_run_has_left_is_ended(tmp_path: Path) -> None:
    port = free_port()
    state = tmp_path / ".local" / "state" / str(port)
    state.mkdir(parents=True)
    with _somebody_on(port, state):
        assert check_port(str(port), states=state.parent, saving_seconds=0.2) == port


def test_a_port_that_only_root_may_use_is_refused_with_one_that_is_free() -> None:
    def forbidden(_port: int) -> bool:
        raise PermissionError

    with pytest.raises(PortUnusable, match=r"PORT=80 needs root.* PORT=45\d0 make run"):
        check_port("80", usable=forbidden)


def test_the_listening_process_is_distinguished_from_the_started_one(tmp_path: Path) -> None:
    port = free_port()
    with _somebody_on(port, tmp_path) as pid:
        found = listener(port)

        assert found is not None
        assert (found.pid, found.folder) == (pid, tmp_path)
        assert listens(pid, port)
        assert not listens(os.getpid(), port)


def test_a_free_port_has_no_listener() -> None:
    assert listener(free_port()) is None
