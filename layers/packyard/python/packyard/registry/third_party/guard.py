"""Which hosts may be connected to on a stranger's word, and the connecting itself (decision 10).

A reference, a redirect and a token server's address are all a stranger's word. Each time, the name is resolved
once, every address it has is checked, and one of the very addresses that were checked is connected to: an
answer that changes with the next lookup gains nothing.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from packyard.errors import RegistryUnavailable
from packyard.oci.reference import parse_registry
from packyard.registry.third_party.public_address import is_public

_PORTS: Final = {"https": 443, "http": 80}
_ANY_PORT: Final = "*"
_MAX_URL: Final = 8 << 10
_MAX_HOST: Final = 253
# A public host has a few addresses; trying each takes its time.
_TRIED_ADDRESSES: Final = 3


class TargetRefused(Exception):
    """A host that may not be connected to, or that does not exist: whoever asked is not to learn which."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a credential is for, and a connection to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TrustedHosts:
    """Registries that the operator vouches for: they may have addresses that are not public.

    Attributes:
        entries: Host, port (or `*`), and whether it is spoken to without TLS.
    """

    entries: frozenset[tuple[str, str, bool]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "TrustedHosts":
        """Read the deployment's setting: `[http://]host[:port]`, comma separated; any port where it is `*`.

        With `http://` a host is spoken to without TLS. So is a loopback host in any case: nothing leaves the
        machine. No port means that of the scheme.

        Raises:
            ValueError: An entry is none of that.
        """
        return cls(frozenset(_trusted(entry.strip()) for entry in text.split(",") if entry.strip()))

    def scheme_of(self, registry: str) -> str | None:
        """Return how a trusted registry is spoken to, or None for one that is not trusted.

        Args:
            registry: As in `Reference.registry`.
        """
        host, _, port = registry.partition(":")
        for scheme, plain in (("http", True), ("https", False)):
            if any((host, at, plain) in self.entries for at in (port or str(_PORTS[scheme]), _ANY_PORT)):
                return scheme
        return None

    def also(self, origin: Origin) -> "TrustedHosts":
        """Return these hosts and one more."""
        return TrustedHosts(self.entries | {(origin.host, str(origin.port), origin.scheme == "http")})

    def include(self, origin: Origin) -> bool:
        """Tell whether an origin is a trusted host, spoken to as the operator said."""
        plain = origin.scheme == "http"
        return any((origin.host, at, plain) in self.entries for at in (str(origin.port), _ANY_PORT))


def _trusted(entry: str) -> tuple[str, str, bool]:
    authority = entry.removeprefix("http://")
    host, colon, port = authority.partition(":")
    try:
        parse_registry(host if port == _ANY_PORT else authority)
    except ValueError as error:
        raise ValueError(f"trusted registries: {error}") from None
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
        ValueError: It is none, or malformed.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("not a scheme that registries are spoken to with")
    return Origin(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])


Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]


def resolve_name(
    host: str, port: int, *, lookup: Callable[..., Sequence[tuple[Any, ...]]] = socket.getaddrinfo
) -> Sequence[str]:
    """Return the addresses of a host, none when there is no such name.

    Args:
        host: A name, or an address in any spelling.
        port: Where it is to be connected to.
        lookup: Asks the name service, as `socket.getaddrinfo` does.

    Raises:
        RegistryUnavailable: The name service did not answer.
    """
    try:
        found = lookup(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise RegistryUnavailable("The registry's name could not be resolved.") from error
        return ()
    except UnicodeError:
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def connect_to(address: str, port: int, timeout: float) -> socket.socket:
    """Connect to an address, which is not looked up again: it is no name.

    Raises:
        OSError: No connection within `timeout` seconds.
    """
    return socket.create_connection((address, port), timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Decides on every connection that is opened on a stranger's word.

    Attributes:
        trusted: Hosts that need not have public addresses. Empty while a stranger's registry is read: a
            redirect of his must not lead to a host that trusts us.
        resolve: Returns the addresses of a host; asked once for each connection.
        connect: Opens a connection to an address, within so many seconds.
    """

    trusted: TrustedHosts
    resolve: Resolve
    connect: Connect

    def target_of(self, url: str) -> tuple[Origin, str]:
        """Return where a URL leads, and the path and query to ask for there.

        Raises:
            TargetRefused: It is not a URL that we follow: not https, except to a trusted host spoken to
                without TLS, with a user in it, or malformed.
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

    def open(self, origin: Origin, seconds_allowed: Callable[[], float]) -> socket.socket:
        """Connect to an origin.

        Args:
            origin: From `target_of`.
            seconds_allowed: How many seconds the next attempt may take; asked for each address that is tried.

        Raises:
            TargetRefused: It does not exist, or has an address that is not public and is not trusted.
            RegistryUnavailable: The name service did not answer.
            OSError: No connection could be made.
        """
        addresses = self.resolve(origin.host, origin.port)
        trusted = self.trusted.include(origin)
        if not addresses or not (trusted or all(map(is_public, addresses))):
            raise TargetRefused
        *others, last = addresses[:_TRIED_ADDRESSES]
        for address in others:
            try:
                return self.connect(address, origin.port, seconds_allowed())
            except OSError:
                continue
        return self.connect(last, origin.port, seconds_allowed())


def _is_host(text: str) -> bool:
    """Tell whether a name has nothing but the characters of one; underscores occur in names of buckets."""
    return 0 < len(text) <= _MAX_HOST and all(c.isascii() and (c.isalnum() or c in "-._") for c in text)
