"""Dynalite, a DynamoDB emulator that computes the capacity of each query, on a loopback port with its data in a folder.

The local stack's emulator and moto state the same units for every query. Dynalite adds up the sizes of the items that a
query has evaluated, as DynamoDB does, and reads no further in an index than the query needs.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from local.aws import CREDENTIALS
from local.command import end, run
from local.emulator import HOST, REGION
from local.environments import LOCAL, fingerprint, node, npm
from local.function import free_port
from local.locks import exclusively
from tests.aws import TABLE

from bench.processes import Arguments, ProgramFailed
from packyard.store.wire import Item, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOCKED: Final = Path(__file__).parent / "dynalite"
_INSTALLED: Final = LOCAL / "tools" / "dynalite"
_INSTALL: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
_START_SECONDS: Final = 20.0
# The maximum of one BatchWriteItem (API_BatchWriteItem), and how many run at once.
_BATCH: Final = 25
_LOADERS: Final = 2
_LOADED_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynalite:
    """A running Dynalite.

    Attributes:
        port: Its port on 127.0.0.1.
        client: A client for it.
        process_id: The id of its process.
    """

    port: int
    client: "DynamoDBClient"
    process_id: int

    def memory_bytes(self) -> int:
        """Return its present memory (proc(5), VmRSS)."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS:"))

    def write(self, items: Iterator[Item]) -> None:
        """Write items to the table of packs, any number of them, a few batches at once.

        Raises:
            ProgramFailed: It did not take all of them.
        """
        with ThreadPoolExecutor(_LOADERS) as pool:
            # A pool would hold all of a million at once.
            while batches := [
                batch for _ in range(_LOADED_AT_ONCE) if (batch := list(islice(items, _BATCH)))
            ]:
                for _ in pool.map(self._write_batch, batches):
                    pass

    def _write_batch(self, batch: list[Item]) -> None:
        puts: Any = [{"PutRequest": {"Item": to_wire(item)}} for item in batch]
        answer = self.client.batch_write_item(RequestItems={TABLE: puts})
        if answer["UnprocessedItems"]:
            raise ProgramFailed("the table did not take what was written to it")


@contextmanager
def running_dynalite(folder: Path) -> Iterator[Dynalite]:
    """Run it while the block lasts. Install it first if needed.

    Args:
        folder: An empty folder for its data.

    Raises:
        CommandFailed: It could not be installed.
        ProgramFailed: It did not start.
    """
    _install()
    port = free_port()
    command: Arguments = [
        node("bench"),
        _INSTALLED / "node_modules" / "dynalite" / "cli.js",
        "--host",
        HOST,
        "--port",
        str(port),
        "--path",
        folder / "tables",
        "--createTableMs",
        "0",
    ]
    log = folder / "dynalite.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
    try:
        yield Dynalite(port=port, client=_answering_client(port, log), process_id=process.pid)
    finally:
        end(process)


def _install() -> None:
    locked = [_LOCKED / name for name in ("package.json", "package-lock.json")]
    wanted = fingerprint(*(path.read_bytes() for path in locked))
    stamp = _INSTALLED / "prepared"
    with exclusively(LOCAL / "environments.lock"):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        _INSTALLED.mkdir(parents=True, exist_ok=True)
        for path in locked:
            shutil.copy(path, _INSTALLED)
        # Its native code comes with its packages, so nothing is compiled.
        run([*npm("bench"), *_INSTALL], folder=_INSTALLED)
        stamp.write_text(wanted)


def _answering_client(port: int, log: Path) -> "DynamoDBClient":
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://{HOST}:{port}",
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            client.list_tables()
        except EndpointConnectionError:
            time.sleep(0.1)
        else:
            return client
    raise ProgramFailed(f"dynalite did not start: {log.read_text()}")
