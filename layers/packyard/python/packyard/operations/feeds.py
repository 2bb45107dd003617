"""Feeds: making, reading and removing them.

    read the role or the packs → write the feed, the count and the event
    read the feed → delete it, and write the count and the event

A crash before the write leaves nothing. A crash after it leaves a feed whose secret nobody knows; it is listed, and can
be removed. A removed feed is refused from the next request on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from packyard.errors import FeedNotFound, PackNotFound, PermissionDenied, QuotaExceeded
from packyard.operations.read import is_visible
from packyard.operations.role_packs import RoleReader
from packyard.packs.feed import MAX_FEEDS, SECRET_BYTES, Feed, hash_secret, is_feed_id, new_secret
from packyard.packs.pack import PackStatus
from packyard.packs.timestamp import format_timestamp
from packyard.store.feeds import FeedGone, FeedStore, TooManyFeeds
from packyard.tenants.caller import Caller

_OF_A_KEY: Final = "key:"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """The feed that a client asks for.

    Attributes:
        role_id: The role; None for a list of packs.
        pack_ids: The packs by their ids, each once; empty for a role.
        label: A name for people; None for none.
        lifetime: For how long; None for ever, or until the API key ends that makes it.
    """

    role_id: str | None = None
    pack_ids: tuple[str, ...] = ()
    label: str | None = None
    lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFeed:
    """A new feed.

    Attributes:
        feed: The feed as it is stored.
        secret: What its address holds. It is stored nowhere.
    """

    feed: Feed
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """Makes, reads and removes feeds.

    Attributes:
        store: Where feeds are.
        roles: Reads roles and packs.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        random_bytes: Returns that many bytes from the operating system's random source.
    """

    store: FeedStore
    roles: RoleReader
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]
    random_bytes: Callable[[int], bytes]

    def create(self, asked: FeedRequest, *, caller: Caller) -> MadeFeed:
        """Make a feed of the caller's organisation. One read and one write.

        Raises:
            PermissionDenied: It would live longer than the API key that makes it.
            RoleNotFound: The caller's organisation has no such role.
            PackNotFound: Packs that are not there or that the caller cannot see.
            QuotaExceeded: The organisation has 100 feeds.
            ServiceUnavailable: DynamoDB did not answer. There may be a feed, whose secret nobody knows.
        """
        now = self.clock()
        ends_at = _end(asked, caller, now)
        if asked.role_id is not None:
            self.roles.role(asked.role_id, caller=caller)
        else:
            self._require_visible(asked.pack_ids, caller)
        secret = new_secret(self.random_bytes(SECRET_BYTES))
        feed = Feed(
            id=f"feed_{self.new_ulid()}",
            secret_hash=hash_secret(secret),
            org_id=caller.org_id,
            role_id=asked.role_id,
            pack_ids=asked.pack_ids,
            label=asked.label,
            created_at=now,
            created_by=caller.principal,
            expires_at=ends_at,
        )
        try:
            self.store.add(feed)
        except TooManyFeeds:
            raise QuotaExceeded(
                f"This organisation has {MAX_FEEDS} feeds, and more are not possible; remove one that nobody uses, or "
                "that has expired, with DELETE /feeds/{id}. GET /feeds lists them.",
                limit=MAX_FEEDS,
            ) from None
        return MadeFeed(feed=feed, secret=secret)

    def get(self, feed_id: str, *, caller: Caller) -> Feed:
        """Return a feed of the caller's organisation, also if it has expired. One read.

        Raises:
            FeedNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer.
        """
        feed = self.store.get(caller.org_id, feed_id) if is_feed_id(feed_id) else None
        if feed is None:
            raise FeedNotFound
        return feed

    def remove(self, feed_id: str, *, caller: Caller) -> None:
        """Remove a feed of the caller's organisation. One read and one write.

        Raises:
            FeedNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer. The feed may be gone.
        """
        feed = self.get(feed_id, caller=caller)
        try:
            self.store.remove(feed, by=caller.principal)
        except FeedGone:
            raise FeedNotFound from None

    def _require_visible(self, pack_ids: tuple[str, ...], caller: Caller) -> None:
        packs = self.roles.packs.read(pack_ids).now
        visible = {
            pack_id
            for pack_id, pack in packs.items()
            if pack.status is not PackStatus.DELETED and is_visible(pack, caller)
        }
        if missing := [pack_id for pack_id in pack_ids if pack_id not in visible]:
            raise PackNotFound(missing)


def _end(asked: FeedRequest, caller: Caller, now: datetime) -> datetime | None:
    """Return when a feed expires: never later than the API key that makes it. A person's session ends no rights."""
    end = None if asked.lifetime is None else now + asked.lifetime
    limit = caller.ends_at if caller.principal.startswith(_OF_A_KEY) else None
    if limit is None or (end is not None and end <= limit):
        return end
    if end is not None or limit <= now:
        raise PermissionDenied(
            f"This credential ends at {format_timestamp(limit)}, and a feed never lives longer than the API key that "
            "makes it; state a smaller expires_in, or leave it out."
        )
    return limit
