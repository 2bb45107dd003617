"""An internet for tests: names that resolve to public addresses, at which servers on loopback ports answer.

What connects through it believes to reach the addresses; TLS and its certificates are real.
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import trustme
from tests.fake_registry.server import FakeRegistry

from packyard.network.guarded_connection import tls_context

FIRST_ADDRESS: Final = "93.184.215.1"
# Making keys takes longer than any test.
_AUTHORITY: Final = trustme.CA()


class Internet:
    """Names, addresses, and who answers there.

    Attributes:
        names: The answers that the name service gives for a name, one lookup after the other; the last one stays.
        ports: The loopback port that answers at an address.
        looked_up: The names that were asked for.
        connected: The addresses that were connected to.
    """

    def __init__(self, servers: ExitStack) -> None:
        self.names: dict[str, list[Sequence[str]]] = {}
        self.ports: dict[str, int] = {}
        self.looked_up: list[str] = []
        self.connected: list[str] = []
        self._servers = servers

    def serve(self, name: str, *, certified_as: str | None = None) -> FakeRegistry:
        """Put up a registry at a name, with an address of its own and a certificate for the name."""
        certificate = _AUTHORITY.issue_cert(certified_as or name)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
        registry = self._servers.enter_context(FakeRegistry(url=f"https://{name}", tls=tls))
        address = f"93.184.215.{len(self.ports) + 1}"
        self.names[name] = [[address]]
        self.ports[address] = registry.port
        return registry

    def resolve(self, host: str, port: int) -> Sequence[str]:  # noqa: ARG002 - the name service does not mind
        """Look up a name; an address is its own."""
        self.looked_up.append(host)
        answers = self.names.get(host, [[host]] if host[:1].isdigit() else [[]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - one port each
        """Connect to the server at an address."""
        self.connected.append(address)
        if address not in self.ports:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", self.ports[address]), timeout)

    @staticmethod
    def tls() -> ssl.SSLContext:
        """Return how TLS is spoken here: certificates are verified against this internet's one authority."""
        return tls_context(_AUTHORITY.cert_pem.bytes().decode())


@contextmanager
def internet() -> Iterator[Internet]:
    """Run an internet in which nobody answers yet."""
    with ExitStack() as servers:
        yield Internet(servers)
