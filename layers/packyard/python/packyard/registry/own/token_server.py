"""The token server of our own registry (token specification of the CNCF's distribution project)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from packyard.errors import RegistryUnavailable
from packyard.registry.bearer_token import (
    MAX_TOKEN_BODY,
    BearerToken,
    host_of,
    may_see_credential,
    parse_token,
    token_url,
)
from packyard.registry.challenge import Challenge
from packyard.registry.own.login_secret import Login
from packyard.registry.own.refusal import RegistryRefused, failure
from packyard.registry.own.transport import Exchange
from packyard.registry.statuses import CLIENT_ERRORS, REDIRECTS

_REDIRECTED = (
    "The registry's token server redirects. Packyard does not send a login to the target of a redirect. Configure the"
    " registry to name the final address (for the CNCF's registry: auth.token.realm)."
)


class TokenServer:
    """Obtains tokens for our login.

    Args:
        exchange: Sends the requests.
        base_url: Scheme, host and port of the registry.
    """

    def __init__(self, *, exchange: Exchange, base_url: str) -> None:
        self._exchange = exchange
        self._base_url = base_url.rstrip("/")

    def token(self, challenge: Challenge, *, login: Login, scopes: Sequence[str]) -> BearerToken | None:
        """Return a token, or None when the server refuses the login.

        Args:
            challenge: The registry's challenge, which names the token server.
            login: The user and the password for the server.
            scopes: The scopes to request. The server may grant fewer; the registry then refuses the request.

        Raises:
            RegistryRefused: The server may not receive the login, or it redirects.
            RegistryUnavailable: It did not answer, or its answer holds no token.
        """
        url = self._url(challenge, login, scopes)
        answer = self._exchange.ask(
            "GET", url, headers={"Accept": "application/json"}, authorization=login.basic
        )
        if answer.succeeded:
            return _token(answer.body)
        path = urlsplit(url).path
        if answer.status in REDIRECTS:
            said = f"GET {path} answered {answer.status}"
            raise RegistryRefused(answer.status, frozenset(), said, _REDIRECTED)
        # Without the body, which might quote the login and would be logged.
        found = failure("GET", path, answer.status, answer.headers, b"")
        if answer.status in CLIENT_ERRORS and isinstance(found, RegistryRefused):
            return None
        raise found

    def _url(self, challenge: Challenge, login: Login, scopes: Sequence[str]) -> str:
        """Return the URL of the token request, after checking that the server may receive the login."""
        try:
            registry = host_of(self._base_url)
            url = token_url(challenge, registry_url=self._base_url, scope=" ".join(scopes))
            host = host_of(url)
        except ValueError as error:
            note = f"the registry's token server cannot be asked: {error}"
            raise RegistryRefused(0, frozenset(), note) from error
        if not may_see_credential(host, registry=registry, named=login.realm):
            note = f"the registry names {host} as its token server; if that is right, the secret that RegistryLoginArn"
            raise RegistryRefused(0, frozenset(), f'{note} names has to say so: "realm": "{host}"')
        return url


def _token(body: bytes) -> BearerToken:
    try:
        return parse_token(body[: MAX_TOKEN_BODY + 1])
    except ValueError as error:
        raise RegistryUnavailable("The registry's token server gave no token.") from error
