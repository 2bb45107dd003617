"""What a consumer raises about a message that it cannot settle now and that has not failed."""

import math
from datetime import datetime


class NotYet(Exception):
    """The message should come again later; nothing is wrong.

    Attributes:
        until: From when it can be settled, as far as is known.
        seconds: How long that is from now; not negative, rounded up so that the message does not come early.
    """

    def __init__(self, until: datetime, *, now: datetime) -> None:
        super().__init__(f"held until {until.isoformat()}")
        self.until = until
        self.seconds = max(0, math.ceil((until - now).total_seconds()))
