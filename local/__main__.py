"""`make run` and `make reset`. Interrupts are handled first, before the slow imports."""

import argparse
import sys

from local.command import CommandFailed
from local.emulator import EmulatorFailed
from local.interruption import end_when_interrupted
from local.locks import StackRunning
from local.ports import PortUnusable


def main() -> int:
    """Run the command line."""
    end_when_interrupted()
    arguments = argparse.ArgumentParser(prog="local", description=__doc__)
    actions = arguments.add_subparsers(dest="action", required=True)
    running = actions.add_parser("run", help="run the stack until Ctrl-C")
    running.add_argument("--port", default="4566")
    running.add_argument("--since", type=float, help="when the user started it, as a Unix time")
    running.add_argument("--check", action="store_true", help="push the sample pack, read it back, and exit")
    actions.add_parser("reset", help="delete the data of this folder's stacks")
    options, unknown = arguments.parse_known_args()
    if unknown:
        sys.stderr.write(f"local: not {' '.join(unknown)}: ARGS=--check is all that `make run` takes\n")
        return 1

    from local.image_reader import NotVerified  # noqa: PLC0415 - takes long
    from local.serving import reset, serve  # noqa: PLC0415 - likewise

    try:
        if options.action == "run":
            serve(port_text=options.port, since=options.since, only_check=options.check)
        else:
            reset()
    except (CommandFailed, EmulatorFailed, NotVerified, PortUnusable, StackRunning) as error:
        sys.stderr.write(f"local: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
