"""Runs the SAM CLI with a container engine for a running stack."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from layers.packyard.toolchain import RUNTIME, processor

from local.aws import Endpoint
from local.command import Command
from local.container_engine import Engine
from local.derived_template import environment_file, write_environment_file, write_template
from local.environments import LOCAL, PROJECT, tool
from local.forwarder import forwarding
from local.sam_deployment import build
from local.standing_stack import StandingStack


class SamFailed(Exception):
    """SAM, or something that it needs, does not work here. The message says what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamContainers:
    """Runs functions in containers of Lambda's own image.

    Attributes:
        engine: Runs the containers.
        stack: The stack that the functions use.
        options: Options for every command of `sam local`.
    """

    engine: Engine
    stack: StandingStack
    options: Command

    def answer(self, name: str, event: object) -> Any:
        """Return a function's answer. Its log goes to standard error.

        Args:
            name: Its logical id.
            event: The event.

        Raises:
            SamFailed: The function gave no answer.
        """
        with TemporaryDirectory() as scratch:
            file = Path(scratch) / "event.json"
            file.write_text(json.dumps(event), encoding="utf-8")
            finished = self._sam("invoke", name, "--event", file, stdout=subprocess.PIPE)
        try:
            return json.loads(finished.stdout)
        except ValueError as error:
            raise SamFailed(no_answer(name, self.engine)) from error

    def serve(self) -> int:
        """Serve the API until somebody interrupts it, and return SAM's exit status."""
        image = lambda_image()
        if not self.engine.has_image(image):
            print(f"· the first request pulls Lambda's image, {image}", flush=True)
        return self._sam("start-api").returncode

    def _sam(
        self, action: str, *arguments: str | Path, stdout: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tool("sam", "sam"), "local", action, *arguments, *self.options],
            check=False,
            cwd=PROJECT,
            env=Endpoint(self.stack.port).environment()
            | self.engine.environment
            | {"SAM_CLI_TELEMETRY": "0"},
            stdout=stdout,
            text=True,
        )


def lambda_image() -> str:
    """Return the base of SAM's image: Lambda's runtime for this machine's processor."""
    return f"public.ecr.aws/lambda/python:{RUNTIME}-{processor().on_lambda}"


def no_answer(name: str, engine: Engine) -> str:
    """Return what helps if SAM gets no answer from a function.

    Args:
        name: The function's logical id.
        engine: The engine that should have run it.
    """
    image = lambda_image()
    if engine.has_image(image):
        return f"`sam local invoke {name}` gave no answer; what it said is above"
    program = "podman" if "podman" in engine.url else "docker"
    return (
        f"Lambda's image is not here, and could not be pulled; why is above. Pull it where there is a network, "
        f"`{program} pull {image}`, or run the function without a container, `DOCKER_HOST=none make invoke …`"
    )


@contextmanager
def sam_containers(engine: Engine, stack: StandingStack, *, more: Sequence[str]) -> Iterator[SamContainers]:
    """Build what SAM needs, and let containers reach the emulator while the block lasts.

    Args:
        engine: Runs the containers.
        stack: The stack that the functions use.
        more: Further options for SAM.

    Raises:
        SamFailed: The emulator cannot be made reachable.
        CommandFailed: It does not build.
    """
    template = write_template(build(target="container"))
    variables = environment_file(
        stack.variables,
        endpoint_url=stack.description["endpoint_url"],
        port=stack.port,
        hosts=engine.hosts,
    )
    options: Command = [
        *("--template", template),
        *("--env-vars", write_environment_file(variables, port=stack.port)),
        *("--region", stack.description["region"]),
        *("--parameter-overrides", f"LogLevel={stack.log_level}"),
        *("--layer-cache-basedir", LOCAL / "container" / "layers"),
        *more,
    ]
    with _reachable(engine, stack.port):
        yield SamContainers(engine=engine, stack=stack, options=options)


@contextmanager
def _reachable(engine: Engine, port: int) -> Iterator[None]:
    with ExitStack() as listening:
        # Outside Linux, engines run in a virtual machine and lead containers to our loopback interface.
        if engine.gateway and sys.platform == "linux":
            try:
                listening.enter_context(forwarding(address=engine.gateway, port=port))
            except OSError as error:
                raise SamFailed(
                    f"containers reach this machine at {engine.gateway}, where nothing can listen on port {port}: "
                    f"{error.strerror}. If another `make invoke` or `make start-api` runs, end it first"
                ) from error
        yield
