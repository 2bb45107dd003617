"""The cursors of one deployment, signed with a secret that can be rotated while clients read lists."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from packyard.aws.cached_value import CachedValue
from packyard.aws.outages import error_code
from packyard.errors import ServiceUnavailable
from packyard.store.cursor import Binding, Position, decode_cursor, encode_cursor

# The labels of Secrets Manager: the present version, and the one before the last rotation.
CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"

_FRESH: Final = timedelta(minutes=5)
# A cursor that no known key has signed makes us read the secret again, but not for each forged cursor.
_LEFT_ALONE: Final = timedelta(seconds=1)

logger = Logger(child=True)


class Cursors:
    """Makes cursors and reads them; reads the secret when the first cursor is made or read.

    Args:
        load: Returns the secret's text, given the label of a version; None where no version has that label.
        clock: The time, UTC.
    """

    def __init__(self, *, load: Callable[[str], str | None], clock: Callable[[], datetime]) -> None:
        self._current = CachedValue(load=lambda: _loaded(load, CURRENT), clock=clock)
        self._previous = CachedValue(load=lambda: _loaded(load, PREVIOUS), clock=clock)

    def encode(self, position: Position, binding: Binding) -> str:
        """Return a position as a cursor; see `encode_cursor`.

        Raises:
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return encode_cursor(position, key=self._signing_key(_FRESH), binding=binding)

    def decode(self, text: str, binding: Binding) -> Position:
        """Return the position that a cursor of this deployment stands for; see `decode_cursor`.

        Cursors signed with the version before the last rotation are taken too.

        Raises:
            InvalidRequest: It is no such cursor.
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return decode_cursor(text, keys=self._keys(), binding=binding)

    def _signing_key(self, max_age: timedelta) -> str:
        key = self._current.get(max_age=max_age)
        if not key:
            logger.error(
                "CursorKey: the secret has no text; put a random text of 32 characters or more into it"
            )
            raise ServiceUnavailable
        return key

    def _keys(self) -> Iterator[str]:
        # The second round is for a rotation of the last minutes: another container has signed with what is new to us.
        for max_age in (_FRESH, _LEFT_ALONE):
            yield self._signing_key(max_age)
            if previous := self._previous.get(max_age=max_age):
                yield previous


def _loaded(load: Callable[[str], str | None], label: str) -> str | None:
    try:
        return load(label)
    except ClientError as error:
        logger.exception(
            "CursorKey: the secret cannot be read. See whether it still exists, and whether the function's role may "
            "read it and use the KMS key that it is under.",
            extra={"reason": error_code(error), "version": label},
        )
        raise ServiceUnavailable from error
