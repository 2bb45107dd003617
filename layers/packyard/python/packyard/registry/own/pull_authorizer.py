"""Authorization to pull from our own registry."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from packyard.registry.credentials import Credential
from packyard.registry.own.refusal import RegistryRefused, advice
from packyard.registry.own.scopes import to_pull

# For all requests of one read together.
_MAX_ANSWERS: Final = 6


class OwnAuthorizer:
    """Answers the challenges of our own registry when one repository is pulled.

    Args:
        credential: Our credential for the registry, the one that pushes use too.
        repository: The path of the repository to pull from.
    """

    def __init__(self, credential: Credential, repository: str) -> None:
        self._credential = credential
        self._left = _MAX_ANSWERS
        self._scopes = to_pull(repository)

    def initial(self) -> str | None:
        """Return the `Authorization` to send before any challenge, or None to send none.

        Raises:
            RegistryRefused, RegistryUnavailable, ServiceUnavailable: As for `Credential`.
        """
        return self._credential.authorization(scopes=self._scopes)

    def answer(self, challenges: Iterable[str], *, refused: str | None) -> str:
        """Return an `Authorization` that differs from the refused one.

        Args:
            challenges: The `WWW-Authenticate` headers of the answer that refused the request.
            refused: The `Authorization` that the registry has just refused; None if none was sent.

        Raises:
            RegistryRefused: There is no other, or this read has had 6 already. The image is in our own registry, so
                this is a fault of the deployment, not of the request.
            RegistryUnavailable, ServiceUnavailable: As for `Credential`.
        """
        other = self._credential.authorization(
            refused=refused, scopes=self._scopes, challenges=tuple(challenges)
        )
        self._left -= 1
        if other is None or other == refused or self._left < 0:
            unauthorized = HTTPStatus.UNAUTHORIZED
            raise RegistryRefused(unauthorized, frozenset(), advice("GET", "", unauthorized))
        return other
