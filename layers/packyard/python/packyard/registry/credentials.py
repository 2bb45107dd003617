"""Credentials for registries: none, a user with a password, or ECR's token.

`registry.own.login` has the credential that obtains tokens from a token server.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from packyard.aws.outages import outages_translated

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

# Longer than any push takes, so that a token does not expire during one.
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
            refused: The value that the registry has just refused, if any. The result differs from it where possible.
            scopes: The token scopes that the request needs, from `registry.own.scopes`.
            challenges: The `WWW-Authenticate` headers of the answer that refused the request; None before a refusal.

        Raises:
            RegistryRefused: The login that the operator configured for our own registry cannot be used.
            RegistryUnavailable: The registry's token server did not answer, or its answer holds no token.
            ServiceUnavailable: The AWS service that stores or issues the credential did not answer.
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
        scopes: Sequence[str] = (),  # noqa: ARG002 - it is valid for all of them
        challenges: Sequence[str] | None = None,  # noqa: ARG002 - there is no other
    ) -> str:
        """Return the header's value, always the same."""
        return self._value


class EcrToken:
    """ECR's token, which is valid for 12 hours and for every repository that the function may access.

    It is `AWS:<password>` in base64, the form that Basic authentication needs (AWS API Reference,
    GetAuthorizationToken).

    Args:
        ecr: A client for the account that holds the registry.
        clock: Returns the current time in UTC.
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
        scopes: Sequence[str] = (),  # noqa: ARG002 - it is valid for all of them
        challenges: Sequence[str] | None = None,  # noqa: ARG002 - ECR accepts Basic
    ) -> str:
        """Return a token that stays valid for at least 20 minutes.

        A new token is requested only when the cached one expires sooner or was refused.

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
