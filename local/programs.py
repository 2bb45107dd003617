"""The list of all system programs: where they are, and how a missing one is fetched.

On Debian and its derivatives they are fetched without asking. For root, apt installs them. For other users they are
unpacked below `.local/system`, from packages that apt has chosen and whose signatures it has checked. On other systems
the command that installs them is printed.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.command import Command, CommandFailed, run
from local.environments import LOCAL, PROJECT, UNPACKED
from local.locks import exclusively
from local.progress import step

_SYSTEM: Final = UNPACKED.parent
_BIN: Final = _SYSTEM / "bin"
_LIBRARIES: Final = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")


class ProgramMissing(CommandFailed):
    """A program is not here and cannot be fetched. The message has the command that installs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program, and the packages that have it.

    Attributes:
        name: Its name on the path.
        debian: Its package in Debian and Ubuntu; several with spaces between.
        fedora: Likewise.
        homebrew: Likewise.
        unpacked: Whether it also works unpacked in a user's folder.
        place: Where it is in the package, if what is on the path only starts it.
    """

    name: str
    debian: str
    fedora: str
    homebrew: str
    unpacked: bool = True
    place: str = ""


def _same(name: str, *, unpacked: bool = True) -> Program:
    return Program(name=name, debian=name, fedora=name, homebrew=name, unpacked=unpacked)


PROGRAMS: Final = {
    program.name: program
    for program in (
        _same("skopeo"),
        _same("umoci"),
        _same("zstd"),
        _same("pigz"),
        _same("curl"),
        Program(name="bsdtar", debian="libarchive-tools", fedora="bsdtar", homebrew="libarchive"),
        # On other systems the program is called `registry`.
        Program(
            name="docker-registry",
            debian="docker-registry",
            fedora="docker-distribution",
            # Homebrew lacks it, but has Go to build it.
            homebrew="go && GOBIN=/usr/local/bin go install "
            "github.com/distribution/distribution/v3/cmd/registry@v3.0.0",
        ),
        # The browser of the tests of the console, and letters for it.
        Program(
            name="chromium-headless-shell",
            debian="chromium-headless-shell fonts-liberation",
            fedora="chromium-headless liberation-fonts",
            homebrew="--cask chromium",
            place="usr/lib/chromium/chromium-headless-shell",
        ),
        # For a Python without pip. Debian's runs without being installed.
        Program(name="pip", debian="python3-pip-whl", fedora="python3-pip", homebrew="python3"),
        # They run programs under another processor. Homebrew has none for macOS, whose programs QEMU cannot run.
        *(
            Program(name=f"qemu-{processor}", debian="qemu-user", fedora="qemu-user", homebrew="qemu")
            for processor in ("x86_64", "aarch64")
        ),
        # They make user namespaces, for which they need programs that belong to root.
        _same("buildah", unpacked=False),
        _same("podman", unpacked=False),
    )
}
_ALSO_CALLED: Final = {"docker-registry": "registry", "chromium-headless-shell": "chromium"}


def find(name: str) -> Path | None:
    """Return where a program is: on the path, otherwise among those unpacked here."""
    unpacked = _BIN / name
    for candidate in (name, _ALSO_CALLED.get(name, name)):
        if found := shutil.which(candidate):
            return Path(found)
    return unpacked if unpacked.exists() else None


def program(name: str) -> Path:
    """Return where a program is.

    Raises:
        ProgramMissing: It is not here.
    """
    path = find(name)
    if path is None:
        raise ProgramMissing(f"{name} is missing. {install_line([name]) if name in PROGRAMS else ''}".strip())
    return path


def fetch(names: Sequence[str]) -> None:
    """Fetch programs that are missing.

    Args:
        names: Keys of `PROGRAMS`.

    Raises:
        ProgramMissing: They can only be installed by hand. The message has the command.
        CommandFailed: apt failed. The message has its reason and the command.
    """
    if not names:
        return
    needed = f"missing here: {' '.join(names)}. {install_line(names)}"
    with_apt = shutil.which("apt-get") and shutil.which("dpkg-deb")
    as_root = os.geteuid() == 0
    if not with_apt or not (as_root or all(PROGRAMS[name].unpacked for name in names)):
        raise ProgramMissing(needed)
    packages = _distinct(package for name in names for package in PROGRAMS[name].debian.split())
    try:
        with exclusively(LOCAL / "programs.lock"):
            if as_root:
                _install(packages)
            else:
                _unpack(packages, names)
    except CommandFailed as error:
        raise CommandFailed(f"{error}\n{needed}") from error


def unpack_for(architecture: str, packages: Sequence[str], root: Path) -> None:
    """Unpack packages of another architecture, with everything that they depend on.

    Args:
        architecture: Debian's name of it: `amd64` or `arm64`.
        packages: Their names in Debian.
        root: Where to unpack them.

    Raises:
        ProgramMissing: This system has no apt.
        CommandFailed: apt failed: the sources of Ubuntu, for instance, have one architecture each.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ProgramMissing(
            f"Debian's {' '.join(packages)} for {architecture} can only be fetched with apt-get"
        )
    with exclusively(LOCAL / "programs.lock"):
        _extract(_downloaded(packages, architecture=architecture), root)


