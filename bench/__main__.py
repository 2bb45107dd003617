"""`make bench`."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from local.command import CommandFailed, run
from local.environments import LOCAL, PROJECT, tool
from local.sam_deployment import build

from bench.goals import compared, table
from bench.processes import ProgramFailed

RESULTS: Final = Path(__file__).with_name("results.json")
CHART: Final = PROJECT / "docs" / "performance.png"
FOLDER: Final = LOCAL / "bench"


# Each section is imported separately, because a measured process inherits the peak memory of this one.
def _build(rounds: int) -> Any:
    from bench.building import measure_building

    return measure_building(folder=FOLDER, rounds=rounds)


def _edit(rounds: int) -> Any:
    from bench.editing import measure_editing

    return measure_editing(folder=FOLDER, rounds=rounds)


def _cold_start(rounds: int) -> Any:
    from bench.cold_start import measure_cold_starts

    return measure_cold_starts(rounds=rounds)


def _warm(rounds: int) -> Any:
    from bench.warm import measure_warm

    return measure_warm(folder=FOLDER, rounds=10 * rounds)


def _read_file(rounds: int) -> Any:
    from bench.reading import measure_reading

    return measure_reading(folder=FOLDER, rounds=2 * rounds)


def _command(rounds: int) -> Any:
    from bench.command import measure_command

    return measure_command(folder=FOLDER, rounds=rounds)


def _doors(rounds: int) -> Any:
    from bench.doors import measure_doors

    return measure_doors(folder=FOLDER, rounds=rounds)


def _processors(rounds: int) -> Any:
    from bench.processors import measure_processors

    return measure_processors(folder=FOLDER, rounds=2 * rounds)


def _console(rounds: int) -> Any:
    from bench.console import measure_console

    return measure_console(folder=FOLDER, rounds=rounds)


def _list(_rounds: int) -> Any:
    from bench.listing import measure_listing

    # Its counts are the same each time.
    return measure_listing(folder=FOLDER)


def _events(_rounds: int) -> Any:
    from bench.event_listing import measure_event_listing

    # As for `list`.
    return measure_event_listing(folder=FOLDER)


def _search(rounds: int) -> Any:
    from bench.searching import measure_searching

    return measure_searching(folder=FOLDER, rounds=4 * rounds)


SECTIONS: Final[Mapping[str, Callable[[int], Any]]] = {
    "build": _build,
    "edit": _edit,
    "cold_start": _cold_start,
    "warm": _warm,
    "read_file": _read_file,
    "list": _list,
    "events": _events,
    "search": _search,
    "command": _command,
    "doors": _doors,
    "processors": _processors,
    "console": _console,
}


def bench(sections: list[str], *, rounds: int) -> None:
    """Measure, and write the results of these sections. Results of other sections stay.

    Raises:
        ProgramFailed, CommandFailed: Something did not run.
    """
    build()
    FOLDER.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for section in sections:
        results[section] = SECTIONS[section](rounds)
        results["goals"] = compared(results)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results["goals"]))
    run([tool("bench", "python"), Path(__file__).with_name("chart.py"), RESULTS, CHART], folder=PROJECT)
    print(f"\n{RESULTS.relative_to(PROJECT)} and {CHART.relative_to(PROJECT)} are written.")


def _usual() -> list[str]:
    """Return the sections that are measured if none is named: those that this machine has the processors for."""
    from bench.processors import enough_processors

    return [name for name in SECTIONS if name != "processors" or enough_processors()]


def main() -> int:
    """Run the command line."""
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5, help="how often each contender is measured")
    arguments.add_argument("sections", nargs="*", default=_usual(), metavar="section")
    arguments.add_argument(
        "--against",
        type=Path,
        metavar="PATH",
        help="compare INIT with that of another checkout, and nothing else",
    )
    options = arguments.parse_args()
    try:
        if options.against is not None:
            from bench.against import compare_inits

            compare_inits(options.against, rounds=options.rounds)
            return 0
        bench(options.sections, rounds=options.rounds)
    except (CommandFailed, ProgramFailed) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
