"""Debian's docker-registry on a loopback port, empty. The benchmark pushes to it, and tests check against it."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.command import CommandFailed
from local.programs import program

_START_SECONDS: Final = 20.0
_CONFIG: Final = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: {deletes}}}}}
http: {{addr: '127.0.0.1:0'}}
"""
_PASSWORDS: Final = "auth: {{htpasswd: {{realm: test, path: {path}}}}}\n"
_TOKENS: Final = """\
auth: {{token: {{realm: '{realm}', service: {service}, issuer: '{issuer}', rootcertbundle: {certificate}}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenServer:
    """The tokens that a registry accepts.

    Attributes:
        realm: The URL that issues them.
        service: The service that they must name.
        issuer: The issuer that they must name.
        certificate: The certificate of the signing key, PEM.
    """

    realm: str
    service: str
    issuer: str
    certificate: bytes


@contextmanager
def docker_registry(
    folder: Path, *, htpasswd: str | None = None, tokens: TokenServer | None = None, deletes: bool = True
) -> Iterator[str]:
    """Run a registry while the block lasts and yield its base URL.

    Args:
        folder: An empty folder for its data.
        htpasswd: Lines of `user:bcrypt`; without any, everyone may do everything.
        tokens: The tokens that it wants instead.
        deletes: Whether deletion is switched on.

    Raises:
        CommandFailed: It is not installed, or did not start.
    """
    executable = program("docker-registry")
    configuration = _CONFIG.format(folder=folder, deletes=str(deletes).lower())
    if htpasswd is not None:
        passwords = folder / "htpasswd"
        passwords.write_text(htpasswd)
        configuration += _PASSWORDS.format(path=passwords)
    if tokens is not None:
        certificate = folder / "certificate.pem"
        certificate.write_bytes(tokens.certificate)
        configuration += _TOKENS.format(
            realm=tokens.realm, service=tokens.service, issuer=tokens.issuer, certificate=certificate
        )
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
