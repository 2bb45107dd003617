"""Other people's tools, which say whether the world can read what we write. A missing one fails the test."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL = "apt-get install skopeo umoci docker-registry libarchive-tools"
_START_SECONDS = 20.0


def witness(name: str) -> str:
    """Return where a tool is installed."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: {INSTALL}", pytrace=False)
    return path


def run(*command: str) -> bytes:
    """Run a witness and return what it prints."""
    finished = subprocess.run(  # noqa: S603 - a witness, and arguments of a test
        [witness(command[0]), *command[1:]], capture_output=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout


@contextmanager
def docker_registry(directory: Path, *, htpasswd: str | None = None) -> Iterator[str]:
    """Run Debian's registry on a free loopback port and yield its base URL.

    Args:
        directory: An empty directory for its data.
        htpasswd: Lines of `user:bcrypt`; without any, everyone may do everything.
    """
    config = (
        "version: 0.1\n"
        "log: {level: info, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
    )
    if htpasswd is not None:
        (directory / "htpasswd").write_text(htpasswd)
        config += f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n"
    (directory / "config.yml").write_text(config)
    log = directory / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - a witness, and arguments of our own
            [witness("docker-registry"), "serve", str(directory / "config.yml")], stdout=sink, stderr=sink
        )
    try:
        yield f"http://{_address(log, process)}"
    finally:
        process.terminate()
        process.wait()


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    """Return the address that the registry says it listens on."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if listening := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return listening[1]
        time.sleep(0.02)
    return pytest.fail(f"docker-registry did not start: {log.read_text()}", pytrace=False)
