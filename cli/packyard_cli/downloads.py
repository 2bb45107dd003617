"""Downloads of what others publish: by https, bounded in bytes, time and redirects."""

import hashlib
import ipaddress
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from packyard_cli.failure import Exit, Failure
from packyard_cli.service import Transport
from packyard_cli.wire import Received

_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_NOT_FOUND: Final = frozenset({401, 403, 404, 410})
_MAX_REFUSAL: Final = 64 << 10
_MAX_DOCUMENT: Final = 4 << 20
_SECONDS: Final = 600
# More than one piece, so that a whole one is seen.
_BEYOND: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """Fetches from other people's servers.

    Attributes:
        transport: Sends requests. No credential is ever sent.
        user_agent: As whom.
        clock: A monotonic clock, in seconds.
    """

    transport: Transport
    user_agent: str
    clock: Callable[[], float] = time.monotonic

    def document(self, url: str) -> Any:
        """Return a JSON document of at most 4 MiB.

        Raises:
            Failure: It cannot be had, or is none.
        """
        received = self._received(url)
        try:
            return json.loads(received.read(_MAX_DOCUMENT))
        except (ValueError, RecursionError):
            raise Failure(Exit.INVALID, f"{_shown(url)} answers no JSON.", _CHECK) from None

    def file(self, url: str, into: Path, *, most: int, sha256: str | None = None) -> None:
        """Write what a URL leads to into a file.

        Args:
            url: The URL.
            into: The file; it is not there yet.
            most: The most bytes.
            sha256: The digest that it must have, in hexadecimal; None if none is known.

        Raises:
            Failure: It cannot be had, is too large, comes too slowly, or has another digest.
            OSError: The file cannot be written.
        """
        deadline = self.clock() + _SECONDS
        received = self._received(url)
        found, left = hashlib.sha256(), most
        with into.open("xb") as file:
            # What is too large is refused here, with words of its own.
            for piece in received.pieces(most + _BEYOND):
                left -= len(piece)
                if left < 0:
                    raise Failure(Exit.INVALID, f"{_shown(url)} is over {most} bytes.", "Take a part of it.")
                if self.clock() > deadline:
                    raise Failure(
                        Exit.UNAVAILABLE, f"{_shown(url)} takes over {_SECONDS} s.", "Try again later."
                    )
                found.update(piece)
                file.write(piece)
        if sha256 is not None and found.hexdigest() != sha256:
            raise Failure(
                Exit.TAMPERED,
                f"{_shown(url)} came with other bytes than its digest names.",
                "Repeat the command; if it happens again, tell whoever publishes it.",
            )

    def _received(self, url: str) -> Received:
        headers = {"User-Agent": self.user_agent, "Accept": "*/*"}
        begun = url
        for _ in range(_MAX_REDIRECTS + 1):
            require_safe(url, from_loopback=_is_loopback(begun))
            received = self.transport.send("GET", url, headers=headers)
            place = received.headers.get("Location")
            if received.status == _OK:
                return received
            received.read(_MAX_REFUSAL)
            if received.status not in _REDIRECTS or not place:
                raise _refused(begun, received.status, received.headers)
            url = urljoin(url, place)
        raise Failure(
            Exit.UNAVAILABLE, f"{_shown(begun)} leads from one address to another without an end.", _CHECK
        )


_CHECK: Final = "Check the address."


def require_safe(url: str, *, from_loopback: bool = True) -> None:
    """Check that nobody on the way can read or change what a URL gives.

    Args:
        url: The URL.
        from_loopback: Whether it may be on this machine, where http does for tests and mirrors.

    Raises:
        Failure: It is no https URL, or holds a login.
    """
    try:
        parts = urlsplit(url)
        host, login = parts.hostname, parts.username or parts.password
    except ValueError:
        raise Failure(Exit.USAGE, "The address is none.", _CHECK) from None
    if not host or login:
        raise Failure(
            Exit.USAGE, f"{_shown(url)} names no host, or holds a login, which is not sent.", _CHECK
        )
    if parts.scheme == "https" or (parts.scheme == "http" and from_loopback and _is_loopback(url)):
        return
    raise Failure(
        Exit.USAGE,
        f"{_shown(url)} is not https, so what comes from there could be anybody's.",
        "Name an https address.",
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(url: str, status: int, headers: Mapping[str, str]) -> Failure:
    if status in _NOT_FOUND:
        return Failure(
            Exit.NOT_FOUND,
            f"There is nothing at {_shown(url)} (status {status}).",
            "Check the names and the version. What is not public cannot be imported.",
        )
    wait = headers.get("Retry-After", "")
    again = f"Try again in {wait} s." if wait.isdigit() else "Try again later."
    return Failure(Exit.UNAVAILABLE, f"{_shown(url)} answered {status}.", again)


def _shown(url: str) -> str:
    """Return a URL without its query, which may be a secret."""
    return url.partition("?")[0]
