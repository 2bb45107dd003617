"""`make load`."""

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

from local.command import CommandFailed, run
from local.emulator import EmulatorFailed
from local.environments import LOCAL, PROJECT, tool

from load.outcome import Outcome
from load.session import load

RESULTS = PROJECT / "docs" / "load.json"
CHART = PROJECT / "docs" / "load.png"


def write(outcome: Outcome, *, results: Path, chart: Path) -> None:
    """Write the figures and draw them.

    Raises:
        CommandFailed: They could not be drawn.
    """
    results.write_text(json.dumps(outcome.results, indent=2) + "\n")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as over_time:
        json.dump(outcome.over_time, over_time)
        over_time.flush()
        run(
            [tool("bench", "python"), Path(__file__).with_name("chart.py"), over_time.name, chart],
            folder=PROJECT,
        )


def main() -> int:
    """Run the command line. Return 1 if something is wrong."""
    arguments = argparse.ArgumentParser(prog="load", description=__doc__)
    arguments.add_argument("--duration", type=float, default=600, help="seconds")
    arguments.add_argument("--rate", type=float, default=4, help="requests a second")
    arguments.add_argument("--at-once", type=int, default=3, help="requests that run at once")
    arguments.add_argument(
        "--faults",
        type=float,
        default=0.04,
        help="the share of calls to AWS that begin to fail, 0 to 1; some fail at every attempt",
    )
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--results", type=Path, default=RESULTS)
    arguments.add_argument("--chart", type=Path, default=CHART)
    options = arguments.parse_args()
    # What the service logs here is about faults that are meant.
    logging.getLogger("packyard").setLevel(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(dir=LOCAL) as folder:
            outcome = load(
                folder=Path(folder),
                seconds=options.duration,
                rate=options.rate,
                at_once=options.at_once,
                share=options.faults,
                seed=options.seed,
            )
        write(outcome, results=options.results, chart=options.chart)
    except (CommandFailed, EmulatorFailed) as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    print(json.dumps(outcome.results, indent=2))
    for fault in outcome.broken:
        print(f"does not hold: {fault}", file=sys.stderr)
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
