"""The page of the console: `console/` is built into `functions/console/assets`, which git ignores.

The Node.js of PyPI builds it (decision 143), with what `console/package-lock.json` locks. It is built again when one of
its sources, the API's document, a lock or this module has changed. Beside each file is the file compressed, so that the
function need not do that for each browser. `python -m local.console check` checks the types.
"""

import argparse
import gzip
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local import environments
from local.command import Command, CommandFailed, run
from local.environments import LOCAL, PROJECT, fingerprint
from local.interruption import end_when_interrupted
from local.locks import exclusively
from local.progress import step

TOOL: Final = "console"
SOURCES: Final = PROJECT / "console"
SERVED_FROM: Final = PROJECT / "functions" / "console" / "assets"
# What the name of a compressed file ends with (RFC 1952).
COMPRESSED: Final = ".gz"
_PACKAGES: Final = SOURCES / "node_modules"
_LOCKS: Final = ("package.json", "package-lock.json")
_DOCUMENT: Final = PROJECT / "functions" / "api_docs" / "openapi.json"
_TYPES: Final = Path("src", "openapi.d.ts")
# Made by the tools, or read by nobody who builds.
_NOT_SOURCES: Final = ("node_modules", "dist", str(_TYPES))


def build_console() -> None:
    """Build the page, unless it is built of the present sources. The environment `console` must be there.

    Raises:
        CommandFailed: The packages could not be installed, or the page does not build.
    """
    with exclusively(LOCAL / "console.lock"):
        install_packages()
        wanted, stamp = fingerprint(*_contents()), LOCAL / "console.built"
        if SERVED_FROM.exists() and stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        with step("building the page of the console"), TemporaryDirectory(dir=LOCAL) as scratch:
            _write_types()
            run_tool("vite", "build", "--outDir", scratch, "--emptyOutDir", "--logLevel", "warn")
            _put(Path(scratch))
        stamp.write_text(wanted)


def install_packages() -> None:
    """Install what the page is built with, unless it is there."""
    wanted, stamp = fingerprint(*((SOURCES / name).read_bytes() for name in _LOCKS)), _PACKAGES / "prepared"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with step("installing what the page of the console is built with"):
        environments.install_locked(TOOL, SOURCES)
    stamp.write_text(wanted)


def run_tool(package: str, *arguments: str | Path, program: str | None = None) -> str:
    """Run a program of an installed package, and return what it prints.

    Args:
        package: The package's name.
        arguments: Its arguments.
        program: The program, of a package that has several.

    Raises:
        CommandFailed: Its exit status is not 0.
    """
    folder = _PACKAGES / package
    stated = json.loads((folder / "package.json").read_bytes())["bin"]
    place = stated if isinstance(stated, str) else stated[program or package]
    command: Command = [environments.node(TOOL), folder / place, *arguments]
    return run(command, folder=SOURCES, environment={**os.environ, "CI": "1", "NO_COLOR": "1"})


def _write_types() -> None:
    """Write the types of the API's requests and answers, from its document."""
    run_tool("openapi-typescript", _DOCUMENT, "--output", SOURCES / _TYPES)


def _put(built: Path) -> None:
    """Put a result into the place of the one before. The name of each file but the page has its digest."""
    new = SERVED_FROM.with_name("assets.unfinished")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(built / "console" / "assets", new)
    shutil.copyfile(built / "index.html", new / "index.html")
    for path in list(new.iterdir()):
        # Without a time, so that the same file is compressed to the same bytes.
        path.with_name(path.name + COMPRESSED).write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    shutil.rmtree(SERVED_FROM, ignore_errors=True)
    new.rename(SERVED_FROM)


def _contents() -> Iterator[bytes]:
    yield Path(__file__).read_bytes()
    yield _DOCUMENT.read_bytes()
    for path in sorted(SOURCES.rglob("*")):
        place = path.relative_to(SOURCES).as_posix()
        if path.is_file() and not place.startswith(_NOT_SOURCES):
            yield place.encode()
            yield path.read_bytes()


def main() -> int:
    """Build the page, or check its types."""
    end_when_interrupted()
    parser = argparse.ArgumentParser(prog="console", description=__doc__)
    parser.add_argument("action", choices=["build", "check"])
    options = parser.parse_args()
    try:
        build_console()
        if options.action == "check":
            _write_types()
            run_tool("typescript", "--noEmit", program="tsc")
    except CommandFailed as error:
        sys.stderr.write(f"console: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
