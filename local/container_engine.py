"""The container engine of this machine: Docker, Finch or podman, whichever answers Docker's API."""

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from local.command import end

_SECONDS = 5
_SERVICE_SECONDS = 20

FINCH = "Finch"

# Where engines are known to listen. SAM finds Finch by itself, there (samcli/local/docker/platform_config.py).
SOCKETS: Final = (
    ("Docker", "/var/run/docker.sock"),
    ("Docker", "~/.docker/run/docker.sock"),  # Docker Desktop on macOS
    ("Docker", "~/.docker/desktop/docker.sock"),  # and on Linux
    ("Docker", "$XDG_RUNTIME_DIR/docker.sock"),  # rootless
    ("Docker", "~/.colima/default/docker.sock"),
    ("Docker", "~/.orbstack/run/docker.sock"),
    ("Docker", "~/.rd/docker.sock"),  # Rancher Desktop
    (FINCH, "/var/run/finch.sock"),
    (FINCH, "/Applications/Finch/lima/data/finch/sock/finch.sock"),
    ("podman", "/run/podman/podman.sock"),
    ("podman", "$XDG_RUNTIME_DIR/podman/podman.sock"),
)

# An engine in a virtual machine gives these names to the host. They lead to the host's loopback interface.
_HOST_NAMES = ("host.docker.internal", "host.containers.internal", "host.lima.internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A container engine that answers.

    Attributes:
        name: What people call it.
        url: Where its API listens: `unix://…` or `tcp://…`.
        gateway: The address of the containers' bridge, as a number; None if the engine does not say.
    """

    name: str
    url: str
    gateway: str | None

    @property
    def hosts(self) -> list[str]:
        """The addresses at which a container may reach this machine, best first."""
        return [*([self.gateway] if self.gateway else []), *_HOST_NAMES]

    def has_image(self, name: str) -> bool:
        """Return whether an image is here. True if the engine does not say.

        Args:
            name: With registry and tag.
        """
        try:
            return _status(self.url, f"/images/{name}/json") != HTTPStatus.NOT_FOUND
        except (OSError, http.client.HTTPException):
            return True

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make SAM use this engine."""
        return {} if self.name == FINCH else {"DOCKER_HOST": self.url}


def none_answers(environment: Mapping[str, str]) -> str:
    """Return the sentence that says why there is no engine, and what helps if `DOCKER_HOST` is set.

    Args:
        environment: This process's variables.
    """
    if named := environment.get("DOCKER_HOST"):
        return f"DOCKER_HOST={named} does not answer (unset it to have other engines looked for)"
    return "no container engine answers (Docker, Finch or podman)"


@contextmanager
def container_engine(
    environment: Mapping[str, str], *, sockets: Sequence[tuple[str, str]] = SOCKETS
) -> Iterator[Engine | None]:
    """Find an engine, and keep it for the block; None if none answers.

    If `DOCKER_HOST` is set, only that is tried. Otherwise the sockets are tried, then Docker's current context, then
    podman, whose service is started for the block if it does not run.

    Args:
        environment: This process's variables.
        sockets: The engines' names and where they may listen.
    """
    if named := environment.get("DOCKER_HOST"):
        yield _engine("the engine of DOCKER_HOST", named)
        return
    places = [(name, f"unix://{_filled_in(path, environment)}") for name, path in sockets]
    if engine := next(filter(None, (_engine(*place) for place in places)), None):
        yield engine
        return
    if (context := _docker_context(environment)) and (engine := _engine("Docker", context)):
        yield engine
        return
    podman = shutil.which("podman", path=environment.get("PATH"))
    if podman is None:
        yield None
        return
    with _podman_service(podman) as engine:
        yield engine


def _filled_in(path: str, environment: Mapping[str, str]) -> str:
    home = environment.get("HOME", "")
    runtime = environment.get("XDG_RUNTIME_DIR") or "/nowhere"
    return path.replace("~", home, 1).replace("$XDG_RUNTIME_DIR", runtime)


def _docker_context(environment: Mapping[str, str]) -> str | None:
    program = shutil.which("docker", path=environment.get("PATH"))
    if program is None:
        return None
    asked = [program, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(
            asked, check=True, capture_output=True, text=True, timeout=_SECONDS
        ).stdout.strip()
    return None


@contextmanager
def _podman_service(program: str) -> Iterator[Engine | None]:
    with TemporaryDirectory(prefix="packyard-") as folder:
        url = f"unix://{folder}/podman.sock"
        process = subprocess.Popen(
            [program, "system", "service", "--time=0", url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _SERVICE_SECONDS
            while (engine := _engine("podman", url)) is None:
                if process.poll() is not None or time.monotonic() > deadline:
                    break
                time.sleep(0.05)
            yield engine
        finally:
            end(process)


def _engine(name: str, url: str) -> Engine | None:
    parts = urlsplit(url)
    if parts.scheme == "unix" and not Path(parts.path).is_socket():
        return None
    try:
        networks = _answer(url, "/networks")
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return Engine(name=name, url=url, gateway=_gateway(networks))


def _gateway(networks: Any) -> str | None:
    """Return the address of the default bridge, from an answer to NetworkList (Docker Engine API v1.24)."""
    if not isinstance(networks, list):
        return None
    for network in networks:
        # In Docker's API, podman's bridge has this name too.
        if isinstance(network, dict) and network.get("Name") == "bridge":
            for config in network.get("IPAM", {}).get("Config") or []:
                if gateway := config.get("Gateway"):
                    return str(gateway)
    return None


def _status(url: str, path: str) -> int:
    with closing(_connection(url)) as connection:
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status


def _answer(url: str, path: str) -> Any:
    with closing(_connection(url)) as connection:
        connection.request("GET", path, headers={"Host": "localhost"})
        return json.loads(connection.getresponse().read())


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return http.client.HTTPConnection(parts.hostname or "", parts.port or 2375, timeout=_SECONDS)
    connection = http.client.HTTPConnection("localhost", timeout=_SECONDS)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(_SECONDS)
    try:
        sock.connect(parts.path)
    except OSError:
        sock.close()
        raise
    connection.sock = sock
    return connection
