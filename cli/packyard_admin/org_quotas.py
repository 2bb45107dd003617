"""What organisations use and may use."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from packyard.packs.usage import Quota, Quotas, Usage
from packyard.store.events import EventLog
from packyard.store.pack_counts import Count, KeepsChanging, PackCounts
from packyard.store.usage_store import LimitsChanged, UsageStore
from packyard_admin.tenants import Tenants
from packyard_cli.failure import Exit, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgQuotas:
    """What the operator does about what organisations use.

    Attributes:
        tenants: Finds organisations.
        store: What they use and may use.
        counts: Counts packs anew.
        events: Makes the events.
        clock: The present instant, UTC.
    """

    tenants: Tenants
    store: UsageStore
    counts: PackCounts
    events: EventLog
    clock: Callable[[], datetime]

    def read(self, named: str) -> tuple[Usage, Quotas]:
        """Return what an organisation uses and may use, and of that the limits which the operator has set for it.

        Args:
            named: Its id or slug.

        Raises:
            Failure: There is no such organisation.
        """
        org_id = self.tenants.find_org(named).org_id
        return self.store.read_with_own(org_id, now=self.clock())

    def set_limits(self, named: str, limits: Mapping[Quota, int | None], *, by: str) -> None:
        """Set limits of an organisation. What has the limit already is not written, and is no event.

        Args:
            named: Its id or slug.
            limits: The new limits; None for the deployment's default.
            by: The operator, for the event.

        Raises:
            Failure: There is no such organisation, or somebody changes its limits at the same time.
        """
        org_id = self.tenants.find_org(named).org_id
        before = self.store.own_limits(org_id)
        changed = {quota: limit for quota, limit in limits.items() if before.of(quota) != limit}
        if not changed:
            return
        try:
            self.store.set_limits(org_id, changed, before=before, by=by, events=self.events)
        except LimitsChanged:
            raise Failure(
                Exit.CONFLICT,
                f"Somebody changed the limits of {named} at the same time.",
                "Repeat the command.",
            ) from None

    def recount(self, named: str) -> Iterator[tuple[str, Count]]:
        """Count each pack of an organisation anew, and yield its id and its counts as they are corrected.

        Args:
            named: Its id or slug.

        Raises:
            Failure: There is no such organisation, or a pack changes all the time.
        """
        for pack_id in self.counts.pack_ids(self.tenants.find_org(named).org_id):
            try:
                count = self.counts.recount(pack_id)
            except KeepsChanging:
                raise Failure(
                    Exit.CONFLICT, f"{pack_id} changes all the time.", "Repeat the command later."
                ) from None
            if count is not None:
                yield pack_id, count
