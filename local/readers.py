"""Readers and writers of tar archives in other languages, for the tests: node-tar and Go's archive/tar.

Node.js and Go come from PyPI, as wheels locked with hashes. node-tar and its dependencies come from npm, locked beside
its script. Everything is below `.local`, and is made again when one of its sources changes.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from local import environments
from local.command import run
from local.environments import HERE, LOCAL, PROJECT, fingerprint, prepare, tool
from local.locks import exclusively

_SOURCES: Final = PROJECT / "tests" / "reliability"
_FOLDER: Final = LOCAL / "readers"
_NODE_FOLDER: Final = _FOLDER / "node"
_GO_PROGRAM: Final = _FOLDER / "go" / "archives"


def prepare_readers() -> None:
    """Bring Node.js, node-tar and the program in Go up to date.

    Raises:
        CommandFailed: Something could not be installed or compiled.
    """
    prepare("readers")
    with exclusively(LOCAL / "readers.lock"):
        sources = sorted(path for name in ("go", "node") for path in (_SOURCES / name).iterdir())
        locks = (HERE / "requirements-readers.txt", *sources)
        wanted = fingerprint(*(path.read_bytes() for path in locks))
        stamp = _FOLDER / "prepared"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _install_node_packages()
        _compile_go_program()
        stamp.write_text(wanted)


def node(script: str) -> tuple[Path, Path]:
    """Return the command that runs one of the scripts for Node.js."""
    return environments.node("readers"), _NODE_FOLDER / script


def go() -> Path:
    """Return the path of the program in Go."""
    return _GO_PROGRAM


def _install_node_packages() -> None:
    shutil.copytree(_SOURCES / "node", _NODE_FOLDER)
    environments.install_locked("readers", _NODE_FOLDER)


def _compile_go_program() -> None:
    shutil.copytree(_SOURCES / "go", _GO_PROGRAM.parent)
    cache = _FOLDER / "cache"
    # Go may not use the network, another version of itself, or the home directory.
    settings = {
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOFLAGS": "-mod=readonly",
        "GOENV": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": str(cache),
        "GOPATH": str(cache / "path"),
        "GOTELEMETRY": "off",
    }
    # Making it fast would take longer than it ever runs.
    unoptimised = ("-gcflags=all=-N -l", "-ldflags=-s -w")
    run(
        [tool("readers", "go"), "build", *unoptimised, "-o", _GO_PROGRAM, "."],
        folder=_GO_PROGRAM.parent,
        environment={**os.environ, **settings},
    )
    shutil.rmtree(cache)
