"""System programs: one list, the line that installs them, and those that run without being installed."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from local.needs import NEEDS
from local.programs import PROGRAMS, ProgramMissing, find, install_line, program, write_wrapper


def _only(manager: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name == manager else None


@pytest.mark.parametrize("target", NEEDS)
def test_what_a_target_needs_is_in_the_list(target: str) -> None:
    assert set(NEEDS[target].programs) <= PROGRAMS.keys()


@pytest.mark.parametrize(
    ("manager", "platform", "user", "line"),
    [
        (
            "apt-get",
            "linux",
            1000,
            "Install with: sudo apt-get install libarchive-tools docker-registry zstd",
        ),
        ("apt-get", "linux", 0, "Install with: apt-get install libarchive-tools docker-registry zstd"),
        ("dnf", "linux", 1000, "Install with: sudo dnf install bsdtar docker-distribution zstd"),
        (
            "brew",
            "darwin",
            501,
            "Install with: brew install libarchive zstd go && GOBIN=/usr/local/bin go install ",
        ),
        ("apk", "linux", 0, "Install with this system's package manager: bsdtar docker-registry zstd"),
    ],
)
def test_the_line_that_installs_names_the_packages_of_the_system(
    manager: str, platform: str, user: int, line: str
) -> None:
    said = install_line(
        ["bsdtar", "docker-registry", "zstd"], which=_only(manager), platform=platform, user=user
    )

    assert said.startswith(line)
    assert "\n" not in said


def test_a_package_of_two_programs_is_named_once() -> None:
    said = install_line(["qemu-x86_64", "qemu-aarch64"], which=_only("dnf"), platform="linux", user=0)

    assert said == "Install with: dnf install qemu-user"


def test_a_program_that_is_not_here_is_named() -> None:
    assert find("no-such-program") is None
    with pytest.raises(ProgramMissing, match="no-such-program is missing"):
        program("no-such-program")


def test_a_program_on_the_path_is_found() -> None:
    assert program("sh").name == "sh"


def test_an_unpacked_program_runs_with_the_libraries_beside_it_in_a_folder_with_a_space(
    tmp_path: Path,
) -> None:
    root = tmp_path / "a b" / "root"
    (root / "usr" / "bin").mkdir(parents=True)
    for folder in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"):
        (root / folder).mkdir(parents=True)
    unpacked = root / "usr" / "bin" / "program"
    unpacked.write_text('#!/bin/sh\necho "$LD_LIBRARY_PATH"; echo "$@"; exit 3\n')
    unpacked.chmod(0o755)

    wrapper = write_wrapper("program", root)
    finished = subprocess.run([wrapper, "x y"], check=False, capture_output=True, text=True)  # noqa: S603

    assert wrapper == tmp_path / "a b" / "bin" / "program"
    searched, arguments = finished.stdout.splitlines()
    places = [Path(place).resolve() for place in searched.split(":")]
    assert places == [root / "usr/lib/x86_64-linux-gnu", root / "lib/x86_64-linux-gnu"]
    assert (arguments, finished.returncode) == ("x y", 3)
