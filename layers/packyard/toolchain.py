"""Finds the tools that build the layer: uv to install packages, and a Python of the runtime's version to compile.

It also has the names of this machine's processor in Lambda and in uv.

`python3 -m layers.packyard.toolchain` finds that Python or downloads it; if that fails, it says what helps. The script
needs only the standard library.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent

# The template's `Runtime`, as `major.minor`.
RUNTIME = "3.13"

# The approximate size of the python-build-standalone archive that uv downloads.
_DOWNLOAD_MB = 30


class ToolMissing(Exception):
    """The layer cannot be built here; the message says what is missing and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """A processor type that Lambda supports.

    Attributes:
        on_lambda: Its name in Lambda: `x86_64` or `arm64`.
        in_uv: Its name in uv.
    """

    on_lambda: str
    in_uv: str


_X86_64 = Processor(on_lambda="x86_64", in_uv="x86_64")
_ARM64 = Processor(on_lambda="arm64", in_uv="aarch64")
# By the names that Python uses on Linux, macOS and Windows.
_PROCESSORS = {"x86_64": _X86_64, "AMD64": _X86_64, "aarch64": _ARM64, "arm64": _ARM64}


def processor() -> Processor:
    """Return this machine's processor.

    Raises:
        ToolMissing: Lambda does not support it.
    """
    machine = platform.machine()
    if machine not in _PROCESSORS:
        raise ToolMissing(
            f"Lambda has processors of the kinds x86_64 and arm64, and this machine's is {machine}: functions cannot "
            "run here as they do on Lambda. `make run` serves the API without Lambda's container"
        )
    return _PROCESSORS[machine]


def find_uv(*, environment: Mapping[str, str]) -> Path:
    """Return uv from the project's virtual environment, or else from the path.

    Raises:
        ToolMissing: There is neither.
    """
    own = PROJECT / ".venv" / "bin" / "uv"
    if own.exists():
        return own
    found = shutil.which("uv", path=environment.get("PATH"))
    if found is None:
        raise ToolMissing(
            "uv is missing; it installs what the layer holds. Run `make build`, which brings it, or install it "
            "(`pipx install uv`) and run `sam build` again"
        )
    return Path(found)


def find_python(version: str, *, environment: Mapping[str, str]) -> Path | None:
    """Return an installed interpreter of the given version, or None.

    Bytecode is valid for one minor version only (PEP 3147).

    Args:
        version: As `major.minor`.
        environment: Environment variables; `PACKYARD_PYTHON` is tried first, then `PATH`, pyenv's and uv's folders.
    """
    return next(
        (path for path in _candidates(version, environment=environment) if _version_of(path) == version), None
    )


def fetched_python(version: str, *, uv: Path) -> Path:
    """Let uv download an interpreter of the given version, and return its path.

    Args:
        version: As `major.minor`.
        uv: The uv program.

    Raises:
        ToolMissing: The download failed. The message states the reason and what helps.
    """
    print(f"· fetching Python {version} with uv, about {_DOWNLOAD_MB} MB", flush=True)
    fetching = subprocess.run(
        [uv, "python", "install", "--no-progress", version], check=False, capture_output=True, text=True
    )
    found = subprocess.run(
        [uv, "python", "find", "--managed-python", "--no-project", version],
        check=False,
        capture_output=True,
        text=True,
    )
    if found.returncode:
        # The last line of uv's error output is the innermost cause.
        why = fetching.stderr.strip().splitlines()[-1:]
        because = f" ({why[0].strip().removeprefix('cause: ')})" if why else ""
        raise ToolMissing(
            f"""Python {version} is missing: it compiles the layer's bytecode, which fits no other version.
uv could not download it{because}. One of these helps:
  apt-get install python{version}        Debian 13, Ubuntu 25.04 and later
  dnf install python{version}            Fedora, RHEL
  brew install python@{version}          macOS
  PACKYARD_PYTHON=/path/to/python{version} make build
  UV_PYTHON_INSTALL_MIRROR=https://… make build    behind a mirror of python-build-standalone's releases"""
        )
    return Path(found.stdout.strip())


def _candidates(version: str, *, environment: Mapping[str, str]) -> Iterator[Path]:
    if named := environment.get("PACKYARD_PYTHON"):
        yield Path(named)
    yield Path(sys.executable)
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield Path(folder) / f"python{version}"
    # A pyenv shim on the path works only for versions that are active in pyenv.
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    # Interpreters that uv manages (uv documentation, "Storage", Python versions).
    data = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    managed = Path(environment.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    yield from sorted(managed.glob(f"cpython-{version}.*/bin/python{version}"), reverse=True)


def _version_of(python: Path) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def warn_of_download() -> None:
    """Print that a Python will be downloaded, if none is installed."""
    if find_python(RUNTIME, environment=os.environ) is None:
        print(
            f"build: Python {RUNTIME}, which compiles the layer's bytecode, is not installed; uv will fetch it "
            f"({_DOWNLOAD_MB} MB). To use your own: PACKYARD_PYTHON=/path/to/python{RUNTIME} make build",
            flush=True,
        )


def main() -> int:
    """Find or download the Python that compiles the layer's bytecode; return the exit status."""
    arguments = argparse.ArgumentParser(description="Find or download the Python that compiles the bytecode.")
    arguments.add_argument(
        "--only-look", action="store_true", help="say what is missing, but fetch nothing and do not fail"
    )
    options = arguments.parse_args()
    if options.only_look:
        warn_of_download()
        return 0
    if find_python(RUNTIME, environment=os.environ):
        return 0
    try:
        fetched_python(RUNTIME, uv=find_uv(environment=os.environ))
    except ToolMissing as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
