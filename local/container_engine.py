"""The container engine of this machine: Docker, Finch or podman, whichever answers in Docker's API."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from local.command import end

_SECONDS = 5
_SERVICE_SECONDS = 20

# Below the home folder: Docker Desktop (macOS, Linux), Colima, Rancher Desktop, OrbStack.
_SOCKETS_AT_HOME = (
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
    ".orbstack/run/docker.sock",
)
_SOCKETS = ("/var/run/docker.sock",)
_PODMAN_SOCKETS = ("/run/podman/podman.sock",)
# SAM finds Finch by itself, at these places (samcli/local/docker/platform_config.py).
_FINCH_SOCKETS = ("/var/run/finch.sock", "/Applications/Finch/lima/data/finch/sock/finch.sock")

# Names that engines which run in a virtual machine give the machine around it; they lead to its loopback interface.
_HOST_NAMES = ("host.docker.internal", "host.containers.internal", "host.lima.internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A container engine that answers.

    Attributes:
        name: What people call it.
        url: Where its API listens: `unix://…` or `tcp://…`.
        gateway: The address of the bridge that containers are on, as a number; None if the engine does not say.
    """

    name: str
    url: str
    gateway: str | None

    @property
    def hosts(self) -> list[str]:
        """Where a container may find this machine, best first."""
        return [*([self.gateway] if self.gateway else []), *_HOST_NAMES]

    @property
    def environment(self) -> dict[str, str]:
        """What SAM needs to be told to use this engine."""
        return {} if self.name == "Finch" else {"DOCKER_HOST": self.url}


@contextmanager
def container_engine(environment: Mapping[str, str]) -> Iterator[Engine | None]:
    """Find an engine, and keep it for the block; None when none answers.

    `DOCKER_HOST` comes first, then the sockets that engines are known to make, then Docker's current context, then
    podman, whose service is started for the block when it does not run.

    Args:
        environment: This process's variables.
    """
    engine = next(filter(None, (_engine(name, url) for name, url in _candidates(environment))), None)
    if engine or environment.get("DOCKER_HOST") or not shutil.which("podman"):
        yield engine
        return
    with _podman_service() as url:
        yield _engine("podman", url)


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if named := environment.get("DOCKER_HOST"):
        yield "the engine of DOCKER_HOST", named
        return
    for path in (*_SOCKETS, *(Path.home() / path for path in _SOCKETS_AT_HOME)):
        yield "Docker", f"unix://{path}"
    if url := _docker_context():
        yield "Docker", url
    for path in _FINCH_SOCKETS:
        yield "Finch", f"unix://{path}"
    for path in _PODMAN_SOCKETS:
        yield "podman", f"unix://{path}"
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield "podman", f"unix://{runtime}/podman/podman.sock"


def _docker_context() -> str | None:
    if not shutil.which("docker"):
        return None
    asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=_SECONDS).stdout.strip()
    return None


@contextmanager
def _podman_service() -> Iterator[str]:
    with TemporaryDirectory(prefix="packyard-") as folder:
        path = Path(folder) / "podman.sock"
        process = subprocess.Popen(
            ["podman", "system", "service", "--time=0", f"unix://{path}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _SERVICE_SECONDS
            while process.poll() is None and not path.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            yield f"unix://{path}"
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
        # Podman's is called so too, in Docker's API.
        if network.get("Name") == "bridge":
            for config in network.get("IPAM", {}).get("Config") or []:
                if gateway := config.get("Gateway"):
                    return str(gateway)
    return None


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
    sock.connect(parts.path)
    connection.sock = sock
    return connection
