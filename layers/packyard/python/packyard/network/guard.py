"""Decides to which hosts we connect when a client or a third party names them, and connects (decision 10).

References, redirects, the addresses of token servers and the URLs of webhooks come from clients and third parties, and
may be hostile. For each connection the host name is resolved once, every address is checked, and the connection goes to
one of the checked addresses. A name service that answers differently the next time (DNS rebinding) therefore gains
nothing.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from packyard.network.public_address import is_public
from packyard.oci.reference import parse_registry

_PORTS: Final = {"https": 443, "http": 80}
_ANY_PORT: Final = "*"
_MAX_URL: Final = 8 << 10
_MAX_HOST: Final = 253
# Further addresses of a host are not tried, to save time.
_TRIED_ADDRESSES: Final = 3


class NameServiceFailed(OSError):
    """The name service did not answer, so whether the host exists is not known."""


class TargetRefused(Exception):
    """A host that may not be reached or does not exist; one error for both, so that clients cannot tell them apart."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port. Credentials and connections each belong to one origin."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TrustedHosts:
    """Hosts that the operator trusts; their addresses need not be public.

    Attributes:
        entries: Host, port (or `*` for any), and whether to connect without TLS.
    """

    entries: frozenset[tuple[str, str, bool]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "TrustedHosts":
        """Parse the deployment's setting: entries `[http://]host[:port]`, separated by commas.

        The port `*` stands for any port; without a port, the scheme's default applies. Connections use TLS, except with
        `http://` and to loopback hosts, whose traffic does not leave the machine.

        Raises:
            ValueError: An entry does not have this form.
        """
        return cls(frozenset(_trusted(entry.strip()) for entry in text.split(",") if entry.strip()))

    def scheme_of(self, registry: str) -> str | None:
        """Return `http` or `https` for a trusted registry, or None for any other.

        Args:
            registry: The registry, as in `Reference.registry`.
        """
        host, _, port = registry.partition(":")
        for scheme, plain in (("http", True), ("https", False)):
            if any((host, at, plain) in self.entries for at in (port or str(_PORTS[scheme]), _ANY_PORT)):
                return scheme
        return None

    def with_origin(self, origin: Origin) -> "TrustedHosts":
        """Return these hosts and the host of `origin`."""
        return TrustedHosts(self.entries | {(origin.host, str(origin.port), origin.scheme == "http")})

    def include(self, origin: Origin) -> bool:
        """Tell whether an origin is a trusted host, with the scheme that the operator configured."""
        plain = origin.scheme == "http"
        return any((origin.host, at, plain) in self.entries for at in (str(origin.port), _ANY_PORT))


def _trusted(entry: str) -> tuple[str, str, bool]:
    authority = entry.removeprefix("http://")
    host, colon, port = authority.partition(":")
    try:
        parse_registry(host if port == _ANY_PORT else authority)
    except ValueError as error:
        raise ValueError(f"trusted hosts: {error}") from None
    plain = authority != entry or _is_loopback(host)
    return host.lower(), port if colon else str(_PORTS["http" if plain else "https"]), plain


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> Origin:
    """Return the origin of an `http` or `https` URL.

    Raises:
        ValueError: The URL has another scheme, or is malformed.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("neither https nor http")
    return Origin(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])


Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]


def resolve_name(
    host: str, port: int, *, lookup: Callable[..., Sequence[tuple[Any, ...]]] = socket.getaddrinfo
) -> Sequence[str]:
    """Return the addresses of a host, each once; no addresses if the name does not exist.

    Args:
        host: A name, or an address in any notation.
        port: The port to connect to.
        lookup: Resolves the name, as `socket.getaddrinfo` does.

    Raises:
        NameServiceFailed: The name service did not answer.
    """
    try:
        found = lookup(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise NameServiceFailed from error
        return ()
    except UnicodeError:
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def connect_to(address: str, port: int, timeout: float) -> socket.socket:
    """Connect to an address. It is no host name, so there is no further lookup.

    Args:
        address: An IPv4 or IPv6 address.
        port: The port.
        timeout: Seconds.

    Raises:
        OSError: No connection within `timeout` seconds.
    """
    return socket.create_connection((address, port), timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Checks and opens every connection to a host that a client or a third party names.

    Attributes:
        trusted: Hosts whose addresses need not be public. Must be empty while an untrusted registry is read, because
            its redirects must not lead to internal hosts.
        resolve: Returns the addresses of a host; called once for each connection.
        connect: Connects to an address and port, with a timeout in seconds.
    """

    trusted: TrustedHosts
    resolve: Resolve
    connect: Connect

    def target_of(self, url: str) -> tuple[Origin, str]:
        """Return a URL's origin, and its path with its query.

        Raises:
            TargetRefused: The URL is malformed, over 8 KiB long, contains a user, or is not `https` (`http` is allowed
                for hosts that the operator trusts without TLS).
        """
        try:
            parts = urlsplit(url)
            origin = origin_of(url)
        except ValueError:
            raise TargetRefused from None
        if len(url) > _MAX_URL or parts.username is not None or not _is_host(origin.host):
            raise TargetRefused
        if origin.scheme != "https" and not self.trusted.include(origin):
            raise TargetRefused
        return origin, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"

    def open(self, origin: Origin, next_timeout: Callable[[], float]) -> socket.socket:
        """Connect to an origin, trying up to three of its addresses.

        Args:
            origin: From `target_of`.
            next_timeout: Returns how many seconds the next attempt may take; called for each address.

        Raises:
            TargetRefused: The host does not exist, or is not trusted and has an address that is not public.
            OSError: No connection could be made, or the name service did not answer.
        """
        addresses = self.resolve(origin.host, origin.port)
        trusted = self.trusted.include(origin)
        if not addresses or not (trusted or all(map(is_public, addresses))):
            raise TargetRefused
        *others, last = addresses[:_TRIED_ADDRESSES]
        for address in others:
            try:
                return self.connect(address, origin.port, next_timeout())
            except OSError:
                continue
        return self.connect(last, origin.port, next_timeout())


def _is_host(text: str) -> bool:
    """Tell whether a text has only the characters of host names, and underscores, which bucket names may contain."""
    return 0 < len(text) <= _MAX_HOST and all(c.isascii() and (c.isalnum() or c in "-._") for c in text)
