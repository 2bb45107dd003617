"""The user and the password that the operator gives us for our own registry, from Secrets Manager."""

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

_FRESH: Final = timedelta(minutes=5)
# Who is refused reads it again at once, and not again for each further refusal.
_LEFT_ALONE: Final = timedelta(seconds=10)
_KEYS: Final = frozenset({"username", "password", "realm"})

_NOT_READ = "RegistryLoginArn: the secret cannot be read"
_NOT_AS_IT_MUST_BE = (
    'RegistryLoginArn: the secret must be {"username": "…", "password": "…"}, and "realm": "<host>" where the token'
    " server is on another host than the registry"
)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password.

    Attributes:
        basic: Both, as the value of `Authorization` (RFC 7617).
        realm: The host of the token server, as in `Reference.registry`, where it is not the registry's own.
    """

    basic: str
    realm: str | None


class LoginSecret:
    """Reads the secret when it is first needed, and again after five minutes.

    Args:
        load: Returns its text.
        clock: The time, UTC.
    """

    def __init__(self, *, load: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self._login = CachedValue(load=lambda: _loaded(load), clock=clock)

    def read(self) -> Login:
        """Return the login.

        Raises:
            RegistryRefused: The secret is not as it must be, or may not be read. Nothing of it is quoted.
            ServiceUnavailable: Secrets Manager does not answer.
        """
        return self._login.get(max_age=_FRESH)

    def read_again(self) -> Login:
        """Return the login as it is now, because the one at hand was refused.

        Raises:
            RegistryRefused, ServiceUnavailable: As for `read`.
        """
        return self._login.get(max_age=_LEFT_ALONE)


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
        # The cause would quote the secret.
        raise RegistryRefused(0, frozenset(), _NOT_AS_IT_MUST_BE) from None
    texts = all(isinstance(value, str) and value for value in (user, password))
    # A colon would end the user's name (RFC 7617, section 2).
    if not texts or ":" in user or frozenset(body) - _KEYS:
        raise RegistryRefused(0, frozenset(), _NOT_AS_IT_MUST_BE)
    try:
        basic = Basic(user=user, password=password).authorization()
    except UnicodeEncodeError:
        # Half of a surrogate pair. The cause would quote the secret.
        raise RegistryRefused(0, frozenset(), _NOT_AS_IT_MUST_BE) from None
    return Login(basic, realm)
