"""What each target of the Makefile needs on this machine. Everything is checked before anything is fetched."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from layers.packyard.toolchain import warn_of_download

from local import console
from local.command import CommandFailed
from local.environments import needs_pip, prepare_environments
from local.interruption import end_when_interrupted
from local.ports import PortUnusable, check_port
from local.programs import fetch, find


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a target needs.

    Attributes:
        development: Whether it needs the development packages in addition to those that the service ships.
        tools: Tools with their own environments. With `console`, the page is built too.
        programs: System programs.
    """

    development: bool = True
    tools: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


_TESTS: Final = Need(
    tools=("emulator", "sam", "runtime", "console", "schemathesis", "readers", "doors"),
    programs=(
        *("skopeo", "umoci", "docker-registry", "bsdtar", "zstd", "pigz", "qemu-x86_64", "qemu-aarch64"),
        "chromium-headless-shell",
    ),
)
NEEDS: Final = {
    # `curl` is for the commands that it prints.
    "run": Need(development=False, tools=("emulator", "sam", "console"), programs=("curl",)),
    "demo": Need(development=False, tools=("emulator", "sam", "console")),
    "invoke": Need(development=False, tools=("sam", "runtime", "console")),
    "reset": Need(development=False),
    "sbom": Need(development=False),
    "smoke": Need(development=False),
    "build": Need(development=False, tools=("sam", "console")),
    "audit": Need(development=False, tools=("audit", "console")),
    "develop": Need(),
    "check": Need(tools=("sam", "console", "checkov")),
    "test": _TESTS,
    "reliability": _TESTS,
    "load": Need(tools=("emulator", "sam", "runtime", "console", "bench")),
    # The clients that come from npm are fetched by `local/doors/clients.py`.
    "doors": Need(
        tools=("emulator", "sam", "runtime", "console", "readers", "doors"),
        programs=("skopeo", "umoci", "docker-registry", "podman"),
    ),
    "bench": Need(
        tools=("emulator", "sam", "runtime", "console", "bench"),
        programs=("umoci", "skopeo", "docker-registry", "buildah", "chromium-headless-shell"),
    ),
}


def fetch_for(arguments: Sequence[str]) -> int:
    """Fetch what a target needs. If that is impossible, print why and return 1.

    Args:
        arguments: The target, and `--port` for a target that listens.
    """
    end_when_interrupted()
    parser = argparse.ArgumentParser(prog="setup", description=__doc__)
    parser.add_argument("target", choices=sorted(NEEDS))
    parser.add_argument("--port", help="refuse if it is taken, before anything is fetched")
    options = parser.parse_args(arguments)
    need = NEEDS[options.target]
    if options.target == "build":
        warn_of_download()
    try:
        if options.port is not None:
            check_port(options.port)
        missing = [name for name in need.programs if find(name) is None]
        fetch([*(["pip"] if needs_pip() else []), *missing])
        prepare_environments(development=need.development, tools=need.tools)
        if console.TOOL in need.tools:
            console.build_console()
    except (CommandFailed, PortUnusable) as error:
        sys.stderr.write(f"setup: {error}\n")
        return 1
    except OSError as error:
        # For a full disk or a folder that is not ours, the system's own message is best.
        sys.stderr.write(f"setup: {error}\n")
        return 1
    return 0
