"""The cursors of one deployment, signed with a secret. It can be rotated while clients read lists."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from packyard.aws.cached_value import CachedValue
from packyard.aws.outages import error_code
from packyard.errors import ServiceUnavailable
from packyard.store.cursor import Binding, Position, decode_cursor, encode_cursor

# Staging labels of Secrets Manager: the current version, and the one before the last rotation.
CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"

_MAX_AGE: Final = timedelta(minutes=5)
# If no known key has signed a cursor, the secret is read again. This bounds how often forged cursors can cause that.
_MAX_AGE_FOR_UNKNOWN: Final = timedelta(seconds=1)

logger = Logger(child=True)


class Cursors:
    """Encodes and decodes cursors. The secret is read when the first cursor is encoded or decoded.

    Args:
        load: Returns the secret's text, given the staging label of a version; None if no version has that label.
        clock: Returns the current time, in UTC.
    """

    def __init__(self, *, load: Callable[[str], str | None], clock: Callable[[], datetime]) -> None:
        self._current = CachedValue(load=lambda: _loaded(load, CURRENT), clock=clock)
        self._previous = CachedValue(load=lambda: _loaded(load, PREVIOUS), clock=clock)

    def encode(self, position: Position, binding: Binding) -> str:
        """Return a position as a cursor; see `encode_cursor`.

        Raises:
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return encode_cursor(position, key=self._signing_key(_MAX_AGE), binding=binding)

    def decode(self, text: str, binding: Binding) -> Position:
        """Return the position that a cursor of this deployment stands for; see `decode_cursor`.

        Cursors signed with the version before the last rotation are accepted too.

        Raises:
            InvalidRequest: On `cursor`, as for `decode_cursor`.
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return decode_cursor(text, keys=self._keys(), binding=binding)

    def _signing_key(self, max_age: timedelta) -> str:
        key = self._current.get(max_age=max_age)
        if not key:
            logger.error(
                "CursorKey: the secret has no text; set it to a random text of 32 characters or more"
            )
            raise ServiceUnavailable
        return key

    def _keys(self) -> Iterator[str]:
        # The second round covers a rotation in the last minutes: another container may have signed with a version that
        # this one has not read yet.
        for max_age in (_MAX_AGE, _MAX_AGE_FOR_UNKNOWN):
            yield self._signing_key(max_age)
            if previous := self._previous.get(max_age=max_age):
                yield previous


def _loaded(load: Callable[[str], str | None], label: str) -> str | None:
    try:
        return load(label)
    except ClientError as error:
        logger.exception(
            "CursorKey: the secret cannot be read. Check that it still exists, and that the function's role may read "
            "it and may use the KMS key that encrypts it.",
            extra={"reason": error_code(error), "version": label},
        )
        raise ServiceUnavailable from error
