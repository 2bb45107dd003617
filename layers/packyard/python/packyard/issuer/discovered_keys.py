"""The key sets of issuers that tenants name, by OpenID Connect Discovery 1.0 and through the network guard.

An issuer is asked for two documents, of bounded size and in bounded time together. Redirects are not followed. The
document has to be the issuer's own (section 4.3), and may name another public host for the keys.
"""

import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final

from packyard.issuer.published_keys import IssuerKeys, NoKeySet
from packyard.network.budget import Budget
from packyard.network.guard import Guard, TargetRefused
from packyard.network.guarded_connection import guarded_pool
from packyard.tenants.signing_keys import KeyName, VerificationKey
from packyard.text.strict_json import parse_object

TOTAL_SECONDS: Final = 3.0
# Issuers whose keys a container remembers. GitHub, GitLab and a few of tenants' own are what it usually has.
MAX_ISSUERS: Final = 64

_MAX_BYTES: Final = 256 << 10
_DISCOVERY: Final = "/.well-known/openid-configuration"
_USER_AGENT: Final = "packyard-oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredKeySet:
    """Fetches the key set of one issuer.

    Attributes:
        issuer: Its URL, as in the claim `iss`.
        guard: Checks hosts and opens connections.
        tls: Returns the TLS context; called only when it is needed.
        monotonic: Returns seconds of a clock that never goes back.
        time_left: Returns the seconds that the invocation has left.
    """

    issuer: str
    guard: Guard
    tls: Callable[[], ssl.SSLContext]
    monotonic: Callable[[], float]
    time_left: Callable[[], float]

    def __call__(self) -> bytes:
        """Return the key set.

        Raises:
            NoKeySet: The issuer may not be reached, sent something else, too much, or too slowly; or there is no time
                to ask it.
            HTTPError, OSError: It was not reached.
        """
        if self.time_left() < TOTAL_SECONDS:
            raise NoKeySet("was not asked: no time is left")
        budget = Budget(monotonic=self.monotonic, seconds=TOTAL_SECONDS, silence_seconds=TOTAL_SECONDS)
        try:
            document = parse_object(self._get(self.issuer + _DISCOVERY, budget))
            if document.get("issuer") != self.issuer:
                raise NoKeySet("says in its discovery document that it is another one")
            keys_url = document.get("jwks_uri")
            if not isinstance(keys_url, str):
                raise NoKeySet("does not say where its keys are")
            return self._get(keys_url, budget)
        except TargetRefused:
            raise NoKeySet(
                "is, or has its keys, at a host that may not be reached or does not exist"
            ) from None
        except ValueError as error:
            raise NoKeySet("has no discovery document in JSON") from error

    def _get(self, url: str, budget: Budget) -> bytes:
        origin, target = self.guard.target_of(url)
        with guarded_pool(origin, guard=self.guard, budget=budget, tls=self.tls) as pool:
            response = pool.request(
                "GET",
                target,
                headers={
                    "Accept": "application/json, application/jwk-set+json",
                    "Accept-Encoding": "identity",
                    "User-Agent": _USER_AGENT,
                },
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=budget.next_timeout(),
            )
            with response:
                if response.status != HTTPStatus.OK:
                    raise NoKeySet(f"answered {response.status}")
                # One byte more than allowed tells a document that is too large; the budget bounds each receive.
                content = response.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise NoKeySet(f"sent more than {_MAX_BYTES} bytes")
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredIssuers:
    """The keys of the issuers of trusted publishers, cached in this container: those used last, at most 64.

    Attributes:
        fetching: Returns what fetches the key set of an issuer.
        clock: Returns the current time, in UTC.
    """

    fetching: Callable[[str], Callable[[], bytes]]
    clock: Callable[[], datetime]
    _known: OrderedDict[str, IssuerKeys] = field(default_factory=OrderedDict, init=False)

    def find(self, issuer: str, name: KeyName) -> VerificationKey | None:
        """Return an issuer's key of this name; None if there is none, or more than one could be meant.

        Args:
            issuer: The issuer's URL. The caller has made sure that a publisher names it: it will be asked.
            name: How the token names the key.

        Raises:
            ServiceUnavailable: The issuer sends no key set, and there is no cached one of the last 24 hours.
        """
        keys = self._known.pop(issuer, None)
        if keys is None:
            keys = IssuerKeys(fetch=self.fetching(issuer), clock=self.clock)
        self._known[issuer] = keys
        while len(self._known) > MAX_ISSUERS:
            self._known.popitem(last=False)
        return keys.find(name)
