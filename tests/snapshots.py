"""Functions as SnapStart starts them: each in a process of its own, with the test's AWS and registries around it."""

import atexit
import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber
from tests.aws import BUCKET, REGION, TABLE
from tests.bytecode import KEPT_BYTECODE
from tests.service import Service

PROJECT: Final = Path(__file__).parents[1]
_PROCESS_BYTES: Final = 32
SNAP_START: Final = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


@dataclass(kw_only=True)
class Did:
    """What a function has done: while it started, or for one event.

    Attributes:
        clients: The AWS clients that it made.
        connections: Where it connected to.
        calls: The AWS requests that it sent.
        modules: What it loaded after its start.
        answer: What it answered.
        cpu_seconds: How long its handler had the processor.
    """

    clients: list[str]
    connections: list[str]
    calls: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    answer: Any = None
    cpu_seconds: float = 0


class StartedFunction:
    """A function that has started and waits for events.

    Attributes:
        start: What starting it did.
        last: What the last event made it do.
    """

    def __init__(self, to: IO[str], back: IO[str]) -> None:
        self._to = to
        self._from = back
        self.start = self._listen()
        self.last = self.start

    def invoke(self, event: object) -> Any:
        """Return what it answers."""
        self._say(event)
        self.last = self._listen()
        return self.last.answer

    def _listen(self) -> Did:
        calls = []
        for line in self._from:
            said = json.loads(line)
            match said.pop("kind"):
                case "aws":
                    calls.append(f"{said['method']} {said['url']}")
                    self._say(_answer_of_moto(said))
                case _:
                    return Did(calls=calls, **said)
        raise AssertionError("the function ended")

    def _say(self, what: object) -> None:
        self._to.write(json.dumps(what) + "\n")
        self._to.flush()


@dataclass(kw_only=True)
class SnapshotService(Service):
    """The service, one of whose functions runs on its own."""

    function: str
    started: StartedFunction

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke that function, or any other in this process."""
        return self.started.invoke(event) if function == self.function else super().invoke(function, event)


@contextmanager
def started_function(
    name: str, service: Service, more: Mapping[str, str] = SNAP_START
) -> Iterator[SnapshotService]:
    """Start a function in a process of its own, and let it go when the block ends.

    Args:
        name: Its folder.
        service: The world that it works in.
        more: Variables beside the template's.
    """
    folders = (PROJECT / "functions" / name, PROJECT / "layers" / "packyard" / "python")
    to_function, back = os.pipe(), os.pipe()
    order = {"environment": _environment(service) | dict(more), "folders": list(map(str, folders))}
    forks = _forks()
    socket.send_fds(forks, [json.dumps(order).encode()], [to_function[0], back[1]])
    process = int(forks.recv(_PROCESS_BYTES))
    os.close(to_function[0])
    os.close(back[1])
    try:
        with os.fdopen(to_function[1], "w") as to, os.fdopen(back[0]) as answers:
            started = StartedFunction(to, answers)
            yield SnapshotService(
                aws=service.aws,
                registry=service.registry,
                services=service.services,
                clock=service.clock,
                wire=service.wire,
                process=service.process,
                function=name,
                started=started,
            )
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@cache
def _forks() -> socket.socket:
    """Return the way to the process whose forks the functions are. It ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-m", "tests.snapshot_child", str(theirs.fileno())],
        cwd=PROJECT,
        env=KEPT_BYTECODE | {"PATH": os.defpath},
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    atexit.register(process.kill)
    return ours


def _environment(service: Service) -> dict[str, str]:
    # Whose calls come here; it finds its secret then.
    service.services.client("secretsmanager")
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": "test",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "PACKYARD_BUILD_QUEUE_URL": service.aws.build_queue_url,
        "PACKYARD_CLEANUP_QUEUE_URL": service.aws.queue_url,
        "PACKYARD_CURSOR_SECRET": service.services.settings.cursor_secret,
        "PACKYARD_PULL_TOKEN_SECRET": service.services.settings.pull_token_secret,
        "PACKYARD_REGISTRY_PULL_ROLE": service.services.settings.registry_pull_role,
        "PACKYARD_WEBHOOK_KEY": service.services.settings.webhook_key,
        "PACKYARD_SIGNING_KEY": service.services.settings.signing_key,
        "PACKYARD_ATTESTATION_QUEUE_URL": service.services.settings.attestation_queue_url,
        "PACKYARD_PREPARATION_QUEUE_URL": service.services.settings.preparation_queue_url,
        "PACKYARD_DELIVERY_QUEUE_URL": service.services.settings.delivery_queue_url,
        "PACKYARD_DELIVERY_RETRY_QUEUE_URL": service.services.settings.delivery_retry_queue_url,
        "PACKYARD_DELIVERY_DEAD_LETTERS_URL": service.services.settings.delivery_dead_letters_url,
        "PACKYARD_DEAD_LETTER_QUEUES": service.services.settings.dead_letter_queues,
        "PACKYARD_JWKS_URL": "https://issuer.test/keys",
        "PACKYARD_JWT_AUDIENCE": "packyard",
        "PACKYARD_JWT_ISSUER": "https://issuer.test",
        "PACKYARD_REGISTRY_KIND": "distribution",
        "PACKYARD_REGISTRY_URL": service.registry.url,
        "PACKYARD_STAGING_BUCKET": BUCKET,
        "PACKYARD_TABLE": TABLE,
        "PACKYARD_PUBLIC_URL": service.services.settings.public_url,
        "PACKYARD_TRUSTED_ISSUER_HOSTS": "127.0.0.1:*",
        "PACKYARD_TRUSTED_REGISTRIES": "127.0.0.1:*",
        "PACKYARD_TRUSTED_WEBHOOK_HOSTS": "127.0.0.1:*",
        "PATH": os.defpath,
    }


def _answer_of_moto(said: Mapping[str, Any]) -> dict[str, Any]:
    headers = HTTPHeaders.from_dict(said["headers"])
    body = base64.b64decode(said["body"])
    request = AWSPreparedRequest(said["method"], said["url"], headers, body, stream_output=False)
    response: Any = botocore_stubber("before-send", request)
    return {
        "status": response.status_code,
        "headers": dict(response.headers),
        "body": base64.b64encode(response.content).decode(),
    }
