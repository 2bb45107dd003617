"""Being let in by a registry that is not ours: the answer to its challenge.

Sources: RFC 9110, section 11; the token specification of the CNCF's distribution project.
"""

import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from packyard.errors import RegistryUnavailable
from packyard.oci.reference import DOCKER_HUB, parse_registry
from packyard.registry.challenge import Challenge, parse_challenges
from packyard.registry.foreign_credentials import Grant
from packyard.registry.guard import TargetRefused
from packyard.registry.guarded_http import BodyTooLarge, GuardedHttp, Reply

_MAX_TOKEN_BODY: Final = 64 << 10
# RFC 6750, section 2.1; it becomes part of a header.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_MAX_SERVICE: Final = 256
# Registries whose token server is another host of the same owner.
_KNOWN_REALMS: Final = {DOCKER_HUB: "auth.docker.io", "registry.gitlab.com": "gitlab.com"}
_MIN_OUTAGE: Final = 500


class Authorizer:
    """Answers the challenges of one registry, for pulling from one repository.

    Args:
        http: Asks the token server.
        registry: As in `Reference.registry`.
        repository: What is to be pulled.
        grant: Returns what may be shown, None for nothing; not asked before it is needed.
    """

    def __init__(
        self, *, http: GuardedHttp, registry: str, repository: str, grant: Callable[[], Grant | None]
    ) -> None:
        self._http = http
        self._registry = registry
        self._repository = repository
        self._grant = grant

    def answer(self, challenges: Iterable[str], *, refused: str | None) -> str | None:
        """Return an `Authorization` for the registry, or None when there is none, or none besides `refused`.

        Args:
            challenges: The `WWW-Authenticate` headers.
            refused: What the registry has just been shown.

        Raises:
            TargetRefused: The token server is where we do not go.
            RegistryUnavailable: The token server did not answer, or not with a token.
        """
        if refused is not None and refused.startswith("Bearer "):
            return None
        offered = {challenge.scheme: challenge for challenge in reversed(parse_challenges(challenges))}
        if "bearer" in offered and "realm" in offered["bearer"].parameters:
            return self._bearer(offered["bearer"])
        if "basic" in offered and (grant := self._grant()) is not None:
            shown = grant.credential.authorization(refused=refused)
            return None if shown == refused else shown
        return None

    def _bearer(self, challenge: Challenge) -> str | None:
        realm = challenge.parameters["realm"].partition("#")[0]
        service = challenge.parameters.get("service", "")[:_MAX_SERVICE]
        query = {"service": service} if service else {}
        query["scope"] = f"repository:{self._repository}:pull"
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        with self._http.get(url, accept="application/json", authorization=self._for_realm(realm)) as reply:
            if reply.status != HTTPStatus.OK:
                if reply.status >= _MIN_OUTAGE or reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                    raise RegistryUnavailable(
                        "The registry's token server is not able to answer at the moment."
                    )
                return None
            return f"Bearer {_token(reply)}"

    def _for_realm(self, realm: str) -> str | None:
        """Return the credential, if the token server is one that may see it.

        That is the registry itself, the one that the operator names, or one known to be of the same owner.
        Whoever answers as the registry could name any other to have the credential sent there.
        """
        try:
            host = parse_registry(urlsplit(realm).netloc)
        except ValueError:
            raise TargetRefused from None
        grant = self._grant()
        if grant is None or host not in {self._registry, grant.realm, _KNOWN_REALMS.get(self._registry)}:
            return None
        return grant.credential.authorization()


def _token(reply: Reply) -> str:
    try:
        body = json.loads(reply.read(_MAX_TOKEN_BODY))
    except (ValueError, RecursionError, BodyTooLarge) as error:
        raise RegistryUnavailable("The registry's token server gave no token.") from error
    token = (body.get("token") or body.get("access_token")) if isinstance(body, dict) else None
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise RegistryUnavailable("The registry's token server gave no token.")
    return token
