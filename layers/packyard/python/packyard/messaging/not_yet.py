"""The exception for a message that has not failed but cannot be settled yet."""

import math
from datetime import datetime


class NotYet(Exception):
    """The message should be delivered again later; nothing has failed.

    Args:
        until: When it can probably be settled.
        now: The current time.

    Attributes:
        until: As given.
        seconds: The seconds from `now` to `until`, rounded up; 0 if `until` has passed.
    """

    def __init__(self, until: datetime, *, now: datetime) -> None:
        super().__init__(f"held until {until.isoformat()}")
        self.until = until
        self.seconds = max(0, math.ceil((until - now).total_seconds()))
