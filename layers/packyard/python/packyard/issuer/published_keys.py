"""The issuer's keys, over HTTPS: fetched when they are needed, kept while they are good, and at hand while it is down.

What a token can make us do is bounded: whatever keys it names, the issuer is asked at most once a minute.
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

# From when on a key set is fetched anew: how long a key that the issuer has withdrawn goes on working.
FRESH: Final = timedelta(minutes=10)
# From when on a key set is not trusted any more, however long the issuer is down.
USABLE: Final = timedelta(hours=24)
# Between two questions to the issuer; the shorter one as long as there is nothing to check any token with.
PAUSE: Final = timedelta(minutes=1)
PAUSE_WITHOUT_KEYS: Final = timedelta(seconds=5)

_MAX_BYTES: Final = 256 << 10
_TOTAL_SECONDS: Final = 3
_WAIT_SECONDS: Final = 1


class _IssuerSilent(Exception):
    """The issuer did not answer with a key set; the message says what it did."""


@dataclass(slots=True, kw_only=True)
class IssuerKeys:
    """The keys of one issuer, as one container knows them.

    Attributes:
        url: Where the issuer publishes its key set. It is the operator's setting, so it may lead anywhere.
        http: The connections.
        clock: The present instant, UTC.
        monotonic: Seconds on a clock that never goes back.
        time_left: How many seconds the invocation has left.
    """

    url: str
    http: urllib3.PoolManager
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    time_left: Callable[[], float]
    _keys: SigningKeys = field(default_factory=SigningKeys, init=False)
    _fetched_at: datetime | None = field(default=None, init=False)
    _asked_at: datetime | None = field(default=None, init=False)

    def find(self, name: KeyName) -> VerificationKey | None:
        """Return the issuer's key that goes by this name, or None when it has none, or more than one.

        Raises:
            ServiceUnavailable: The issuer does not answer, and what it last said is too old, or nothing.
        """
        now = self.clock()
        if not (self._younger_than(FRESH, now) and self._keys.find(name) is not None) and self._may_ask(now):
            self._asked_at = now
            try:
                self._keys, self._fetched_at = parse_key_set(self._fetch()), now
            except (_IssuerSilent, HTTPError, ValueError) as error:
                logger.warning("the issuer's keys cannot be fetched", exc_info=error)
        if not self._younger_than(USABLE, now):
            raise ServiceUnavailable
        return self._keys.find(name)

    def _younger_than(self, age: timedelta, now: datetime) -> bool:
        return self._fetched_at is not None and now - self._fetched_at < age

    def _may_ask(self, now: datetime) -> bool:
        pause = PAUSE if self._younger_than(USABLE, now) else PAUSE_WITHOUT_KEYS
        return self._asked_at is None or now - self._asked_at >= pause

    def _fetch(self) -> bytes:
        left = min(_TOTAL_SECONDS, self.time_left())
        if left < _TOTAL_SECONDS:
            raise _IssuerSilent("was not asked: no time is left")
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
                raise _IssuerSilent(f"answered {response.status}")
            return b"".join(self._pieces(response, deadline))

    def _pieces(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
        read = 0
        while piece := response.read1(_MAX_BYTES):
            read += len(piece)
            if read > _MAX_BYTES:
                raise _IssuerSilent(f"sent more than {_MAX_BYTES} bytes")
            if self.monotonic() > deadline:
                raise _IssuerSilent("took too long")
            yield piece
