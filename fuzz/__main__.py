"""`make fuzz`: explores each target for a number of runs, and keeps new inputs in `.local/fuzz`.

`--keep` adds inputs that reached new code to the committed corpus. A finding is written to the target's working
directory under `.local/fuzz`. Once it is fixed, give it a name in `fuzz/corpus/<target>/`.
"""

import argparse
import sys
from typing import Final

from fuzz.exploring import TARGETS, Finding, explore, merge

_RUNS: Final = 100_000
_REPORT_CHARACTERS: Final = 8_000


def main() -> int:
    """Explore what the command line asks for, one target at a time."""
    arguments = argparse.ArgumentParser(prog="fuzz", description="Look for input that breaks a reader.")
    arguments.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; by default all"
    )
    arguments.add_argument("--runs", type=int, default=_RUNS, help="inputs to try on each (%(default)s)")
    arguments.add_argument("--seed", type=int, default=0, help="another seed explores differently (0: any)")
    arguments.add_argument("--keep", action="store_true", help="add new inputs to the committed corpus")
    options = arguments.parse_args()
    status = 0
    for target in options.targets or TARGETS:
        try:
            print(f"· {target}: {explore(target, runs=options.runs, seed=options.seed)}", flush=True)
            if options.keep:
                print(f"  {merge(target)} inputs more to keep", flush=True)
        except Finding as finding:
            # The output begins with the list of instrumented modules.
            print(f"· {target}: {str(finding)[-_REPORT_CHARACTERS:]}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
