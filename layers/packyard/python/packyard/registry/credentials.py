"""What a registry is shown: nothing, a user and a password, or ECR's token; `registry.own.login` has our login."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from packyard.aws.outages import outages_translated

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

# Longer than any push takes, so that a token does not end in the middle of one.
_MARGIN = timedelta(minutes=20)


class Credential(Protocol):
    """Makes the `Authorization` header."""

    def authorization(
        self,
        *,
        refused: str | None = None,
        scopes: Sequence[str] = (),
        challenges: Sequence[str] | None = None,
    ) -> str | None:
        """Return the header's value, or None to send none.

        Args:
            refused: The value that the registry has just refused. Where another can be had, it is returned.
            scopes: What the request needs to be allowed, as `registry.own.scopes` has it.
            challenges: The `WWW-Authenticate` headers of the answer that has just refused it; None when nothing was.

        Raises:
            RegistryRefused: What the operator has set up for our own registry cannot be used.
            RegistryUnavailable: The registry's token server did not answer, or not with a token.
            ServiceUnavailable: AWS, which keeps or makes the credential, did not answer.
        """
        ...


class Anonymous:
    """No credential."""

    def authorization(
        self,
        *,
        refused: str | None = None,
        scopes: Sequence[str] = (),
        challenges: Sequence[str] | None = None,
    ) -> str | None:
        """Return None."""


class Basic:
    """A user and a password (RFC 7617)."""

    def __init__(self, *, user: str, password: str) -> None:
        self._value = "Basic " + b64encode(f"{user}:{password}".encode()).decode()

    def authorization(
        self,
        *,
        refused: str | None = None,  # noqa: ARG002 - there is no other
        scopes: Sequence[str] = (),  # noqa: ARG002 - it is good for all of them
        challenges: Sequence[str] | None = None,  # noqa: ARG002 - it is all there is
    ) -> str:
        """Return the same value always."""
        return self._value


class EcrToken:
    """ECR's token, which lives for 12 hours and is valid for every repository that the function may use.

    It is `AWS:<password>` in base64, just what Basic asks for (AWS API Reference, GetAuthorizationToken).

    Args:
        ecr: The client of the account that holds the registry.
        clock: The time, UTC.
    """

    def __init__(self, *, ecr: "ECRClient", clock: Callable[[], datetime]) -> None:
        self._ecr = ecr
        self._clock = clock
        self._lock = Lock()
        self._value: str | None = None
        self._fresh_until: datetime | None = None

    def authorization(
        self,
        *,
        refused: str | None = None,
        scopes: Sequence[str] = (),  # noqa: ARG002 - it is good for all of them
        challenges: Sequence[str] | None = None,  # noqa: ARG002 - ECR takes Basic
    ) -> str:
        """Return a token that is good for a push; asks AWS only when the one at hand is old or was refused.

        Raises:
            ServiceUnavailable: ECR did not answer.
        """
        with self._lock:
            usable = self._fresh_until is not None and self._clock() < self._fresh_until
            if self._value is None or self._value == refused or not usable:
                with outages_translated():
                    granted = self._ecr.get_authorization_token()["authorizationData"][0]
                self._value = f"Basic {granted['authorizationToken']}"
                self._fresh_until = granted["expiresAt"] - _MARGIN
            return self._value
