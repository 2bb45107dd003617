"""Whether a URL that our registry names is on our registry: what we send, credentials included, is for it alone."""

from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from packyard.registry.own.refusal import RegistryRefused

_PORTS: Final = {"http": 80, "https": 443}
_MAX_URL: Final = 8 << 10

_DOWNGRADE = (
    "The registry is reached over https, and sends us on over plain http. Behind a proxy that ends TLS it has to be"
    " told so: the proxy sets X-Forwarded-Proto: https, or the CNCF's registry gets http.host with https:// or"
    " http.relativeurls: true."
)
_ELSEWHERE = (
    "The registry sends us on to another host or port than RegistryUrl names. It has to name its own, or relative"
    " addresses (for the CNCF's registry: http.host or http.relativeurls)."
)


def on_origin(base_url: str, url: str, *, relative_to: str = "/") -> str:
    """Return `url` on the origin of `base_url`, spelt as `base_url` spells it.

    Origins are compared as RFC 6454, section 4, and RFC 3986, section 6.2, have it: case, a port that is the scheme's
    own and the root's dot make no difference.

    Args:
        base_url: Scheme, host and port of our registry.
        url: What it named: a whole URL, or one that is relative.
        relative_to: The path that a relative one is relative to.

    Raises:
        RegistryRefused: It is on another origin, or no URL.
    """
    # Without its query, which may hold the state of an upload.
    shown = url.partition("?")[0][:_MAX_URL]
    try:
        named = urlsplit(urljoin(base_url + relative_to, url))
        same = (
            len(url) <= _MAX_URL and "@" not in named.netloc and _origin(named) == _origin(urlsplit(base_url))
        )
        downgrade = named.scheme == "http" and urlsplit(base_url).scheme == "https"
    except ValueError:
        raise RegistryRefused(
            0, frozenset(), f"the registry names {shown!r}, which is no URL", _ELSEWHERE
        ) from None
    if not same:
        note = _DOWNGRADE if downgrade and _host(named) == _host(urlsplit(base_url)) else _ELSEWHERE
        raise RegistryRefused(0, frozenset(), f"the registry names {shown!r}", note)
    return base_url + (named.path or "/") + (f"?{named.query}" if named.query else "")


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    return url.scheme, _host(url), url.port or _PORTS.get(url.scheme)


def _host(url: SplitResult) -> str:
    return (url.hostname or "").removesuffix(".")
