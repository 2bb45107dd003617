"""Our login to our own registry, by Basic or by the tokens that its token server gives for it.

The registry says which of them it wants when it refuses what it is shown (RFC 9110, section 11; token specification of
the CNCF's distribution project). That, and each token until it ends, is remembered for as long as the container lives.
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

# So that a token does not end on its way.
_MARGIN: Final = timedelta(seconds=10)
# One for each repository that is pushed to, in two kinds; the oldest goes.
_MAX_TOKENS: Final = 64


@dataclass(frozen=True, slots=True)
class _Token:
    authorization: str
    asked: tuple[str, ...]
    until: datetime


class RegistryLogin:
    """Implements `Credential`.

    Args:
        secret: The user and the password.
        server: Asks for tokens.
        clock: The time, UTC.
    """

    def __init__(self, *, secret: LoginSecret, server: TokenServer, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._server = server
        self._clock = clock
        self._lock = Lock()
        # How the registry wants the login: nothing before it has said so, then a token server's challenge, or Basic.
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
        """See `Credential`: nothing before the registry has said what it wants.

        Raises:
            RegistryRefused: The secret cannot be used, or the token server is where our login does not go.
            RegistryUnavailable: The token server does not answer, or not with a token.
            ServiceUnavailable: Secrets Manager does not answer.
        """
        key = tuple(scopes)
        with self._lock:
            if challenges is None:
                return self._usual(key)
            held = self._held(key)
            if held is not None and held != refused:
                # Another thread has been here.
                return held
            return self._other_than(refused, key, challenges)

    def _usual(self, scopes: tuple[str, ...]) -> str | None:
        """Return what the registry takes as a rule."""
        if self._basic:
            return self._secret.read().basic
        if self._bearer is None:
            return None
        return self._held(scopes) or self._token(self._bearer, scopes, asked=scopes)

    def _held(self, scopes: tuple[str, ...]) -> str | None:
        """Return what is at hand."""
        if self._basic:
            return self._secret.read().basic
        token = self._tokens.get(scopes)
        return token.authorization if token is not None and self._clock() < token.until else None

    def _other_than(
        self, refused: str | None, scopes: tuple[str, ...], challenges: Sequence[str]
    ) -> str | None:
        """Return what the registry may take instead of what it has just refused, or that again if there is nothing."""
        offered = parse_challenges(challenges)
        login = self._secret.read()
        # Some registries say nothing of what they want, and some forbid something without a word.
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
        """Return a token, or None for the login itself where that is another way in: some advertise what does not work.

        Harbor #23799, image-factory PR #573.
        """
        asked = _with_stated(scopes, bearer)
        spent = self._tokens.pop(scopes, None)
        # A token that has just been made for the very same is not bettered by another.
        if basic and spent is not None and (spent.authorization, spent.asked) == (refused, asked):
            return None
        try:
            return self._token(bearer, scopes, asked=asked)
        except RegistryUnavailable:
            if basic:
                return None
            raise

    def _token(self, bearer: Challenge, scopes: tuple[str, ...], *, asked: tuple[str, ...]) -> str | None:
        """Return a token of the token server, or None when it refuses our login."""
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
    """Return scopes together with the one that a challenge states, unless they hold it already."""
    stated = stated_scope(challenge)
    name, _, actions = stated.rpartition(":")
    wanted = set(actions.split(","))
    if not stated or any(
        own.rpartition(":")[0] == name and wanted <= set(own.rpartition(":")[2].split(",")) for own in scopes
    ):
        return scopes
    return (*scopes, stated)
