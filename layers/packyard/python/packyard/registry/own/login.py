"""Our login to our own registry: Basic authentication, or tokens from the registry's token server.

The registry states which of the two it wants in the challenge of a 401 answer (RFC 9110, section 11; token
specification of the CNCF's distribution project). The choice is remembered for the life of the function's execution
environment, and each token until it expires.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from packyard.errors import RegistryUnavailable
from packyard.registry.bearer_token import stated_scope
from packyard.registry.challenge import Challenge, bearer_of, offers_basic, parse_challenges
from packyard.registry.own.login_secret import LoginSecret
from packyard.registry.own.token_server import TokenServer

# A token is not used when it expires sooner: it must still be valid when the registry checks it.
_MARGIN: Final = timedelta(seconds=10)
# One for each set of scopes; there are several sets for each repository. Beyond this the oldest is dropped.
_MAX_TOKENS: Final = 64


@dataclass(frozen=True, slots=True)
class _Token:
    authorization: str
    asked: tuple[str, ...]
    until: datetime


class RegistryLogin:
    """Implements `Credential`.

    Args:
        secret: Reads the user and the password.
        server: Obtains tokens.
        clock: Returns the current time in UTC.
    """

    def __init__(self, *, secret: LoginSecret, server: TokenServer, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._server = server
        self._clock = clock
        self._lock = Lock()
        # How the registry wants the login. Neither is set before its first challenge; then either one is.
        self._bearer: Challenge | None = None
        self._basic = False
        self._tokens: OrderedDict[tuple[str, ...], _Token] = OrderedDict()

    def authorization(
        self,
        *,
        refused: str | None = None,
        scopes: Sequence[str] = (),
        challenges: Sequence[str] | None = None,
    ) -> str | None:
        """See `Credential`. Returns None before the registry's first challenge.

        Raises:
            RegistryRefused: The secret cannot be used, or the token server may not receive our login.
            RegistryUnavailable: The token server did not answer, or its answer holds no token.
            ServiceUnavailable: Secrets Manager did not answer.
        """
        key = tuple(scopes)
        with self._lock:
            if challenges is None:
                return self._preferred(key)
            cached = self._cached(key)
            if cached is not None and cached != refused:
                # Another thread has replaced it already.
                return cached
            return self._replacement(refused, key, challenges)

    def _preferred(self, scopes: tuple[str, ...]) -> str | None:
        """Return the value in the form that the registry has asked for; None if it has not asked yet."""
        if self._basic:
            return self._secret.read().basic
        if self._bearer is None:
            return None
        return self._cached(scopes) or self._token(self._bearer, scopes, asked=scopes)

    def _cached(self, scopes: tuple[str, ...]) -> str | None:
        """Return a value that needs no request to a token server, or None."""
        if self._basic:
            return self._secret.read().basic
        token = self._tokens.get(scopes)
        return token.authorization if token is not None and self._clock() < token.until else None

    def _replacement(
        self, refused: str | None, scopes: tuple[str, ...], challenges: Sequence[str]
    ) -> str | None:
        """Return another value that the registry may accept, or `refused` itself if there is none."""
        offered = parse_challenges(challenges)
        login = self._secret.read()
        # Without a challenge, Basic is tried only if no login was sent: some registries refuse a missing login without
        # a challenge, and some refuse an operation without one, which another login would not change.
        basic = (offers_basic(offered) or (not offered and refused is None)) and refused != login.basic
        bearer = bearer_of(offered)
        if bearer is not None:
            token = self._token_instead(refused, scopes, bearer, basic=basic)
            if token is not None:
                self._bearer, self._basic = bearer, False
                return token
        if basic:
            self._basic = True
            return login.basic
        changed = self._secret.read_again()
        return changed.basic if self._basic and changed != login else refused

    def _token_instead(
        self, refused: str | None, scopes: tuple[str, ...], bearer: Challenge, *, basic: bool
    ) -> str | None:
        """Return a token, or None to try Basic instead or when the token server refuses our login.

        Some registries advertise a token server that does not work for them (Harbor #23799, image-factory PR #573).

        Args:
            refused: The value that the registry has just refused.
            scopes: The scopes that the request needs.
            bearer: The challenge that asks for a token.
            basic: Whether Basic can be tried instead.
        """
        asked = _with_stated(scopes, bearer)
        spent = self._tokens.pop(scopes, None)
        # A new token would be refused as well if the refused one was issued for the same scopes.
        if basic and spent is not None and (spent.authorization, spent.asked) == (refused, asked):
            return None
        try:
            return self._token(bearer, scopes, asked=asked)
        except RegistryUnavailable:
            if basic:
                return None
            raise

    def _token(self, bearer: Challenge, scopes: tuple[str, ...], *, asked: tuple[str, ...]) -> str | None:
        """Return a token from the token server, or None when it refuses our login, also after reading it again."""
        login = self._secret.read()
        asked_at = self._clock()
        granted = self._server.token(bearer, login=login, scopes=asked)
        if granted is None:
            changed = self._secret.read_again()
            granted = None if changed == login else self._server.token(bearer, login=changed, scopes=asked)
        if granted is None:
            return None
        until = asked_at + timedelta(seconds=granted.seconds) - _MARGIN
        self._tokens[scopes] = _Token(granted.authorization, asked, until)
        self._tokens.move_to_end(scopes)
        while len(self._tokens) > _MAX_TOKENS:
            self._tokens.popitem(last=False)
        return granted.authorization


def _with_stated(scopes: tuple[str, ...], challenge: Challenge) -> tuple[str, ...]:
    """Return the scopes and the one that a challenge states, unless they cover it already."""
    stated = stated_scope(challenge)
    name, _, actions = stated.rpartition(":")
    wanted = set(actions.split(","))
    if not stated or any(
        own.rpartition(":")[0] == name and wanted <= set(own.rpartition(":")[2].split(",")) for own in scopes
    ):
        return scopes
    return (*scopes, stated)
