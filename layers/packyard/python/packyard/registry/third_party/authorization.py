"""Authorization to pull from a third-party registry: answers its challenges.

What a registry's challenge says is not always what works. So each way is tried once, in this order: a token for the
scope that the challenge states, a token to pull from the repository, and then the operator's credential itself, which
is sent only to the registry that it is for.

- Some registries name a token server that issues no token, and only the credential works (image-factory PR #573).
- Harbor answers an insufficient token with a challenge for Basic (harbor #18856).
- Some state no scope, or one with a meaning of their own (oras-go #650, oras-dotnet #395).

Sources: RFC 9110, section 11; the token specification of the CNCF's distribution project.
"""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Final

from packyard.errors import RegistryUnavailable
from packyard.network.guard import TargetRefused
from packyard.registry.bearer_token import (
    MAX_TOKEN_BODY,
    host_of,
    may_see_credential,
    parse_token,
    pull_scope,
    token_url,
)
from packyard.registry.challenge import Challenge, bearer_of, offers_basic, parse_challenges
from packyard.registry.statuses import RETRY_LATER, SERVER_ERRORS
from packyard.registry.third_party.guarded_http import BodyTooLarge, GuardedHttp
from packyard.registry.third_party.pull_credentials import Grant

_BASIC: Final = "Basic "
# For one registry in one read.
_MAX_TOKEN_REQUESTS: Final = 4


class Authorizer:
    """Answers the challenges of one registry when one repository is pulled.

    Args:
        http: Sends requests to the token server.
        registry: The registry, as in `Reference.registry`.
        url: The registry's scheme, host and port.
        repository: The path of the repository to pull from.
        grant: Returns the credential for the registry, or None if there is none. Called only when it is needed.
    """

    def __init__(
        self,
        *,
        http: GuardedHttp,
        registry: str,
        url: str,
        repository: str,
        grant: Callable[[], Grant | None],
    ) -> None:
        self._http = http
        self._registry = registry
        self._url = url
        self._repository = repository
        self._grant = grant
        self._asked: set[str] = set()
        self._failure: TargetRefused | RegistryUnavailable | None = None

    def answer(self, challenges: Iterable[str], *, refused: str | None) -> str | None:
        """Return an `Authorization` that the registry has not refused yet, or None when there is none.

        Args:
            challenges: The `WWW-Authenticate` headers of the answer that refused the request.
            refused: The `Authorization` that the registry has just refused; None if none was sent.

        Raises:
            TargetRefused: The token server is a host that may not be reached, and nothing else can be tried.
            RegistryUnavailable: The token server gave no usable answer, and nothing else can be tried.
        """
        offered = parse_challenges(challenges)
        bearer = bearer_of(offered)
        found = None if bearer is None else self._token(bearer)
        if found is None and (bearer is not None or offers_basic(offered)):
            found = self._basic(refused)
        if found is None and self._failure is not None:
            raise self._failure
        return found

    def _token(self, challenge: Challenge) -> str | None:
        """Return a token for the first scope that was not requested before and for which the server issues one."""
        try:
            for url in self._token_urls(challenge):
                if url in self._asked or len(self._asked) == _MAX_TOKEN_REQUESTS:
                    continue
                self._asked.add(url)
                token = self._ask(url)
                if token is not None:
                    return token
        except (TargetRefused, RegistryUnavailable) as failure:
            self._failure = failure
        return None

    def _token_urls(self, challenge: Challenge) -> Iterator[str]:
        stated = pull_scope(challenge)
        pull = f"repository:{self._repository}:pull"
        for scope in (pull, None) if stated is None else (stated, pull):
            try:
                yield token_url(challenge, registry_url=self._url, scope=scope)
            except ValueError as error:
                raise RegistryUnavailable(
                    "The registry asks for a token of a place that cannot be asked."
                ) from error

    def _ask(self, url: str) -> str | None:
        with self._http.get(url, accept="application/json", authorization=self._for_realm(url)) as reply:
            if reply.status != HTTPStatus.OK:
                if reply.status in SERVER_ERRORS or reply.status in RETRY_LATER:
                    raise RegistryUnavailable(
                        "The registry's token server is not able to answer at the moment."
                    )
                return None
            try:
                return parse_token(reply.read(MAX_TOKEN_BODY)).authorization
            except (ValueError, BodyTooLarge) as error:
                raise RegistryUnavailable("The registry's token server gave no token.") from error

    def _for_realm(self, url: str) -> str | None:
        """Return the credential for the token server at `url`; None if there is none or it may not receive it."""
        try:
            host = host_of(url)
        except ValueError:
            raise TargetRefused from None
        grant = self._grant()
        if grant is None or not may_see_credential(host, registry=self._registry, named=grant.realm):
            return None
        return grant.credential.authorization()

    def _basic(self, refused: str | None) -> str | None:
        grant = self._grant()
        if grant is None:
            return None
        tried = refused if refused is not None and refused.startswith(_BASIC) else None
        shown = grant.credential.authorization(refused=tried)
        return None if shown == tried else shown
