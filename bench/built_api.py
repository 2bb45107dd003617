"""Built functions behind the API's routes, over a table in Dynalite: what the local stack's emulator is too slow for.

That emulator compares each item of a partition with a query's condition, one after the other: with ten thousand packs a
search of one letter takes it seconds. Here each function runs under Lambda's own runtime client, behind the authorizer,
and the table reads no further than a query needs.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from local.function import Function, running_function
from tests.http_gateway import served


@contextmanager
def running_api(*, environment: Mapping[str, str], logs: Path) -> Iterator[str]:
    """Serve the API on a port of the loopback interface while the block lasts, and yield its URL.

    A function starts when it is first asked, and takes one event at a time.

    Args:
        environment: The functions' variables.
        logs: A folder for their logs.
    """
    functions: dict[str, tuple[Function, Lock]] = {}
    starting = Lock()
    with ExitStack() as running:

        def invoke(name: str, event: Any) -> Any:
            with starting:
                if name not in functions:
                    started = running_function(name, environment=environment, log_path=logs / f"{name}.log")
                    functions[name] = running.enter_context(started), Lock()
            function, idle = functions[name]
            with idle:
                return function.invoke(event)

        with served(invoke, one_by_one=False, stage="/v1") as url:
            yield url
