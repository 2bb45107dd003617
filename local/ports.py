"""Ports of the loopback interface: which are free, and which process uses a taken one."""

import os
import pwd
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Final

from local.environments import LOCAL
from local.locks import is_held
from local.progress import step

HOST: Final = "127.0.0.1"
STATES: Final = LOCAL / "state"

_LARGEST: Final = 65535
_SAVING_SECONDS: Final = 10.0
_LISTENING: Final = "0A"
# /proc/net/tcp and tcp6 have addresses in the processor's byte order (proc(5)). These are little-endian.
_OURS: Final = frozenset(
    {"0100007F", "00000000", "0" * 32, "0000000000000000FFFF00000100007F", "0000000000000000FFFF000000000000"}
)


class PortUnusable(Exception):
    """A port cannot be listened on. The message says why, which process uses it, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """The process that listens on a port.

    Attributes:
        pid: Its number.
        command: Its command line.
        folder: Its working folder, if known.
    """

    pid: int
    command: str
    folder: Path | None


def port_number(text: str) -> int:
    """Return the port that a text states, whether it is free or not.

    Raises:
        PortUnusable: The text is not a port.
    """
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= _LARGEST:
        raise PortUnusable(f"PORT={text} is no port: it is a number from 1 to {_LARGEST}, such as PORT=4570.")
    return int(text)


def check_port(
    text: str,
    *,
    states: Path = STATES,
    usable: Callable[[int], bool] | None = None,
    saving_seconds: float = _SAVING_SECONDS,
) -> int:
    """Return the port that a text states, if it is free.

    If an interrupted run has left an emulator on it, this waits for the emulator, or ends it.

    Args:
        text: What the user asked for.
        states: The folder with the states of this clone's stacks, each under its port.
        usable: Returns whether a port is free; by default it tries to listen.
        saving_seconds: How long an emulator may take to save and stop, before and after it is asked to.

    Raises:
        PortUnusable: The text is not a port, another program uses the port, or only root may listen on it.
    """
    port = port_number(text)
    try:
        if (usable or is_free)(port):
            return port
    except PermissionError:
        raise PortUnusable(
            f"PORT={port} needs root: on this system, ports below 1024 do. {_way_out(taken=False)}"
        ) from None
    state = states / str(port)
    found = listener(port)
    if found and found.folder == state and not is_held(state) and _ended(found, port, saving_seconds):
        return port
    raise PortUnusable(taken(port, state))


def taken(port: int, state: Path) -> str:
    """Return the sentences that say which process uses a port, and what to do.

    Args:
        port: Somebody listens on it.
        state: The state folder that our own stack would have.
    """
    return f"port {port} is taken by {_described(listener(port), port, state)}. {_way_out(taken=True)}"


def is_free(port: int) -> bool:
    """Return whether a port is free now.

    Raises:
        PermissionError: Only root may.
    """
    with closing(socket.socket()) as probe:
        # As servers do it: connections that were just closed do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise
        except OSError:
            return False
        return True


def listener(port: int) -> Listener | None:
    """Return which process listens on a port, if the system tells: from /proc, otherwise from lsof."""
    return _listener_by_proc(port) if Path("/proc/net/tcp").exists() else _listener_by_lsof(port)


def listens(group: int, port: int) -> bool:
    """Return whether a process of this group listens on a port. True if the system does not tell.

    Args:
        group: The number of a process group.
        port: Somebody listens on it.
    """
    found = listener(port)
    if found is None:
        # A process that exists and cannot be inspected belongs to another user.
        return not any(_sockets(port))
    try:
        return os.getpgid(found.pid) == group
    except ProcessLookupError:
        return False


def _described(found: Listener | None, port: int, state: Path) -> str:
    if found is None:
        users = {_user(uid) for uid, _ in _sockets(port)}
        return f"a program of {' and '.join(sorted(users))}" if users else "another program"
    # An emulator's working folder is that of its state.
    if found.folder and found.folder.parts[-3:-1] == (".local", "state"):
        if found.folder == state:
            return f"this folder's own stack (process {found.pid}): it is described in .local/state/{port}/stack.json"
        return f"another Packyard stack, of the folder {found.folder.parents[2]} (process {found.pid})"
    return f"another program (process {found.pid}: {found.command[:100]})"


def _way_out(*, taken: bool) -> str:
    free = next((port for port in range(4570, 4670, 10) if is_free(port)), 4680)
    stop = "Stop that, or choose" if taken else "Choose"
    return f"{stop} another port: PORT={free} make run"


def _ended(orphan: Listener, port: int, saving_seconds: float) -> bool:
    """Wait until an emulator whose runner was killed has stopped and released the port."""
    with step(f"waiting for the emulator of an interrupted run (process {orphan.pid}) to save and end"):
        for asked in (False, True):
            if asked:
                with suppress(ProcessLookupError):
                    os.kill(orphan.pid, SIGTERM)
            deadline = time.monotonic() + saving_seconds
            while time.monotonic() < deadline:
                if is_free(port):
                    return True
                time.sleep(0.1)
    return False


def _sockets(port: int) -> Iterator[tuple[int, str]]:
    """Yield user and inode of each socket that listens on a port (proc(5))."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                address, _, number = fields[1].partition(":")
                if fields[3] == _LISTENING and int(number, 16) == port and address in _OURS:
                    yield int(fields[7]), fields[9]


def _listener_by_proc(port: int) -> Listener | None:
    wanted = {f"socket:[{inode}]" for _, inode in _sockets(port)}
    for process in Path("/proc").glob("[0-9]*"):
        # Other users' processes cannot be inspected, and some end meanwhile.
        with suppress(OSError):
            if any(str(opened.readlink()) in wanted for opened in (process / "fd").iterdir()):
                command = (process / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
                return Listener(pid=int(process.name), command=command, folder=(process / "cwd").readlink())
    return None


def _listener_by_lsof(port: int) -> Listener | None:
    pid = _field("p", "lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fp")
    if pid is None:
        return None
    folder = _field("n", "lsof", "-a", "-p", pid, "-d", "cwd", "-Fn")
    command = _printed("ps", "-o", "command=", "-p", pid).strip()
    return Listener(pid=int(pid), command=command, folder=Path(folder) if folder else None)


def _field(name: str, *command: str) -> str | None:
    found = re.search(rf"^{name}(.+)$", _printed(*command), re.MULTILINE)
    return found[1] if found else None


def _printed(*command: str) -> str:
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return ""


def _user(uid: int) -> str:
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user {uid}"
