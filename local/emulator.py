"""The AWS emulator: on the loopback interface, with its state in a folder, stopped together with all its processes."""

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from local.command import end
from local.environments import HERE, tool
from local.interruption import start
from local.ports import HOST as LOOPBACK
from local.ports import is_free, listens, taken
from local.progress import step

HOST = LOOPBACK
REGION = "us-east-1"
START_SECONDS = 60


class EmulatorFailed(Exception):
    """The emulator did not start, or ended by itself."""


@contextmanager
def running_emulator(
    *, folder: Path, port: int, functions_call: str | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run the emulator while the block lasts, with the state that it saved in `folder` when it last stopped.

    Args:
        folder: For its state, its log and its temporary files.
        port: Where it listens, on 127.0.0.1 only.
        functions_call: The URL that functions call for AWS; by default the emulator itself.

    Raises:
        EmulatorFailed: The port is taken, or the emulator was not ready within a minute.
    """
    if not (folder / "services" / "s3.json").exists():
        # It writes buckets at once, all else when it stops. If it is killed, it leaves objects that nothing knows.
        shutil.rmtree(folder / "s3", ignore_errors=True)
    # The functions' workers unpack their code here, and a killed emulator leaves it behind.
    temporary = folder / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    log_path = folder / "emulator.log"
    with log_path.open("w") as log:
        process = start(
            [*_dying_with_us(), tool("emulator", "python"), "-P", HERE / "emulator_program.py"],
            folder=folder,
            environment=_environment(folder, temporary, port) | _endpoint(functions_call),
            output=log,
        )
    try:
        with step("starting the emulator of AWS"):
            _wait_until_ready(process, port, log_path)
        yield process
    finally:
        end(process)
        shutil.rmtree(temporary, ignore_errors=True)


def _dying_with_us() -> list[str]:
    # After SIGKILL no `finally` runs, so the kernel asks the emulator to stop (PR_SET_PDEATHSIG).
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "TERM", "--"] if program else []


def _environment(folder: Path, temporary: Path, port: int) -> dict[str, str]:
    # Functions inherit these variables, so they contain nothing of ours: on AWS functions would not have that either.
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(temporary),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        # The emulator enforces each function's own policy, as AWS does.
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
    }


def _endpoint(url: str | None) -> dict[str, str]:
    # Functions inherit this, and their SDK reads it.
    return {"AWS_ENDPOINT_URL": url} if url else {}


def _wait_until_ready(process: subprocess.Popen[str], port: int, log_path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            if not is_free(port):
                raise EmulatorFailed(taken(port, log_path.parent))
            raise EmulatorFailed(f"the emulator ended at once:\n{log_path.read_text()[-2000:]}")
        if _is_ready(port):
            # Another emulator that has taken the port meanwhile would give the same answer.
            if listens(process.pid, port):
                return
            raise EmulatorFailed(taken(port, log_path.parent))
        time.sleep(0.1)
    raise EmulatorFailed(f"the emulator was not ready after {START_SECONDS} s; see {log_path}")


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection(HOST, port, timeout=2)) as connection:
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
