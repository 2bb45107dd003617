"""What organisations use, as the contract has it (section 9)."""

from datetime import UTC, datetime, timedelta
from typing import Final
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected
from tests.reliability.model.packs import Pack, timestamp
from tests.reliability.model.state import State

# Without another one by the operator.
_BUILDS: Final = 8


class Counts(State):
    """The operations on usage."""

    def get_usage(self) -> Expected:
        """Every pack that is not gone counts, and every new image of today, of packs that are gone too."""
        own = [pack for pack in self.packs if pack.org == self.caller.org]
        today = datetime(self.now.year, self.now.month, self.now.day, tzinfo=UTC)
        body = {
            "packs": {"used": sum(pack.gone_at is None for pack in own)},
            # The invariants say what it may be.
            "stored_bytes": {"used": ANY},
            "publishes_a_day": {
                "used": sum(self._publishes(pack, today) for pack in own),
                "resets_at": timestamp(today + timedelta(days=1)),
            },
            # A builder that has died holds its place for a while.
            "builds_at_once": {"used": ANY, "limit": _BUILDS},
        }
        return Expected(200, body)

    @staticmethod
    def _publishes(pack: Pack, today: datetime) -> int:
        images = [None, *(entry.content for entry in pack.history)]
        return sum(
            entry.at >= today and entry.content is not before
            for before, entry in zip(images, pack.history, strict=False)
        )
