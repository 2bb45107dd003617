#!/usr/bin/env python3
"""Forwards TCP connections, byte for byte, from a container to the emulator, which listens on 127.0.0.1 only.

It runs on both sides of a container engine. On this machine, `forwarding()` listens on the address of the engine's
bridge while a command needs it. In the container, this file is the function's wrapper script (AWS, "Modifying the
runtime environment", wrapper scripts). There it listens on the emulator's own address, 127.0.0.1, so that every URL of
the running stack also works in the container. Then it starts the runtime in its place.

It may import only the standard library, because the container has nothing else.
"""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

# The port, then the addresses at which a container may reach this machine, best first, separated by spaces.
VARIABLE = "PACKYARD_LOCAL_FORWARD"
CONNECT_SECONDS = 2

# How often to check whether it is still needed.
_LOOK_SECONDS = 0.1

_LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 65_536
# Linux, ip(7): bind to an address that no interface has yet. Podman creates its bridge with the first container.
_IP_FREEBIND = 15


@contextmanager
def forwarding(*, address: str, port: int) -> Iterator[None]:
    """Listen on `address` while the block lasts, and forward connections to the same port of 127.0.0.1.

    Args:
        address: An address of this machine, as a number. It need not exist yet.
        port: On both addresses.

    Raises:
        OSError: Something listens there already, or this machine cannot have the address.
    """
    ended = threading.Event()
    with closing(_listening(address, port)) as sock:
        thread = threading.Thread(target=lambda: asyncio.run(_until(ended.is_set, sock, port, (_LOOPBACK,))))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _listening(address: str, port: int) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        sock.bind((address, port))
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


async def _until(ended: Callable[[], bool], sock: socket.socket, port: int, hosts: Sequence[str]) -> None:
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        with closing(writer), suppress(asyncio.CancelledError):
            await _join(reader, writer, port, hosts)

    server = await asyncio.start_server(accept, sock=sock)
    while not ended():  # noqa: ASYNC110 - a thread or the end of another process, which set no event of this loop
        await asyncio.sleep(_LOOK_SECONDS)
    server.close()
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections)
    # A closed connection releases its socket one turn of the loop later.
    await asyncio.sleep(_LOOK_SECONDS)


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, hosts: Sequence[str]
) -> None:
    for host in hosts:
        with suppress(OSError, asyncio.TimeoutError):
            there = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_SECONDS)
            break
    else:
        where = ", ".join(hosts)
        print(f"forwarder: nobody listens on port {port} of {where}", file=sys.stderr, flush=True)
        return
    with closing(there[1]):
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


def main() -> None:
    """Listen as the environment says, and run the command line in this process's place."""
    port, *hosts = os.environ.get(VARIABLE, "").split() or [""]
    if hosts:
        sock = _listening(_LOOPBACK, int(port))
        runtime = os.getpid()
        if os.fork() == 0:
            asyncio.run(_until(lambda: os.getppid() != runtime, sock, int(port), hosts))
            return
        sock.close()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - what Lambda says, without a shell


if __name__ == "__main__":
    main()
