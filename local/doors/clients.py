"""The clients of the doors, in their newest versions, locked with integrity hashes.

The Node.js of the readers' environment runs those that come from npm; it is newer than the 22 that they want. The
client of MCP has an environment of its own. Everything is below `.local`, and is made again when a lock changes.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Final

from local import environments
from local.command import Command
from local.environments import LOCAL, fingerprint, prepare, tool
from local.locks import exclusively
from local.progress import step

_LOCKS: Final = Path(__file__).resolve().parent / "node"
_FOLDER: Final = LOCAL / "doors" / "node"
_NEEDED: Final = ("package.json", "package-lock.json")


def prepare_clients() -> None:
    """Bring the clients up to date.

    Raises:
        CommandFailed: Something could not be installed.
    """
    prepare("readers", "doors")
    with exclusively(LOCAL / "doors.lock"):
        wanted = fingerprint(*((_LOCKS / name).read_bytes() for name in _NEEDED))
        stamp = _FOLDER / "prepared"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _FOLDER.mkdir(parents=True)
        for name in _NEEDED:
            shutil.copyfile(_LOCKS / name, _FOLDER / name)
        with step("installing the clients of the doors (405 MB on disk)"):
            environments.install_locked("readers", _FOLDER)
        stamp.write_text(wanted)


def skills() -> Command:
    """Return the command of `skills`."""
    return _by_node("skills")


def clawhub() -> Command:
    """Return the command of `clawhub`."""
    return _by_node("clawhub")


def claude() -> Command:
    """Return Claude Code's own program, which its package has for each system apart."""
    # Its script at installation would copy or link it, and no script of a package runs here.
    places = sorted((_FOLDER / "node_modules" / "@anthropic-ai").glob("claude-code-*/claude*"))
    return [next(place for place in places if place.stem == "claude")]


def fastmcp() -> Command:
    """Return FastMCP's command."""
    return [tool("doors", "fastmcp")]


def python() -> Path:
    """Return the Python that has FastMCP."""
    return tool("doors", "python")


def readers_python() -> Path:
    """Return the Python that has oras."""
    return tool("readers", "python")


def npm_version(package: str) -> str:
    """Return the version of a client that comes from npm."""
    return _version_in(_FOLDER / "node_modules" / package / "package.json")


def node_path() -> str:
    """Return a search path on which `node` is the one that runs the clients."""
    return f"{environments.node('readers').parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def words_of(command: Command) -> list[str]:
    """Return a command as texts."""
    return [str(word) for word in command]


def _by_node(package: str) -> Command:
    folder = _FOLDER / "node_modules" / package
    programs = json.loads((folder / "package.json").read_bytes())["bin"]
    return [environments.node("readers"), folder / programs[package]]


def _version_in(document: Path) -> str:
    return str(json.loads(document.read_bytes())["version"])
