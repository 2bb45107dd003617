"""What the operator sees of the deployment: what is stuck, what was given up, and what an organisation uses.

Nothing here changes anything. A process that dies leaves everything as it was, and two that look at once see the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from packyard.errors import OrganisationNotFound
from packyard.messaging.dead_letters import DeadLetters, Glance
from packyard.packs.usage import Quotas, Usage
from packyard.store.cursor import Position
from packyard.store.deletions import DeletionPage, DeletionStore
from packyard.store.tenants import TenantStore
from packyard.store.usage_store import UsageStore
from packyard.tenants.org import Org


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """A page of the packs that are being deleted.

    Attributes:
        page: The page.
        slugs: The slugs of their organisations, by id.
    """

    page: DeletionPage
    slugs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgUsage:
    """What an organisation uses and may use.

    Attributes:
        org: The organisation.
        usage: What it uses, and all limits on that.
        own: Of these limits, those that the operator has set for it.
    """

    org: Org
    usage: Usage
    own: Quotas


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorView:
    """Reads how the deployment is.

    Attributes:
        deletions: The packs that are being deleted.
        tenants: Organisations.
        usage: What they use and may use.
        dead_letters: Returns the dead-letter queues, by the names that the operator's command has for them.
        clock: The present instant, UTC.
    """

    deletions: DeletionStore
    tenants: TenantStore
    usage: UsageStore
    dead_letters: Callable[[], Mapping[str, DeadLetters]]
    clock: Callable[[], datetime]

    def pending_deletions(self, *, limit: int, position: Position | None) -> Deletions:
        """Return a page of the packs that are being deleted, the longest waiting first. Two reads.

        Args:
            limit: The most, 1 to 100.
            position: The previous page's; None for the first page.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        page = self.deletions.page(limit=limit, position=position)
        org_ids = {deletion.pack.org_id for deletion in page.deletions}
        return Deletions(page=page, slugs=self.tenants.slugs(sorted(org_ids)) if org_ids else {})

    def letters(self) -> dict[str, Glance]:
        """Return what there is in each dead-letter queue. One or two calls for each.

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        return {name: queue.glance() for name, queue in self.dead_letters().items()}

    def organisation(self, named: str) -> OrgUsage:
        """Return what an organisation uses and may use. Two or three reads.

        Args:
            named: Its id or slug, as the client wrote it.

        Raises:
            OrganisationNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer.
        """
        org = self.tenants.named(named)
        if org is None:
            raise OrganisationNotFound
        usage, own = self.usage.read_with_own(org.org_id, now=self.clock())
        return OrgUsage(org=org, usage=usage, own=own)
