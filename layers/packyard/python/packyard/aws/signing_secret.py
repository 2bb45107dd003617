"""A secret that signs what clients bring back. It can be rotated while clients hold what was signed before."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from packyard.aws.cached_value import CachedValue
from packyard.aws.outages import error_code
from packyard.errors import ServiceUnavailable

# Staging labels of Secrets Manager: the current version, and the one before the last rotation.
CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"

_MAX_AGE: Final = timedelta(minutes=5)
# If no known key has signed a text, the secret is read again. This bounds how often forged texts can cause that.
_MAX_AGE_FOR_UNKNOWN: Final = timedelta(seconds=1)

logger = Logger(child=True)


class SigningSecret:
    """The keys of one secret. It is read when a key is needed for the first time.

    Args:
        name: The secret's resource in the template, for the log.
        load: Returns the secret's text, given the staging label of a version; None if no version has that label.
        clock: Returns the current time, in UTC.
    """

    def __init__(
        self, *, name: str, load: Callable[[str], str | None], clock: Callable[[], datetime]
    ) -> None:
        self._name = name
        self._load = load
        self._current = CachedValue(load=lambda: self._loaded(CURRENT), clock=clock)
        self._previous = CachedValue(load=lambda: self._loaded(PREVIOUS), clock=clock)

    def signing_key(self) -> str:
        """Return the key to sign with.

        Raises:
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return self._signing_key(_MAX_AGE)

    def keys(self) -> Iterator[str]:
        """Yield the keys that may have signed a text, read lazily; also that of before the last rotation.

        Raises:
            ServiceUnavailable: As for `signing_key`.
        """
        # The second round covers a rotation in the last minutes: another container may have signed with a version that
        # this one has not read yet.
        for max_age in (_MAX_AGE, _MAX_AGE_FOR_UNKNOWN):
            yield self._signing_key(max_age)
            if previous := self._previous.get(max_age=max_age):
                yield previous

    def _signing_key(self, max_age: timedelta) -> str:
        key = self._current.get(max_age=max_age)
        if not key:
            logger.error(
                "%s: the secret has no text; set it to a random text of 32 characters or more", self._name
            )
            raise ServiceUnavailable
        return key

    def _loaded(self, label: str) -> str | None:
        try:
            return self._load(label)
        except ClientError as error:
            logger.exception(
                "%s: the secret cannot be read. Check that it still exists, and that the function's role may read it "
                "and may use the KMS key that encrypts it.",
                self._name,
                extra={"reason": error_code(error), "version": label},
            )
            raise ServiceUnavailable from error
