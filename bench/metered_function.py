"""A built function over a table of packs in dynalite, with a meter between them: what a listing or a search costs."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.function import Function, running_function
from tests.aws import TABLE, create_table

from bench.cold_start import ENVIRONMENT
from bench.meter import Meter, metered
from bench.table_emulator import Dynalite, running_dynalite


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredFunction:
    """A running function.

    Attributes:
        function: The function.
        table: Its table, empty at first.
        meter: Counts its requests to AWS.
    """

    function: Function
    table: Dynalite
    meter: Meter


@contextmanager
def metered_function(name: str, *, folder: Path) -> Iterator[MeteredFunction]:
    """Run a function under Lambda's own runtime client while the block lasts.

    Args:
        name: Its folder in `functions/`.
        folder: For data.

    Raises:
        ProgramMissing: Node.js or npm is not installed.
        CommandFailed, ProgramFailed: Something did not start.
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        running_dynalite(Path(work)) as table,
        metered(table.port, signs_cursors="of the benchmark") as meter,
        running_function(
            name,
            environment=ENVIRONMENT | {"AWS_ENDPOINT_URL": meter.url, "PACKYARD_TABLE": TABLE},
            log_path=Path(work) / f"{name}.log",
        ) as function,
    ):
        create_table(table.client)
        yield MeteredFunction(function=function, table=table, meter=meter)
