"""Python under processors that QEMU emulates: other generations of this machine's architecture, and the other one's.

This machine's own Python runs under the first. Debian's runs under the second, unpacked with all its libraries below
`.local`, with the isal that `uv.lock` locks. Nothing is installed and the kernel's settings stay as they are.
"""

import os
import platform
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import isal

from local.command import Command, CommandFailed, run
from local.environments import LOCAL, PROJECT, UV, fingerprint
from local.locks import exclusively
from local.programs import program, unpack_for
from local.progress import step

_FOLDER: Final = LOCAL / "processors"
_PACKAGES: Final = ("python3-minimal", "libpython3-stdlib")
# By the kernel's names of architectures, which are also QEMU's and uv's.
_DEBIAN: Final = {"x86_64": "amd64", "aarch64": "arm64"}
# A glibc as old as any that the wheel supports. Debian's is newer.
_SYSTEM: Final = "manylinux_2_28"


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor.

    Attributes:
        architecture: `x86_64` or `aarch64`.
        model: Its name in QEMU; None for this machine's own.
    """

    architecture: str
    model: str | None


THIS_MACHINE: Final = Processor(platform.machine(), None)


def prepare_processors() -> None:
    """Bring Python and isal for the architecture that this machine does not have up to date.

    Raises:
        CommandFailed: Something could not be fetched.
    """
    with exclusively(LOCAL / "processors.lock"):
        for architecture in _DEBIAN.keys() - {THIS_MACHINE.architecture}:
            _prepare(architecture)


def run_python(
    script: Path, arguments: Command, *, processor: Processor, environment: Mapping[str, str]
) -> str:
    """Run a script that needs nothing but the standard library, isal and what `PYTHONPATH` has, and return its output.

    Args:
        script: The script.
        arguments: Its arguments.
        processor: Which processor runs it.
        environment: All its variables.

    Raises:
        ProgramMissing: QEMU is not installed.
        CommandFailed: The script failed.
    """
    python, packages = _python(processor.architecture)
    search = os.pathsep.join(filter(None, (str(packages), environment.get("PYTHONPATH"))))
    # Without -S, the environment of this process would lend packages of its own architecture.
    command: Command = [*_emulator(processor), python, "-S", script, *arguments]
    return run(command, folder=PROJECT, environment={**environment, "PYTHONPATH": search})


def _emulator(processor: Processor) -> Command:
    if processor.model is None:
        return []
    foreign: Command = []
    if processor.architecture != THIS_MACHINE.architecture:
        foreign = ["-L", _root(processor.architecture)]
    # The libraries of QEMU itself are not those of the emulated program.
    own: Command = ["-U", "LD_LIBRARY_PATH", "-cpu", processor.model]
    return [program(f"qemu-{processor.architecture}"), *own, *foreign]


def _python(architecture: str) -> tuple[Path, Path]:
    """Return a Python of this architecture and the folder of its isal."""
    if architecture == THIS_MACHINE.architecture:
        return Path(sys.executable), Path(isal.__file__).parents[1]
    return _root(architecture) / "usr" / "bin" / "python3", _FOLDER / architecture / "packages"


def _root(architecture: str) -> Path:
    return _FOLDER / architecture / "root"


def _prepare(architecture: str) -> None:
    locked = _locked_isal()
    stamp = _FOLDER / architecture / "prepared"
    wanted = fingerprint(locked.encode(), *map(str.encode, _PACKAGES))
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(stamp.parent, ignore_errors=True)
    with step(f"fetching Debian's Python for {_DEBIAN[architecture]} (75 MB on disk)"):
        unpack_for(_DEBIAN[architecture], _PACKAGES, _root(architecture))
        _install_isal(architecture, locked)
    stamp.write_text(wanted)


def _install_isal(architecture: str, locked: str) -> None:
    python, packages = _python(architecture)
    # The name of the version that `python3` is a link to.
    version = python.readlink().name.removeprefix("python")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(locked)
        requirements.flush()
        where: Command = ["--python-platform", f"{architecture}-{_SYSTEM}", "--python-version", version]
        strict: Command = ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
        install: Command = [UV, "pip", "install", "-q", "--target", packages]
        run([*install, *where, *strict, "-r", requirements.name], folder=PROJECT)


def _locked_isal() -> str:
    """Return isal as `uv.lock` locks it, as a line of a requirements file."""
    lock: dict[str, Any] = tomllib.loads((PROJECT / "uv.lock").read_text())
    package = next((package for package in lock["package"] if package["name"] == "isal"), None)
    if package is None:
        raise CommandFailed("uv.lock has no isal")
    hashes = " ".join(f"--hash={wheel['hash']}" for wheel in package["wheels"])
    return f"isal=={package['version']} {hashes}\n"
