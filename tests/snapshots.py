"""Functions as SnapStart starts them: each in a process of its own, with the test's AWS and registries around it."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber
from tests.aws import BUCKET, REGION, TABLE
from tests.bytecode import KEPT_BYTECODE
from tests.service import Service

PROJECT: Final = Path(__file__).parents[1]
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

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin
        assert process.stdout
        self._to: IO[str] = process.stdin
        self._from: IO[str] = process.stdout
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
    folders = (PROJECT / "functions" / name, PROJECT / "layers" / "packyard" / "python", PROJECT)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.snapshot_child"],
        env=_environment(service)
        | KEPT_BYTECODE
        | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
        | dict(more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            started = StartedFunction(process)
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
            process.kill()


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
