"""The issuer's key set, fetched over HTTPS and cached. The cached keys stay usable while the issuer is down.

A token that names an unknown key causes a fetch. But each container asks the issuer at most once a minute, and every
five seconds while it has no keys, whatever tokens come.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import urllib3
from aws_lambda_powertools import Logger
from urllib3.exceptions import HTTPError

from packyard.errors import ServiceUnavailable
from packyard.tenants.signing_keys import KeyName, SigningKeys, VerificationKey, parse_key_set

logger = Logger(child=True)

# A key set older than this is fetched again. So a key that the issuer has withdrawn works for at most this long.
FRESH: Final = timedelta(minutes=10)
# A key set older than this is no longer trusted, even if the issuer is down.
USABLE: Final = timedelta(hours=24)
# The shortest time between two requests to the issuer, and the shorter one while there is no usable key set.
PAUSE: Final = timedelta(minutes=1)
PAUSE_WITHOUT_KEYS: Final = timedelta(seconds=5)

_MAX_BYTES: Final = 256 << 10
_TOTAL_SECONDS: Final = 3
_WAIT_SECONDS: Final = 1


class NoKeySet(Exception):
    """The issuer did not send a key set. The message completes "the issuer …"."""


@dataclass(slots=True, kw_only=True)
class IssuerKeys:
    """The keys of one issuer, cached in this container.

    Attributes:
        fetch: Returns the issuer's key set as it is now, or raises `NoKeySet`, `HTTPError` or `OSError`.
        clock: Returns the current time, in UTC.
    """

    fetch: Callable[[], bytes]
    clock: Callable[[], datetime]
    _keys: SigningKeys = field(default_factory=SigningKeys, init=False)
    _fetched_at: datetime | None = field(default=None, init=False)
    _asked_at: datetime | None = field(default=None, init=False)

    def find(self, name: KeyName) -> VerificationKey | None:
        """Return the issuer's key for this name, or None if there is none, or more than one could be meant.

        Raises:
            ServiceUnavailable: The issuer sends no key set, and there is no cached one of the last 24 hours.
        """
        now = self.clock()
        if not (self._younger_than(FRESH, now) and self._keys.find(name) is not None) and self._may_ask(now):
            self._asked_at = now
            try:
                self._keys, self._fetched_at = parse_key_set(self.fetch()), now
            except (NoKeySet, HTTPError, OSError, ValueError) as error:
                logger.warning("the issuer's keys cannot be fetched", exc_info=error)
        if not self._younger_than(USABLE, now):
            raise ServiceUnavailable
        return self._keys.find(name)

    def _younger_than(self, age: timedelta, now: datetime) -> bool:
        return self._fetched_at is not None and now - self._fetched_at < age

    def _may_ask(self, now: datetime) -> bool:
        pause = PAUSE if self._younger_than(USABLE, now) else PAUSE_WITHOUT_KEYS
        return self._asked_at is None or now - self._asked_at >= pause


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetAt:
    """Fetches the key set of the deployment's own issuer.

    Attributes:
        url: Where the issuer publishes it. The operator sets it, so any host is allowed.
        http: The connection pool.
        monotonic: Returns seconds of a monotonic clock.
        time_left: Returns the seconds that the invocation has left.
    """

    url: str
    http: urllib3.PoolManager
    monotonic: Callable[[], float]
    time_left: Callable[[], float]

    def __call__(self) -> bytes:
        """Return the key set.

        Raises:
            NoKeySet: The issuer sent something else, too much, or too slowly; or there is no time to ask it.
            HTTPError: It was not reached.
        """
        left = min(_TOTAL_SECONDS, self.time_left())
        if left < _TOTAL_SECONDS:
            raise NoKeySet("was not asked: no time is left")
        deadline = self.monotonic() + left - _WAIT_SECONDS
        response = self.http.request(
            "GET",
            self.url,
            headers={"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"},
            timeout=urllib3.Timeout(connect=_WAIT_SECONDS, read=_WAIT_SECONDS),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        with response:
            if response.status != HTTPStatus.OK:
                raise NoKeySet(f"answered {response.status}")
            return b"".join(self._pieces(response, deadline))

    def _pieces(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
        read = 0
        while piece := response.read1(_MAX_BYTES):
            read += len(piece)
            if read > _MAX_BYTES:
                raise NoKeySet(f"sent more than {_MAX_BYTES} bytes")
            if self.monotonic() > deadline:
                raise NoKeySet("took too long")
            yield piece
