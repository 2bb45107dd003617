"""Finding the feed of an address. Whoever asks has no other credential."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from packyard.errors import FeedNotFound
from packyard.packs.feed import Feed, hash_secret
from packyard.store.feeds import FeedStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReader:
    """Finds feeds by their secrets.

    Attributes:
        feeds: Where feeds are.
        clock: The present instant, UTC.
    """

    feeds: FeedStore
    clock: Callable[[], datetime]

    def find(self, secret: str) -> Feed:
        """Return the feed of a secret. One read, whatever the text is.

        A secret that never was one, one of a feed that was removed, and one of a feed that has expired are refused
        alike, after the same read: a hash is looked up, so that the time tells nothing of secrets that there are.

        Args:
            secret: As the address has it.

        Raises:
            FeedNotFound: There is no such feed that is live.
            ServiceUnavailable: DynamoDB did not answer.
        """
        feed = self.feeds.find(hash_secret(secret))
        if feed is None or not feed.is_live(self.clock()):
            raise FeedNotFound
        return feed
