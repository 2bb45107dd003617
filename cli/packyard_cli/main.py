"""The entry point: reads the command line, runs one command, prints its answer, and returns the exit code."""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from packyard_cli.command_line import parse
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure, disk_failure
from packyard_cli.printing import Printer, may_colour, print_anything


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the command line names, and return the exit code."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        print_anything(stream)
    given = sys.argv[1:] if arguments is None else list(arguments)
    _interrupt_when_ended()
    context = Context(environment=os.environ, printer=_printer("--json" in given), stdin=sys.stdin)
    try:
        return run(given, context)
    except BrokenPipeError:
        # Whoever read the answer has read enough. Python would complain when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)


def run(arguments: Sequence[str], context: Context) -> int:
    """Run a command in the surroundings given, and return the exit code.

    Args:
        arguments: The command line, without the program's name.
        context: The surroundings; the command line's options are added to it.
    """
    printer = context.printer
    try:
        options = parse(arguments)
        printer = printer._replace(json=options.json, quiet=options.quiet)
        inside = context._replace(printer=printer, profile=options.profile, url=options.url)
        module, _, function = options.handler.partition(":")
        result = getattr(import_module(f"packyard_cli.{module}"), function)(options, inside)
        printer.answer(result)
    except Failure as failure:
        printer.failure(failure)
        return int(failure.exit_code)
    except KeyboardInterrupt:
        printer.failure(
            Failure(Exit.INTERRUPTED, "Interrupted: nothing is left half done.", "Repeat the command.")
        )
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        raise
    except OSError as error:
        printer.failure(disk_failure(error))
        return int(Exit.DISK)
    except UnicodeEncodeError:
        # Arguments come as the system's bytes, and only those that name files may be anything but UTF-8.
        printer.failure(Failure(Exit.USAGE, "A name that was given is not UTF-8.", "Write it in UTF-8."))
        return int(Exit.USAGE)
    except Exception as error:
        if context.environment.get("PACKYARD_TRACEBACK"):
            raise
        printer.failure(_own_fault(error))
        return int(Exit.FAULT_OF_THE_COMMAND)
    return int(result.exit_code)


def _own_fault(error: Exception) -> Failure:
    return Failure(
        Exit.FAULT_OF_THE_COMMAND,
        f"packyard met what it does not know: {type(error).__name__}.",
        "Install a newer packyard, or report it with what PACKYARD_TRACEBACK=1 shows.",
    )


def _interrupt_when_ended() -> None:
    """Let SIGTERM and SIGHUP interrupt the command as Ctrl-C does, so that it removes what is unfinished.

    CI runners and container runtimes send SIGTERM. A signal that the caller ignores, as nohup does, stays ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _open_what_is_closed() -> None:
    """Replace standard streams that the caller has closed, for which Python has None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - until the process ends


def _printer(json: bool) -> Printer:  # noqa: FBT001 - the option's own name
    colour = may_colour(sys.stdout, os.environ, windows=os.name == "nt")
    return Printer(out=sys.stdout, err=sys.stderr, json=json, colour=colour)
