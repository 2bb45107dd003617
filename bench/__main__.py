"""`make bench`."""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from local.command import CommandFailed, run
from local.deployment import build
from local.environments import LOCAL, PROJECT, prepare, tool

from bench.processes import ProgramFailed, ProgramMissing, program

RESULTS: Final = Path(__file__).with_name("results.json")
CHART: Final = PROJECT / "docs" / "performance.png"
FOLDER: Final = LOCAL / "bench"
PEERS: Final = ("tar", "umoci", "skopeo", "buildah", "docker-registry", "node", "npm")

# The sections of the results: who measures each, and how many rounds of it one of ours is.
SECTIONS: Final = {
    "build": ("building", "measure_building", 1),
    "edit": ("editing", "measure_editing", 1),
    "cold_start": ("cold_start", "measure_cold_starts", 1),
    "warm": ("warm", "measure_warm", 10),
    "read_file": ("reading", "measure_reading", 2),
    # What it counts is the same each time.
    "list": ("listing", "measure_listing", 0),
}


def _measured(section: str, rounds: int) -> Any:
    module, name, times = SECTIONS[section]
    # Loaded one by one: a process that is measured takes over the largest that this one has ever been.
    measure = getattr(import_module(f"bench.{module}"), name)
    given: dict[str, Any] = {"folder": FOLDER} if section != "cold_start" else {}
    return measure(**given, **({"rounds": times * rounds} if times else {}))


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
        results[section] = _measured(section, rounds)
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
