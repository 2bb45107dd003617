"""What organisations use, as the contract has it (section 9)."""

from datetime import UTC, datetime, timedelta
from typing import Final
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected, require
from tests.reliability.model.packs import Pack, timestamp
from tests.reliability.model.state import State

# Without another one by the operator.
_BUILDS: Final = 8


class Counts(State):
    """The operations on usage."""

    def get_usage(self) -> Expected:
        """Every pack that is not gone counts, and every new image of today, of packs that are gone too."""
        body = {
            "packs": {"used": self._packs()} | self._limit("packs"),
            # The invariants say what it may be.
            "stored_bytes": {"used": ANY},
            "publishes_a_day": {
                "used": self._published_today(),
                "resets_at": timestamp(self._midnight()),
            }
            | self._limit("publishes_a_day"),
            # A builder that has died holds its place for a while.
            "builds_at_once": {"used": ANY, "limit": _BUILDS},
        }
        return Expected(200, body)

    def require_room(self, *, new: bool) -> None:
        """Refuse a publish that is over a limit: of packs for good, of publishes until the next day."""
        limits = self.limits.get(self.caller.org, {})
        most, used = limits.get("packs"), self._packs()
        full = new and most is not None and used >= most
        require(not full, 409, "quota_exceeded", quota="packs", limit=most, used=used)
        most, used = limits.get("publishes_a_day"), self._published_today()
        over = {"quota": "publishes_a_day", "limit": most, "used": used}
        over["resets_at"] = timestamp(self._midnight())
        require(most is None or used < most, 429, "rate_limited", **over)

    def _limit(self, quota: str) -> dict[str, int]:
        most = self.limits.get(self.caller.org, {}).get(quota)
        return {} if most is None else {"limit": most}

    def _packs(self) -> int:
        return sum(pack.gone_at is None for pack in self.packs if pack.org == self.caller.org)

    def _published_today(self) -> int:
        today = self._midnight() - timedelta(days=1)
        return sum(self._publishes(pack, today) for pack in self.packs if pack.org == self.caller.org)

    def _midnight(self) -> datetime:
        return datetime(self.now.year, self.now.month, self.now.day, tzinfo=UTC) + timedelta(days=1)

    @staticmethod
    def _publishes(pack: Pack, today: datetime) -> int:
        images = [None, *(entry.content for entry in pack.history)]
        return sum(
            entry.at >= today and entry.content is not before
            for before, entry in zip(images, pack.history, strict=False)
        )
