"""What an organisation uses, what it may use, and what is refused when that is used up (API contract, section 9).

The bytes stored for a pack are those of the layers and configs that its images have in the service's own registry. A
layer counts once for as long as each revision keeps it. A registered image counts nothing, because it is not stored
here (decision 112).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from packyard.errors import QuotaExceeded, RateLimited
from packyard.packs.timestamp import format_timestamp

if TYPE_CHECKING:
    from packyard.packs.pack import Pack

# An operator's limit that is this high is none.
UNLIMITED: Final = 10**15


class Quota(StrEnum):
    """What is limited, as answers name it."""

    PACKS = "packs"
    STORED_BYTES = "stored_bytes"
    PUBLISHES_A_DAY = "publishes_a_day"
    BUILDS_AT_ONCE = "builds_at_once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The most that an organisation may use. None is no limit.

    Attributes:
        packs: Packs that are not deleted.
        stored_bytes: Bytes in the service's own registry.
        publishes_a_day: New images of packs on one day, UTC. A registered image counts too.
        builds_at_once: Staged archives that are built at the same time.
    """

    packs: int | None = None
    stored_bytes: int | None = None
    publishes_a_day: int | None = None
    builds_at_once: int | None = None

    def of(self, quota: Quota) -> int | None:
        """Return one limit; None if there is none."""
        limit: int | None = getattr(self, quota.value)
        return limit

    def or_else(self, defaults: "Quotas") -> "Quotas":
        """Return these limits, with a default where there is none, and none where a limit is `UNLIMITED`."""
        chosen = {
            quota.value: self.of(quota) if self.of(quota) is not None else defaults.of(quota)
            for quota in Quota
        }
        return Quotas(
            **{name: None if limit is None or limit >= UNLIMITED else limit for name, limit in chosen.items()}
        )


NO_QUOTAS: Final = Quotas()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an organisation uses, and what it may use.

    Attributes:
        packs, stored_bytes, builds_at_once: As for `Quotas`.
        publishes_a_day: Those of `day`.
        day: The day of `publishes_a_day`, UTC.
        limits: What it may use.
    """

    day: date
    packs: int = 0
    stored_bytes: int = 0
    publishes_a_day: int = 0
    builds_at_once: int = 0
    limits: Quotas = NO_QUOTAS

    def of(self, quota: Quota) -> int:
        """Return how much of a quota is used."""
        used: int = getattr(self, quota.value)
        return used

    @property
    def resets_at(self) -> datetime:
        """When the count of publishes begins anew: the next midnight, UTC."""
        return day_ends(self.day)

    def require_room(self, *, packs: int, stored_bytes: int, now: datetime) -> None:
        """Check that one more publish would stay within the limits.

        Args:
            packs: How many packs it adds: 1 or 0.
            stored_bytes: How many bytes it adds.
            now: The current time.

        Raises:
            QuotaExceeded: There would be too many packs or bytes. It helps to delete some.
            RateLimited: There were enough publishes on this day. It helps to wait.
        """
        self._require(Quota.PACKS, packs, "delete packs that nobody uses with DELETE /packs/{id}")
        self._require(
            Quota.STORED_BYTES,
            stored_bytes,
            "delete packs that nobody uses with DELETE /packs/{id}, or old revisions with DELETE "
            "/packs/{id}/revisions/{n}",
        )
        limit = self.limits.publishes_a_day
        if limit is not None and self.publishes_a_day >= limit:
            raise publishes_used_up(limit=limit, used=self.publishes_a_day, day=self.day, now=now)

    def _require(self, quota: Quota, added: int, advice: str) -> None:
        limit, used = self.limits.of(quota), self.of(quota)
        if limit is None or not added or used + added <= limit:
            return
        things = {Quota.PACKS: "packs", Quota.STORED_BYTES: "bytes stored"}[quota]
        raise QuotaExceeded(
            f"This organisation has {used} {things}, this request would add {added}, and {limit} is the most. To get "
            f"room, {advice}, or ask the operator for more; GET /usage shows what is used.",
            limit=limit,
            used=used,
            quota=quota.value,
        )


def publishes_used_up(*, limit: int, used: int, day: date, now: datetime) -> RateLimited:
    """Return the refusal of a publish on a day that had enough of them.

    Args:
        limit: The most on a day.
        used: How many there were.
        day: The day, UTC.
        now: The current time.
    """
    resets_at = day_ends(day)
    return RateLimited(
        f"This organisation has published {used} times today, and {limit} is the most on a day (UTC). Repeat the "
        f"request after {format_timestamp(resets_at)}, or ask the operator for more.",
        seconds=(resets_at - now).total_seconds(),
        limit=limit,
        used=used,
        quota=Quota.PUBLISHES_A_DAY.value,
        resets_at=format_timestamp(resets_at),
    )


def day_ends(day: date) -> datetime:
    """Return the end of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def first_stored_bytes(pack: "Pack") -> int:
    """Return the bytes that are stored for a new pack: its image's config and layers.

    Args:
        pack: The pack at its first revision.
    """
    return pack.size_bytes if pack.is_stored_here else 0


def stored_bytes_after(before: "Pack", after: "Pack") -> int | None:
    """Return the bytes that are stored for a pack with a new image: those before, and what only the new image has.

    Args:
        before: The pack as it was.
        after: The pack with its next image.

    Returns:
        The bytes; None if it is not known what was stored before (decision 112).
    """
    if before.stored_bytes is None or not after.is_stored_here or after.image_digest == before.image_digest:
        return before.stored_bytes
    kept = {layer.digest for layer in before.layers}
    layers = {layer.digest: layer.size for layer in after.layers}
    shared = sum(size for digest, size in layers.items() if digest in kept)
    return before.stored_bytes + max(0, after.size_bytes - shared)
