"""`make run` and `make reset`."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from local.command import CommandFailed
from local.emulator import EmulatorFailed
from local.environments import LOCAL
from local.stack import StackDescription, StackRunning, holding, running_stack

STATES = LOCAL / "state"
DEFAULT_PORT = 4566


class Interrupted(BaseException):
    """Somebody asked this process to end."""


def serve(*, port: int) -> None:
    """Run the stack until somebody interrupts it.

    Raises:
        EmulatorFailed: It ended by itself.
    """
    started = time.monotonic()
    with running_stack(folder=STATES / str(port), port=port) as stack:
        stack_file = LOCAL / "stack.json"
        shutil.copyfile(STATES / str(port) / "stack.json", stack_file)
        print(_welcome(stack, stack_file, time.monotonic() - started), flush=True)
        try:
            # The emulator is the only child that is left by now. (macOS has no waitid.)
            os.wait()
            raise EmulatorFailed(
                "the emulator has ended by itself; its log may say why. Start it again: what it saved is kept"
            )
        finally:
            _ignore_interruptions()
            print("\nSaving the state and stopping.", flush=True)


def reset() -> None:
    """Forget everything that local stacks have kept.

    Raises:
        StackRunning: One of them is running.
    """
    for folder in sorted(STATES.glob("*")):
        with holding(folder):
            shutil.rmtree(folder)
    (LOCAL / "stack.json").unlink(missing_ok=True)


def _welcome(stack: StackDescription, stack_file: Path, seconds: float) -> str:
    key = stack["orgs"]["acme"]["keys"]["full_access"]
    log = os.path.relpath(STATES / stack["registry"].partition(":")[2] / "emulator.log")
    return f"""
Packyard is ready after {seconds:.0f} s. The API: {stack["api_url"]}

Publish a pack, from this folder:

  tar -cz -C examples hello-pack | curl -sS -H 'Authorization: Bearer {key}' \\
    -F 'archive=@-;filename=hello-pack.tar.gz' {stack["api_url"]}/packs/upload

Organisations, their keys and all addresses are in {os.path.relpath(stack_file)}; the log of the
emulator is {log}. Ctrl-C stops it; what it holds is kept until `make reset`."""


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def _ignore_interruptions() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    """Do what the command line asks for."""
    arguments = argparse.ArgumentParser(prog="local", description=__doc__)
    arguments.add_argument("action", choices=("run", "reset"))
    arguments.add_argument("--port", type=int, default=DEFAULT_PORT)
    options = arguments.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if options.action == "run":
            serve(port=options.port)
        else:
            reset()
    except (CommandFailed, EmulatorFailed, StackRunning) as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except Interrupted:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
