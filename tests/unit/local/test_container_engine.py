"""Engines are found by Docker's API, which a socket of ours speaks here as they do."""

import json
import os
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from layers.packyard.toolchain import processor
from local.container_engine import FINCH, Engine, container_engine, none_answers
from local.sam_containers import no_answer

# NetworkList of the Docker Engine API: Docker 28 with a network of the user's before its own, and podman 4.3.1.
DOCKER = [
    {
        "Name": "mine",
        "Driver": "bridge",
        "IPAM": {"Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]},
    },
    {
        "Name": "bridge",
        "Driver": "bridge",
        "IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]},
    },
    {"Name": "host", "Driver": "host", "IPAM": {"Driver": "default", "Config": None}},
]
PODMAN = [
    {
        "Name": "bridge",
        "Driver": "bridge",
        "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.88.0.0/16", "Gateway": "10.88.0.1"}]},
        "Containers": {},
    }
]
# nerdctl's, which Finch has, states no gateway for its default network.
NAMELESS = [{"Name": "bridge", "IPAM": {"Config": [{"Subnet": "10.4.0.0/24"}]}}]


@contextmanager
def engine_at(path: Path, networks: object) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(networks).encode()
            self.send_response(200 if self.path in ("/networks", "/images/here.example/a:1/json") else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            pass

    with socketserver.UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"unix://{path}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("networks", "gateway"), [(DOCKER, "172.17.0.1"), (PODMAN, "10.88.0.1"), (NAMELESS, None), ([], None)]
)
def test_the_address_that_containers_reach_this_machine_by_is_that_of_the_default_bridge(
    networks: object, gateway: str | None, tmp_path: Path
) -> None:
    with (
        engine_at(tmp_path / "docker.sock", networks) as url,
        container_engine({"DOCKER_HOST": url}, sockets=()) as engine,
    ):
        assert engine is not None
        assert engine.gateway == gateway
        assert engine.environment == {"DOCKER_HOST": url}
        # Engines in a virtual machine lead these names to our loopback interface.
        assert engine.hosts[-3:] == ["host.docker.internal", "host.containers.internal", "host.lima.internal"]


def test_an_engine_knows_which_images_are_here(tmp_path: Path) -> None:
    with (
        engine_at(tmp_path / "docker.sock", DOCKER) as url,
        container_engine({"DOCKER_HOST": url}, sockets=()) as engine,
    ):
        assert engine is not None
        assert engine.has_image("here.example/a:1")
        assert not engine.has_image("here.example/a:2")

    # Gone by now: then nothing is known.
    assert engine.has_image("here.example/a:2")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "no container engine answers (Docker, Finch or podman)"),
        ({"DOCKER_HOST": "tcp://192.0.2.1:1"}, "DOCKER_HOST=tcp://192.0.2.1:1 does not answer (unset it"),
    ],
)
def test_the_message_about_missing_engines_names_those_that_were_tried(
    environment: dict[str, str], said: str
) -> None:
    assert none_answers(environment).startswith(said)


def test_a_function_that_lacks_its_image_is_answered_with_the_command_that_pulls_it(tmp_path: Path) -> None:
    with engine_at(tmp_path / "podman.sock", PODMAN) as url:
        engine = Engine(name="podman", url=url, gateway=None)

        said = no_answer("GetPack", engine)

    assert f"podman pull public.ecr.aws/lambda/python:3.13-{processor().on_lambda}" in said
    assert "DOCKER_HOST=none make invoke" in said


def test_the_first_socket_that_answers_is_taken(tmp_path: Path) -> None:
    (tmp_path / "dead.sock").touch()
    (tmp_path / "run" / "podman").mkdir(parents=True)
    sockets = (
        ("Docker", str(tmp_path / "dead.sock")),
        ("Docker", "~/none.sock"),
        ("podman", "$XDG_RUNTIME_DIR/podman/podman.sock"),
    )
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "PATH": ""}

    with (
        engine_at(tmp_path / "run" / "podman" / "podman.sock", PODMAN) as url,
        container_engine(environment, sockets=sockets) as engine,
    ):
        assert engine is not None
        assert (engine.name, engine.url) == ("podman", url)


def test_the_user_s_own_choice_is_not_overruled(tmp_path: Path) -> None:
    with (
        engine_at(tmp_path / "docker.sock", DOCKER),
        container_engine(
            {"DOCKER_HOST": "unix:///nowhere"}, sockets=(("Docker", str(tmp_path / "docker.sock")),)
        ) as engine,
    ):
        assert engine is None


def test_sam_finds_finch_by_itself(tmp_path: Path) -> None:
    with (
        engine_at(tmp_path / "finch.sock", NAMELESS),
        container_engine({}, sockets=((FINCH, str(tmp_path / "finch.sock")),)) as engine,
    ):
        assert engine is not None
        assert engine.environment == {}


@pytest.mark.parametrize(
    "script", ["echo no such context >&2; exit 1", "echo"], ids=["fails", "says nothing"]
)
def test_a_docker_command_without_an_engine_does_not_count_as_an_engine(script: str, tmp_path: Path) -> None:
    program(tmp_path / "docker", f"#!/bin/sh\n{script}\n")

    with container_engine({"PATH": str(tmp_path)}, sockets=()) as engine:
        assert engine is None


def test_the_engine_of_docker_s_context_is_taken(tmp_path: Path) -> None:
    with engine_at(tmp_path / "elsewhere.sock", DOCKER) as url:
        program(tmp_path / "docker", f"#!/bin/sh\necho {url}\n")

        with container_engine({"PATH": str(tmp_path)}, sockets=()) as engine:
            assert engine is not None
            assert engine.url == url


def test_podman_s_service_runs_while_it_is_needed(tmp_path: Path) -> None:
    body = json.dumps(PODMAN).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    (tmp_path / "service.py").write_text(f"""
import os, socket, sys
assert sys.argv[1:4] == ["system", "service", "--time=0"]
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[4].removeprefix("unix://"))
server.listen()
while True:
    connection, _ = server.accept()
    connection.recv(65536)
    connection.sendall({answer!r})
    connection.close()
""")
    # By the shell: the path of an interpreter with a space in it cannot stand behind `#!`.
    program(
        tmp_path / "podman",
        f"""#!/bin/sh
exec '{sys.executable}' '{tmp_path / "service.py"}' "$@"
""",
    )

    with container_engine({"PATH": str(tmp_path)}, sockets=()) as engine:
        assert engine is not None
        assert (engine.name, engine.gateway) == ("podman", "10.88.0.1")
        pid = int((tmp_path / "pid").read_text())

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