def install_line(
    names: Sequence[str],
    *,
    which: Callable[[str], str | None] = shutil.which,
    platform: str = sys.platform,
    user: int | None = None,
) -> str:
    """Return the sentence with the command that installs programs by hand.

    Args:
        names: Keys of `PROGRAMS`.
        which: Finds a program, such as a package manager, on this system.
        platform: The system, as Python calls it.
        user: Who would type the command; by default the current user.
    """
    programs = [PROGRAMS[name] for name in names]
    sudo = "sudo " if (os.geteuid() if user is None else user) else ""
    if which("apt-get"):
        return f"Install with: {sudo}apt-get install {' '.join(_distinct(each.debian for each in programs))}"
    if which("dnf"):
        return f"Install with: {sudo}dnf install {' '.join(_distinct(each.fedora for each in programs))}"
    if platform == "darwin":
        # A formula with a second command comes last.
        formulas = sorted(_distinct(each.homebrew for each in programs), key=lambda formula: "&&" in formula)
        return f"Install with: brew install {' '.join(formulas)}"
    return f"Install with this system's package manager: {' '.join(names)}"


def _distinct(packages: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(packages))


def _install(packages: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt: Command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    # Nothing may be removed without asking.
    install: Command = ["install", "-y", "--no-remove", "--no-install-recommends"]
    with step(f"installing from Debian: {' '.join(packages)}"):
        # After an interrupted dpkg run, dpkg refuses everything until this was run. Otherwise it does nothing.
        run(["dpkg", "--configure", "-a"], folder=PROJECT, environment=environment, to_its_end=True)
        _update(apt)
        run([*apt, *install, "--download-only", *packages], folder=PROJECT, environment=environment)
        run([*apt, *install, *packages], folder=PROJECT, environment=environment, to_its_end=True)


def _unpack(packages: Sequence[str], names: Sequence[str]) -> None:
    with step(f"fetching from Debian into .local/system: {' '.join(packages)}"):
        _extract(_downloaded(packages), UNPACKED)
        for name in names:
            if (UNPACKED / "usr" / "bin" / name).exists():
                write_wrapper(name, UNPACKED, PROGRAMS[name].place)


def _extract(archives: Sequence[Path], root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        run(["dpkg-deb", "--extract", archive, root], folder=PROJECT)
    shutil.rmtree(_SYSTEM / "apt")


def _downloaded(packages: Sequence[str], *, architecture: str | None = None) -> list[Path]:
    """Return the packages with all dependencies that this system lacks. Lists and archives are in our own folder.

    This system lacks every package of another architecture.
    """
    folder = _SYSTEM / "apt"
    shutil.rmtree(folder, ignore_errors=True)
    for below in ("state/lists/partial", "cache/archives/partial"):
        (folder / below).mkdir(parents=True)
    options: dict[str, str | Path] = {
        "Dir::State": folder / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": folder / "cache",
        # The locks belong to the system.
        "Debug::NoLocking": "true",
    }
    if architecture is not None:
        nothing_installed = folder / "status"
        nothing_installed.touch()
        options |= {
            "Dir::State::status": nothing_installed,
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
        }
    apt: Command = [
        "apt-get",
        "-q",
        *(word for item in options.items() for word in ("-o", "=".join(map(str, item)))),
    ]
    _update(apt)
    run([*apt, "install", "-y", "--no-install-recommends", "--download-only", *packages], folder=PROJECT)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _update(apt: Command) -> None:
    # A broken third-party source must not keep us from Debian's. Without any lists, the next command fails.
    with suppress(CommandFailed):
        run([*apt, "update"], folder=PROJECT)


def write_wrapper(name: str, root: Path, place: str | None = None) -> Path:
    """Write a script that runs an unpacked program with the libraries unpacked beside it, and return its path.

    Args:
        name: The name of both.
        root: Where packages were unpacked. The script goes to `bin` beside it, complete or not at all.
        place: Where the program is below that; by default in `usr/bin`.
    """
    place = place or f"usr/bin/{name}"
    libraries = [path.relative_to(root) for pattern in _LIBRARIES for path in sorted(root.glob(pattern))]
    search = ":".join(f"$root/{path}" for path in libraries)
    wrapper = root.parent / "bin" / name
    wrapper.parent.mkdir(exist_ok=True)
    unfinished = root.parent / f"{name}.unfinished"
    unfinished.write_text(
        "#!/bin/sh\n"
        f"# Debian's {name}, unpacked here without being installed.\n"
        f'root=$(dirname "$(readlink -f "$0")")/../{root.name}\n'
        f'LD_LIBRARY_PATH="{search}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}" exec "$root/{place}" "$@"\n'
    )
    unfinished.chmod(0o755)
    return unfinished.rename(wrapper)
