"""Our user and password for our own registry, which the operator stores in Secrets Manager."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from packyard.aws.cached_value import CachedValue
from packyard.aws.outages import error_code
from packyard.oci.reference import parse_registry
from packyard.registry.credentials import Basic
from packyard.registry.own.refusal import RegistryRefused

_MAX_AGE: Final = timedelta(minutes=5)
# After a refusal the secret is read again at once. Further refusals within this time reuse what was read.
_MAX_AGE_AFTER_REFUSAL: Final = timedelta(seconds=10)
_KEYS: Final = frozenset({"username", "password", "realm"})

_NOT_READ = "RegistryLoginArn: the secret cannot be read"
_WRONG_FORM = (
    'RegistryLoginArn: the secret must be {"username": "…", "password": "…"}, and "realm": "<host>" where the token'
    " server is on another host than the registry"
)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password.

    Attributes:
        basic: Both as the value of `Authorization` (RFC 7617).
        realm: The token server's host, as in `Reference.registry`, if the operator configured one.
    """

    basic: str
    realm: str | None


class LoginSecret:
    """Reads the secret on first use, and again after five minutes.

    Args:
        load: Returns the secret's text: JSON with `username`, `password` and, optionally, `realm`.
        clock: Returns the current time in UTC.
    """

    def __init__(self, *, load: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self._login = CachedValue(load=lambda: _loaded(load), clock=clock)

    def read(self) -> Login:
        """Return the login.

        Raises:
            RegistryRefused: The secret has the wrong form, or we may not read it. The message quotes nothing of it.
            ServiceUnavailable: Secrets Manager did not answer.
        """
        return self._login.get(max_age=_MAX_AGE)

    def read_again(self) -> Login:
        """Return the login after a refusal: the secret is read again unless that was done less than 10 seconds ago.

        Raises:
            RegistryRefused, ServiceUnavailable: As for `read`.
        """
        return self._login.get(max_age=_MAX_AGE_AFTER_REFUSAL)


def _loaded(load: Callable[[], str]) -> Login:
    try:
        text = load()
    except ClientError as error:
        raise RegistryRefused(0, frozenset(), f"{_NOT_READ}: {error_code(error)}") from error
    return _parsed(text)


def _parsed(text: str) -> Login:
    try:
        body: Any = json.loads(text)
        realm = None if body.get("realm") is None else parse_registry(body["realm"])
        user, password = body["username"], body["password"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Without the cause, which quotes the secret.
        raise RegistryRefused(0, frozenset(), _WRONG_FORM) from None
    texts = all(isinstance(value, str) and value for value in (user, password))
    # A colon would end the user's name (RFC 7617, section 2).
    if not texts or ":" in user or frozenset(body) - _KEYS:
        raise RegistryRefused(0, frozenset(), _WRONG_FORM)
    try:
        basic = Basic(user=user, password=password).authorization()
    except UnicodeEncodeError:
        # A lone surrogate. Without the cause, which quotes the secret.
        raise RegistryRefused(0, frozenset(), _WRONG_FORM) from None
    return Login(basic, realm)
