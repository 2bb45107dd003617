"""`make bench`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from local.command import CommandFailed, run
from local.deployment import build
from local.environments import LOCAL, PROJECT, prepare, tool

from bench.building import measure_building
from bench.cold_start import measure_cold_starts
from bench.editing import measure_editing
from bench.listing import measure_listing
from bench.processes import ProgramFailed, ProgramMissing, program
from bench.reading import measure_reading
from bench.warm import measure_warm

RESULTS: Final = Path(__file__).with_name("results.json")
CHART: Final = PROJECT / "docs" / "performance.png"
FOLDER: Final = LOCAL / "bench"
PEERS: Final = ("tar", "umoci", "skopeo", "buildah", "docker-registry", "node", "npm")

# The sections of the results; each is measured by a module of its own.
SECTIONS: Final[dict[str, Callable[[int], Any]]] = {
    "build": lambda rounds: measure_building(folder=FOLDER, rounds=rounds),
    "edit": lambda rounds: measure_editing(folder=FOLDER, rounds=rounds),
    "cold_start": lambda rounds: measure_cold_starts(rounds=rounds),
    "warm": lambda rounds: measure_warm(folder=FOLDER, rounds=10 * rounds),
    "read_file": lambda rounds: measure_reading(folder=FOLDER, rounds=2 * rounds),
    # What it counts is the same each time.
    "list": lambda _rounds: measure_listing(folder=FOLDER),
}


def bench(sections: list[str], *, rounds: int) -> None:
    """Measure, and write the results of these sections; those of the others stay.

    Raises:
        ProgramMissing: A peer is not installed.
        ProgramFailed, CommandFailed: Something of ours did not run.
    """
    for peer in PEERS:
        program(peer)
    prepare("bench")
    build()
    FOLDER.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for section in sections:
        results[section] = SECTIONS[section](rounds)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    run([tool("bench", "python"), Path(__file__).with_name("chart.py"), RESULTS, CHART], folder=PROJECT)
    print(f"\n{RESULTS.relative_to(PROJECT)} and {CHART.relative_to(PROJECT)} are written.")


def main() -> int:
    """Do what the command line asks for."""
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5, help="how often everybody is measured")
    arguments.add_argument("sections", nargs="*", default=list(SECTIONS), metavar="section")
    options = arguments.parse_args()
    try:
        bench(options.sections, rounds=options.rounds)
    except (CommandFailed, ProgramFailed, ProgramMissing) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
