"""HTTP, as this machine reaches the world: through its proxies, trusting what it trusts.

Certificates are checked by the system's own trust store (truststore), or by the file that `SSL_CERT_FILE`,
`REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` names. Proxies come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
`NO_PROXY`, and on macOS and Windows from the system's settings.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from packyard_cli.failure import Exit, Failure

_TRUST_FILES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
# Of each host. An install asks for images and for what is signed about them at once.
_KEPT_CONNECTIONS: Final = 8
_BLOCK_BYTES: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Received:
    """An answer whose body has not been read yet.

    Attributes:
        status: The HTTP status.
        headers: Names in any case.
        body: The bytes, to be read once.
    """

    status: int
    headers: Mapping[str, str]
    body: Any

    def read(self, limit: int) -> bytes:
        """Return the whole body.

        Raises:
            Failure: It has more than `limit` bytes, or was cut off.
        """
        content = b"".join(self.pieces(limit))
        self.body.release_conn()
        return content

    def pieces(self, limit: int) -> Iterator[bytes]:
        """Yield the body piece by piece.

        Raises:
            Failure: It has more than `limit` bytes, or was cut off.
        """
        try:
            for piece in self.body.stream(_BLOCK_BYTES, decode_content=True):
                limit -= len(piece)
                if limit < 0:
                    raise Failure(Exit.UNAVAILABLE, "The answer is larger than anything the service sends.")
                yield piece
        except (HTTPError, OSError) as error:
            raise Unreached("The answer was cut off.", "Repeat the command.") from error


class Unreached(Failure):
    """No answer came. Whether the request arrived is not known."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(Exit.UNAVAILABLE, message, advice)


class Wire:
    """Sends requests.

    Args:
        environment: The environment's variables.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | IO[bytes] | None = None,
    ) -> Received:
        """Send one request. Redirects are not followed, and nothing is repeated.

        Args:
            method: The HTTP method.
            url: Where to.
            headers: What to send. A body that is no bytes needs a Content-Length here.
            body: The bytes, or what to read them from.

        Raises:
            Unreached: There was no answer.
        """
        with _translated(url):
            answer = self._pool(url).urlopen(
                method,
                url,
                body=body,
                headers=dict(headers),
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            )
        return Received(answer.status, answer.headers, answer)

    def _pool(self, url: str) -> urllib3.PoolManager:
        proxy = self._proxy_for(url)
        if proxy not in self._pools:
            self._pools[proxy] = self._new_pool(proxy)
        return self._pools[proxy]

    def _proxy_for(self, url: str) -> str | None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if proxy_bypass(f"{host}:{parts.port}" if parts.port else host) or proxy_bypass(host):
            return None
        proxies = getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        return proxy if proxy is None or "://" in proxy else f"http://{proxy}"

    def _new_pool(self, proxy: str | None) -> urllib3.PoolManager:
        settings: dict[str, Any] = {
            "ssl_context": _trust(self._environment),
            "blocksize": _BLOCK_BYTES,
            "maxsize": _KEPT_CONNECTIONS,
        }
        if proxy is None:
            return urllib3.PoolManager(**settings)
        parts = _parts_of(proxy)
        headers = None
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = urllib3.make_headers(proxy_basic_auth=login)
        try:
            return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)
        except (ValueError, HTTPError):
            raise Failure(
                Exit.USAGE,
                f"The proxy {parts.scheme}://{parts.hostname} is of a kind that is not supported.",
                "Set HTTPS_PROXY to an http or https proxy.",
            ) from None


def _parts_of(proxy: str) -> SplitResult:
    """Return a proxy's address, split.

    Raises:
        Failure: It is none. It is not repeated, since it may hold a password.
    """
    try:
        parts = urlsplit(proxy)
        if parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise Failure(
        Exit.USAGE,
        "The address of the proxy is not one.",
        "Set HTTPS_PROXY and HTTP_PROXY as in http://proxy.example:3128, or unset them.",
    )


def _trust(environment: Mapping[str, str]) -> ssl.SSLContext:
    for variable in _TRUST_FILES:
        name = environment.get(variable)
        if not name:
            continue
        place = Path(name)
        try:
            return ssl.create_default_context(
                cafile=None if place.is_dir() else name, capath=name if place.is_dir() else None
            )
        except OSError:
            raise Failure(
                Exit.USAGE,
                f"{variable} names {name}, which holds no certificates that can be read.",
                "Name a file of certificates in PEM form, or unset it.",
            ) from None
    import truststore  # noqa: PLC0415 - only where the system decides

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _address_of(url: str) -> str:
    """Return the host of a URL, with its port where it has one, and without a login."""
    return urlsplit(url).netloc.rpartition("@")[2]


@contextmanager
def _translated(url: str) -> Iterator[None]:
    host = _address_of(url)
    try:
        yield
    except SSLError as error:
        reason = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in reason or "certificate" in reason.lower():
            raise Unreached(
                f"The certificate of {host} is not trusted here.",
                "If your organisation has an authority of its own, name its certificates in SSL_CERT_FILE.",
            ) from error
        raise Unreached(f"{host} does not speak TLS as this machine does.", "Check the address.") from error
    except ProxyError as error:
        raise Unreached(
            f"The proxy on the way to {host} refused or did not answer.", "Check HTTPS_PROXY and NO_PROXY."
        ) from error
    except NameResolutionError as error:
        raise Unreached(
            f"No machine is known as {urlsplit(url).hostname}.",
            "Check the address and this machine's network.",
        ) from error
    except NewConnectionError as error:
        raise Unreached(
            f"{host} takes no connection.", "Check the address, and whether the service runs."
        ) from error
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        raise Unreached(f"{host} does not answer.", "Try again later.") from error
    except (HTTPError, OSError) as error:
        raise Unreached(f"The connection to {host} broke off.", "Repeat the command.") from error
