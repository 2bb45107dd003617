"""`make doors`. Interrupts are handled first, before the slow imports."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from local.command import CommandFailed
from local.emulator import EmulatorFailed
from local.interruption import end_when_interrupted
from local.locks import StackRunning
from local.ports import PortUnusable, port_number


def main() -> int:
    """Try all doors, and print the table. Return 1 if a client does not get what it should."""
    end_when_interrupted()
    arguments = argparse.ArgumentParser(prog="doors", description=__doc__)
    arguments.add_argument("--port", default="4566", help="of a stack to use, if one runs there")
    arguments.add_argument("--write", action="store_true", help="write the table into docs/doors.md")
    options = arguments.parse_args()

    from local.doors.pack import DoorFailed  # noqa: PLC0415 - what it imports takes long

    try:
        _try(port_number(options.port), write=options.write)
    except (CommandFailed, DoorFailed, EmulatorFailed, PortUnusable, StackRunning) as error:
        sys.stderr.write(f"doors: {error}\n")
        return 1
    return 0


def _try(port: int, *, write: bool) -> None:
    from local.doors.clients import prepare_clients  # noqa: PLC0415 - likewise
    from local.doors.run import tried  # noqa: PLC0415
    from local.doors.table import DOCUMENT, table_of, written  # noqa: PLC0415
    from local.standing_stack import standing_or_own  # noqa: PLC0415

    prepare_clients()
    with ExitStack() as ending:
        stack = ending.enter_context(standing_or_own(port))
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        rows = list(tried(stack, folder, show=lambda line: print(line, flush=True)))
    table = table_of(rows)
    print(f"\n{table}")
    if write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
