"""Virtual environments: the project's own, and one for each tool whose pins would get in its way.

Runs on a bare Python (`python3 -m local.environments`), before anything is installed. What is installed is locked with
hashes, in `uv.lock` and in the `requirements-*.txt` beside this file; what has not changed is not installed again.
"""

import fcntl
import hashlib
import shutil
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.command import Command, CommandFailed, run

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
LOCAL = PROJECT / ".local"
TOOLS = ("emulator", "sam", "runtime")

_VENV = PROJECT / ".venv"
_UV = _VENV / "bin" / "uv"


def tool(name: str, program: str) -> Path:
    """Return the path of a program in a tool's virtual environment."""
    return LOCAL / "tools" / name / "bin" / program


def prepare(*more: str) -> None:
    """Bring all virtual environments up to date.

    Args:
        more: Tools beside those that everything needs: `bench`, for the benchmark.

    Raises:
        CommandFailed: Something could not be installed.
    """
    with exclusively(LOCAL / "environments.lock"):
        _prepare_project()
        for name in (*TOOLS, *more):
            _prepare_tool(name)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold a file's lock, waiting for whoever has it; the system lets go of it even if we are killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fingerprint(*parts: bytes) -> str:
    """Return a hash of this Python and of `parts`, to tell whether something made from them is still right."""
    digest = hashlib.sha256(sys.version.encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _prepare_project() -> None:
    locks = (HERE / "requirements-uv.txt", PROJECT / "uv.lock", PROJECT / "pyproject.toml")
    wanted = fingerprint(*(path.read_bytes() for path in locks))
    stamp = _VENV / "prepared"
    if _UV.exists() and _reads(stamp, wanted):
        return
    print("· installing the project's dependencies into .venv", flush=True)
    python = _VENV / "bin" / "python"
    if not python.exists():
        _create_project_venv()
    pip: Command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    run(
        [*pip, "--only-binary", ":all:", "--require-hashes", "-r", HERE / "requirements-uv.txt"],
        folder=PROJECT,
    )
    # Inexact, or it would remove itself and pip.
    run([_UV, "sync", "-q", "--frozen", "--inexact", "--python", python], folder=PROJECT)
    stamp.write_text(wanted)


def _create_project_venv() -> None:
    try:
        venv.create(_VENV, with_pip=True)
    except Exception as error:
        shutil.rmtree(_VENV, ignore_errors=True)
        raise CommandFailed(
            "no virtual environment could be made; on Debian: apt-get install python3-venv"
        ) from error


def _prepare_tool(name: str) -> None:
    requirements = HERE / f"requirements-{name}.txt"
    wanted = fingerprint(requirements.read_bytes())
    folder = LOCAL / "tools" / name
    stamp = folder / "prepared"
    if _reads(stamp, wanted):
        return
    print(f"· installing {requirements.name} into {folder.relative_to(PROJECT)}", flush=True)
    run([_UV, "venv", "-q", "--clear", "--python", _VENV / "bin" / "python", folder], folder=PROJECT)
    install: Command = [_UV, "pip", "install", "-q", "--require-hashes", "--python", folder]
    run([*install, "-r", requirements], folder=PROJECT)
    stamp.write_text(wanted)


def _reads(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def main() -> int:
    """Prepare all environments, or say why that failed."""
    try:
        prepare()
    except CommandFailed as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
