"""`make invoke` and `make start-api`: the real SAM CLI against the stack that `make run` runs.

Template, env file and events are derived from the built template and the running stack, so that nobody has to fill them
in by hand. Without a container engine, the same function runs under Lambda's runtime interface emulator.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.command import CommandFailed
from local.container_engine import container_engine, none_answers
from local.derived_template import ENDPOINT
from local.environments import PROJECT
from local.function import FunctionFailed, running_function
from local.ports import PortUnusable, port_number
from local.sam_containers import SamFailed, sam_containers
from local.sam_deployment import build, logical_id
from local.sample_events import (
    NoEvent,
    UnknownPlaceholder,
    event_at,
    is_event,
    narrowed,
    rendered,
    stated_answer,
)
from local.standing_stack import StackNotRunning, StandingStack, standing_stack
from packyard.text.suggestion import closest

_INTERRUPTED = 130

# Takes a function's logical id and an event, and returns the function's answer.
_Ask = Callable[[str, object], Any]


class UnknownFunction(Exception):
    """No function has this name. The message says which names there are."""


class _Refused(Exception):
    """The command line is wrong. The message says what helps."""


def invoke(
    events: Sequence[Path], *, function: str | None, stack: StandingStack, more: Sequence[str]
) -> bool:
    """Run functions with events and print the answers. Return whether each is the expected one.

    Args:
        events: The events' files.
        function: The function's logical id; by default that of the event's folder.
        stack: The running stack.
        more: Further options of `sam local invoke`.

    Raises:
        SamFailed, FunctionFailed, CommandFailed: A function could not be run.
        UnknownPlaceholder, NoEvent: An event cannot be read.
    """
    names = stack.variables.keys()
    orgs = stack.description["orgs"]
    asked = [
        (path, known_function(function, names) if function else _named_by(path, names), rendered(path, orgs))
        for path in events
    ]
    with _asking(stack, more) as ask:
        right = [_told(path, ask(name, event), stack) for path, name, event in asked]
    if len(right) > 1:
        print(f"· {sum(right)} of {len(right)} events were answered as they state")
    return all(right)


def known_function(function: str, names: Collection[str]) -> str:
    """Return the logical id of the function that the user names.

    Args:
        function: The name as given.
        names: The logical ids of all functions.

    Raises:
        UnknownFunction: There is no such function.
    """
    if function in names:
        return function
    near = closest(function, names)
    hint = f"did you mean F={near}?" if near else f"there are {', '.join(sorted(names))}"
    raise UnknownFunction(f"no function is called {function}; {hint}")


def _named_by(path: Path, names: Collection[str]) -> str:
    folder = path.resolve().parent.name
    if logical_id(folder) in names:
        return logical_id(folder)
    raise _Refused(
        f"the folder of {path} names no function; say which takes the event, as in `make invoke F=GetPack E={path}`"
    )


def start_api(*, stack: StandingStack, more: Sequence[str]) -> int:
    """Serve the API until it is interrupted, and return SAM's exit status.

    Args:
        stack: The running stack.
        more: Further options of `sam local start-api`.

    Raises:
        SamFailed, CommandFailed: It could not be started.
    """
    with container_engine(os.environ) as engine:
        if engine is None:
            raise SamFailed(
                f"`sam local start-api` needs a container engine, and {none_answers(os.environ)}. "
                f"The running stack serves the same API without one: {stack.description['api_url']}"
            )
        with sam_containers(engine, stack, more=more) as sam:
            return sam.serve()


@contextmanager
def _asking(stack: StandingStack, more: Sequence[str]) -> Iterator[_Ask]:
    with container_engine(os.environ) as engine:
        if engine is None:
            print(
                f"· {none_answers(os.environ)}, so the function runs under Lambda's runtime interface emulator, with "
                f"this machine's Python {sys.version_info[0]}.{sys.version_info[1]}",
                flush=True,
            )
            if more:
                print(f"· passed over, because it is for the SAM CLI: {' '.join(more)}", flush=True)
            build()
            yield lambda name, event: _answer_here(name, event, stack)
            return
        print(f"· the function runs in a container, by {engine.name} ({engine.url})", flush=True)
        with sam_containers(engine, stack, more=more) as sam:
            yield sam.answer


def _answer_here(name: str, event: object, stack: StandingStack) -> Any:
    folder = next(path for path in (PROJECT / "functions").iterdir() if logical_id(path.name) == name)
    environment = stack.variables[name] | {ENDPOINT: stack.description["endpoint_url"]}
    with TemporaryDirectory() as scratch:
        log = Path(scratch) / "log"
        with running_function(folder.name, environment=environment, log_path=log) as running:
            answer = running.invoke(event)
        print(log.read_text(encoding="utf-8"), end="", file=sys.stderr, flush=True)
    return answer


def _told(path: Path, answer: Any, stack: StandingStack) -> bool:
    print(json.dumps(answer, indent=2, ensure_ascii=False), flush=True)
    stated = stated_answer(path, stack.description["orgs"])
    if stated is None:
        return True
    if narrowed(answer, stated) == stated:
        print(f"· {os.path.relpath(path)} states this answer", flush=True)
        return True
    print(f"· {os.path.relpath(path)} states another answer:\n{json.dumps(stated, indent=2)}", flush=True)
    return False


def _events(texts: Sequence[str]) -> list[Path]:
    """Return the events among the given files. Of several files, skip expected answers, which a pattern includes."""
    several = [text for text in texts if is_event(Path(text))]
    events = [event_at(text) for text in (several if len(texts) > 1 else texts)]
    if not events:
        raise _Refused("which event? Try `make invoke E=events/get_pack/unknown.json`")
    return events


def _options(words: Sequence[str]) -> argparse.Namespace:
    arguments = argparse.ArgumentParser(
        prog="sam_local", description="Run functions in Lambda's own container."
    )
    arguments.add_argument("--port", required=True, help="the running stack's")
    actions = arguments.add_subparsers(dest="action", required=True)
    invoking = actions.add_parser("invoke", help="run a function with events")
    invoking.add_argument("--function", help="its logical id; by default that of the event's folder")
    invoking.add_argument("events", nargs="*")
    actions.add_parser("start-api", help="serve the API")
    return arguments.parse_args(words)


def main() -> int:
    """Run the command line. The arguments after `--` are for SAM."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    options, more = _options(words[:cut]), words[cut + 1 :]
    try:
        port = port_number(options.port)
        if options.action == "start-api":
            return start_api(stack=standing_stack(port), more=more)
        events = _events(options.events)
        stack = standing_stack(port)
        return 0 if invoke(events, function=options.function, stack=stack, more=more) else 1
    except (
        *(
            CommandFailed,
            FunctionFailed,
            NoEvent,
            PortUnusable,
            SamFailed,
            StackNotRunning,
            UnknownPlaceholder,
        ),
        *(UnknownFunction, _Refused, OSError),
    ) as error:
        print(f"sam_local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
