"""What a request below a feed's address is served: as whom, and which packs. Only from where it came is noted."""

from dataclasses import dataclass, field
from typing import Final

from packyard.doors.served_pack import Catalogue
from packyard.errors import FeedNotFound, RoleNotFound
from packyard.operations.feed_reader import FeedReader
from packyard.operations.feed_watch import FeedWatch
from packyard.operations.served_packs import Selection, ServedPacks
from packyard.packs.feed import Feed
from packyard.store.tenants import TenantStore
from packyard.tenants.caller import Caller

# An organisation's slug never changes.
_KEPT_SLUGS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDoor:
    """Lets requests in by the secrets of feeds.

    Attributes:
        reader: Finds feeds.
        watch: Notes from where they are used.
        tenants: Where organisations are.
        served: Finds what is served.
        slugs: The slugs of organisations that were read before.
    """

    reader: FeedReader
    watch: FeedWatch
    tenants: TenantStore
    served: ServedPacks
    slugs: dict[str, str] = field(default_factory=dict)

    def selection(self, secret: str, *, address: str) -> Selection:
        """Return what a feed serves. One read for the feed, one for its role or its packs; the first time one more.

        Args:
            secret: As the address has it.
            address: Of the client, as the gateway states it.

        Raises:
            FeedNotFound: There is no such feed, or its role is gone.
            ServiceUnavailable: DynamoDB did not answer.
        """
        feed = self.reader.find(secret)
        self.watch.note(feed, address)
        return self._selection(feed)

    def catalogue(self, feed: Feed) -> Catalogue | None:
        """Return what a feed serves now, for its owner; None if its role is gone.

        Raises:
            ServiceUnavailable: A backing service did not answer.
        """
        try:
            return self.served.catalogue(self._selection(feed))
        except FeedNotFound:
            return None

    def _selection(self, feed: Feed) -> Selection:
        caller = self._caller(feed)
        if feed.role_id is None:
            return self.served.of_list(feed.pack_ids, name=feed.id, caller=caller)
        try:
            return self.served.of_role(feed.role_id, caller=caller)
        except RoleNotFound:
            raise FeedNotFound from None

    def _caller(self, feed: Feed) -> Caller:
        """Return whom a feed reads for: its organisation, without any scope."""
        slug = self.slugs.get(feed.org_id)
        if slug is None:
            if len(self.slugs) >= _KEPT_SLUGS:
                self.slugs.clear()
            slug = self.tenants.slugs([feed.org_id]).get(feed.org_id, feed.org_id)
            self.slugs[feed.org_id] = slug
        return Caller(
            org_id=feed.org_id,
            org_slug=slug,
            principal=feed.id,
            scopes=frozenset(),
            may_create=False,
        )
