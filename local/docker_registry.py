"""Debian's docker-registry on a loopback port, empty: what the benchmark pushes to, and a witness of the tests."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.command import CommandFailed
from local.programs import program

_START_SECONDS: Final = 20.0
_CONFIG: Final = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: '127.0.0.1:0'}}
"""
_AUTHENTICATION: Final = "auth: {{htpasswd: {{realm: test, path: {path}}}}}\n"


@contextmanager
def docker_registry(folder: Path, *, htpasswd: str | None = None) -> Iterator[str]:
    """Run a registry while the block lasts and yield its base URL.

    Args:
        folder: An empty folder for its data.
        htpasswd: Lines of `user:bcrypt`; without any, everyone may do everything.

    Raises:
        CommandFailed: It is not installed, or did not start.
    """
    executable = program("docker-registry")
    configuration = _CONFIG.format(folder=folder)
    if htpasswd is not None:
        passwords = folder / "htpasswd"
        passwords.write_text(htpasswd)
        configuration += _AUTHENTICATION.format(path=passwords)
    file = folder / "config.yml"
    file.write_text(configuration)
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen([executable, "serve", file], stdout=sink, stderr=sink)
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
    raise CommandFailed(f"docker-registry did not start: {log.read_text()}")
