"""Checks that a URL which our registry names is on its own origin: requests carry credentials for that origin only."""

from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from packyard.registry.own.refusal import RegistryRefused

_PORTS: Final = {"http": 80, "https": 443}
_MAX_URL: Final = 8 << 10

_DOWNGRADE = (
    "The registry is reached over https, but it names an address with plain http. Behind a proxy that terminates TLS,"
    " let the proxy set X-Forwarded-Proto: https, or set http.host with https:// or http.relativeurls: true in the"
    " CNCF's registry."
)
_ELSEWHERE = (
    "The registry names an address on another host or port than RegistryUrl. Configure it to name its own host, or"
    " relative addresses (for the CNCF's registry: http.host or http.relativeurls)."
)


def on_origin(base_url: str, url: str, *, relative_to: str = "/") -> str:
    """Return `url` as an absolute URL that begins with `base_url`.

    Origins are compared by RFC 6454, section 4, and RFC 3986, section 6.2.3: letter case, an explicit default port and
    a trailing dot of the host make no difference.

    Args:
        base_url: Scheme, host and port of our registry.
        url: The URL that the registry named, absolute or relative.
        relative_to: The path against which a relative `url` is resolved.

    Raises:
        RegistryRefused: It is on another origin, or not a URL.
    """
    # The query is left out of messages: it may hold the state of an upload.
    shown = url.partition("?")[0][:_MAX_URL]
    try:
        named = urlsplit(urljoin(base_url + relative_to, url))
        same = (
            len(url) <= _MAX_URL and "@" not in named.netloc and _origin(named) == _origin(urlsplit(base_url))
        )
        downgrade = named.scheme == "http" and urlsplit(base_url).scheme == "https"
    except ValueError:
        raise RegistryRefused(
            0, frozenset(), f"the registry names {shown!r}, which is not a URL", _ELSEWHERE
        ) from None
    if not same:
        note = _DOWNGRADE if downgrade and _host(named) == _host(urlsplit(base_url)) else _ELSEWHERE
        raise RegistryRefused(0, frozenset(), f"the registry names {shown!r}", note)
    return base_url + (named.path or "/") + (f"?{named.query}" if named.query else "")


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    return url.scheme, _host(url), url.port or _PORTS.get(url.scheme)


def _host(url: SplitResult) -> str:
    return (url.hostname or "").removesuffix(".")
