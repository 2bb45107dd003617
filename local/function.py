"""A built function under Lambda's own runtime interface client and emulator, without a container.

Only the build runs: the function's folder and the layer. The project's own environment is not on the path, so it cannot
supply a package that the layer lacks.
"""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layers.packyard.toolchain import ToolMissing, processor

from local.aws import CREDENTIALS
from local.command import Command, end
from local.emulator import HOST, REGION
from local.environments import LOCAL, PROJECT, tool
from local.sam_deployment import BUILT

START_SECONDS = 20

# On AWS a function's code is read-only and has no time stamps. Here it must only stay free of bytecode.
_RUNTIME = {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "TZ": "UTC"}


class FunctionFailed(Exception):
    """The function did not start. The message has its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A running function.

    Attributes:
        port: The port of the runtime interface emulator.
        timeout_seconds: How long an invocation may take.
        session: The session of its processes.
    """

    port: int
    timeout_seconds: float
    session: int

    def invoke(self, event: object) -> Any:
        """Return the function's answer; for an exception, Lambda's report: `errorMessage` and `errorType`."""
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=self.timeout_seconds)) as connection:
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            return json.loads(connection.getresponse().read())

    def peak_memory_bytes(self) -> int:
        """Return the peak memory of the function's own process so far (proc(5), VmHWM)."""
        peaks = [
            int(line.split()[1]) * 1024
            for status in Path("/proc").glob("[0-9]*/status")
            if status.parent.name != str(self.session) and _session_of(status.parent) == self.session
            for line in status.read_text().splitlines()
            if line.startswith("VmHWM:")
        ]
        return max(peaks)


def _session_of(process: Path) -> int | None:
    try:
        return os.getsid(int(process.name))
    except ProcessLookupError:
        return None


@contextmanager
def running_function(
    name: str,
    *,
    environment: Mapping[str, str],
    log_path: Path,
    timeout_seconds: float = 60,
    folder: Path | None = None,
) -> Iterator[Function]:
    """Run a function of the latest build while the block lasts.

    Args:
        name: Its folder in `functions/`.
        environment: Its variables, as the template states them.
        log_path: The file for its log.
        timeout_seconds: How long an invocation may take.
        folder: The function's folder, if it is not one of ours.

    Raises:
        FunctionFailed: It did not start.
    """
    port, api_port = _free_ports(2)
    folder = folder or PROJECT / "functions" / name
    command: Command = [
        _interface_emulator(),
        "--log-level=error",
        f"--runtime-interface-emulator-address={HOST}:{port}",
        f"--runtime-api-address={HOST}:{api_port}",
        tool("runtime", "python"),
        "-m",
        "awslambdaric",
        "app.lambda_handler",
    ]
    with log_path.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(name, folder) | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        _wait_until_listening(process, port, log_path)
        yield Function(port=port, timeout_seconds=timeout_seconds, session=process.pid)
    finally:
        end(process)


def _interface_emulator() -> Path:
    try:
        architecture = processor().on_lambda
    except ToolMissing as error:
        raise FunctionFailed(str(error)) from None
    pattern = f"tools/sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"
    return next(LOCAL.glob(pattern))


def _environment(name: str, folder: Path) -> dict[str, str]:
    return {
        **_RUNTIME,
        **CREDENTIALS,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(
            map(str, (folder, BUILT / "PackyardLayer" / "python", BUILT / "ScannerLayer" / "python"))
        ),
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
    }


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    return _free_ports(1)[0]


def _free_ports(count: int) -> list[int]:
    with closing(socket.socket()) as first, closing(socket.socket()) as second:
        ports = []
        for sock in (first, second)[:count]:
            sock.bind((HOST, 0))
            ports.append(sock.getsockname()[1])
        return ports


def _wait_until_listening(process: subprocess.Popen[str], port: int, log_path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with closing(socket.socket()) as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.02)
    raise FunctionFailed(f"the function did not start:\n{log_path.read_text()[-2000:]}")
