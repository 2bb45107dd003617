"""The way from a container to the emulator, tried between addresses of the loopback interface."""

import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from local import forwarder
from local.forwarder import forwarding

BRIDGE = "127.0.0.2"


@contextmanager
def echo() -> Iterator[int]:
    """Answer each connection with what it sends, backwards, once it has sent all."""

    class Backwards(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            received = b"".join(iter(lambda: self.request.recv(65_536), b""))
            self.request.sendall(received[::-1])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Backwards) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def exchange(address: str, port: int, sent: bytes) -> bytes:
    with socket.create_connection((address, port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_bytes_arrive_as_they_were_sent_both_ways() -> None:
    sent = os.urandom(1 << 20)

    with echo() as port, forwarding(address=BRIDGE, port=port):
        assert exchange(BRIDGE, port, sent) == sent[::-1]


def test_it_listens_on_the_named_address_only_and_only_while_it_is_asked_to() -> None:
    with echo() as port:
        with forwarding(address=BRIDGE, port=port), pytest.raises(ConnectionRefusedError):
            exchange("127.0.0.3", port, b"")

        with pytest.raises(ConnectionRefusedError):
            exchange(BRIDGE, port, b"")


def test_a_connection_that_is_still_open_does_not_hold_it_up() -> None:
    with echo() as port:
        with forwarding(address=BRIDGE, port=port):
            idle = socket.create_connection((BRIDGE, port), timeout=10)
            assert exchange(BRIDGE, port, b"ab") == b"ba"

        with idle:
            assert idle.recv(1) == b""


def test_it_says_when_somebody_else_listens_there() -> None:
    with (
        closing(socket.create_server((BRIDGE, 0))) as taken,
        pytest.raises(OSError, match="in use"),
        forwarding(address=BRIDGE, port=taken.getsockname()[1]),
    ):
        pass


def wrapped(port: int, hosts: str, address: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as Lambda runs a wrapper, around a runtime that asks 127.0.0.1 for an answer.

    The script listens on 127.0.0.1, where our server is in the way; so it is told another loopback address.
    """
    script = tmp_path / "forwarder.py"
    script.write_text(Path(forwarder.__file__).read_text().replace('"127.0.0.1"', f'"{address}"'))
    runtime = f"""
import socket
with socket.create_connection(("{address}", {port}), timeout=20) as connection:
    try:
        connection.sendall(b"ab")
        connection.shutdown(socket.SHUT_WR)
        print(connection.recv(2).decode() or "nothing")
    except OSError:
        print("nothing")
"""
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, script, sys.executable, "-c", runtime],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={forwarder.VARIABLE: f"{port} {hosts}"},
    )


def test_in_the_container_it_tries_one_name_after_the_other(tmp_path: Path) -> None:
    with echo() as port:
        ended = wrapped(port, "127.0.0.4 no-such-host.invalid 127.0.0.1", "127.0.0.5", tmp_path)

    assert ended.stdout == "ba\n"


def test_in_the_container_it_says_when_nobody_answers(tmp_path: Path) -> None:
    with echo() as port:
        ended = wrapped(port, "127.0.0.4", "127.0.0.5", tmp_path)

    assert ended.stdout == "nothing\n"
    assert ended.stderr == f"forwarder: nobody listens on port {port} of 127.0.0.4\n"


def test_without_the_variable_it_is_only_the_runtime(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, forwarder.__file__, sys.executable, "-c", "print('runs')"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={},
    )

    assert ended.stdout == "runs\n"
