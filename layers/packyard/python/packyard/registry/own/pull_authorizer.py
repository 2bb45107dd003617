"""Being let in by our own registry, for pulling."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from packyard.registry.credentials import Credential
from packyard.registry.own.refusal import RegistryRefused, advice
from packyard.registry.own.scopes import to_pull

# In one read, of all its requests.
_MAX_ANSWERS: Final = 6


class OwnAuthorizer:
    """Answers the challenges of our own registry, for pulling from one repository.

    Args:
        credential: What it is shown by whoever pushes, too.
        repository: What is to be pulled.
    """

    def __init__(self, credential: Credential, repository: str) -> None:
        self._credential = credential
        self._left = _MAX_ANSWERS
        self._scopes = to_pull(repository)

    def unasked(self) -> str | None:
        """Return what to show before it asks for anything, or None for nothing.

        Raises:
            RegistryRefused, RegistryUnavailable, ServiceUnavailable: As for `Credential`.
        """
        return self._credential.authorization(scopes=self._scopes)

    def answer(self, challenges: Iterable[str], *, refused: str | None) -> str:
        """Return another `Authorization` than the one that was refused.

        Args:
            challenges: The `WWW-Authenticate` headers.
            refused: What the registry has just been shown.

        Raises:
            RegistryRefused: There is none, or there have been enough. The operator has to mend that: the image is ours.
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
