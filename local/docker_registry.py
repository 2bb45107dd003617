"""Debian's docker-registry on a loopback port, empty: what everybody pushes to."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.processes import ProgramFailed, program

_START_SECONDS: Final = 20.0
_CONFIG: Final = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: '127.0.0.1:0'}}
"""


@contextmanager
def running_registry(folder: Path) -> Iterator[str]:
    """Run a registry while the block lasts and yield its host and port.

    Args:
        folder: An empty folder for its data.

    Raises:
        ProgramMissing: docker-registry is not installed.
        ProgramFailed: It did not start.
    """
    executable = program("docker-registry")
    config = folder / "config.yml"
    config.write_text(_CONFIG.format(folder=folder))
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen([executable, "serve", config], stdout=sink, stderr=sink)
    try:
        yield _address(log, process)
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
    raise ProgramFailed(f"docker-registry did not start: {log.read_text()}")
