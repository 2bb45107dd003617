"""Feeds, as those see them who make and remove them (API contract, section 12), without what their doors serve."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected, IfStated, page, require
from tests.reliability.model.packs import Feed
from tests.reliability.model.state import State

_MOST: Final = 100
_OF_USE: Final[dict[str, Any]] = {"last_seen": IfStated(ANY), "networks": IfStated(ANY)}


class Feeds(State):
    """The operations on feeds."""

    def create_feed(
        self, role_id: str | None, pack_ids: Sequence[str] | None, expires_in: int | None
    ) -> Expected:
        """A feed is of a role or of packs that its maker sees, and does not outlive its maker's key."""
        caller = self.caller
        ends_at = None if expires_in is None else self.now + timedelta(seconds=expires_in)
        if caller.ends_at is not None:
            require(ends_at is None or ends_at <= caller.ends_at, 403, "permission_denied")
            ends_at = ends_at or caller.ends_at
        if role_id is not None:
            self.role(role_id)
        hidden = [pack_id for pack_id in pack_ids or () if not self._is_seen(pack_id)]
        require(not hidden, 404, "pack_not_found", pack_ids=hidden)
        own = self.feeds.setdefault(caller.org, [])
        require(len(own) < _MOST, 409, "quota_exceeded", limit=_MOST)
        made = Feed(self.now, caller.actor, role_id, tuple(pack_ids or ()), ends_at)
        own.append(made)
        return Expected(201, made.view() | {"url": ANY})

    def list_feeds(self, query: Mapping[str, str], start: int) -> Expected:
        """Return feeds, the newest first. No two are made at one time here."""
        own = sorted(self.feeds.get(self.caller.org, []), key=lambda feed: feed.created_at, reverse=True)
        return page("feeds", [feed.view() for feed in own[start:]], query, {"next_cursor": IfStated(ANY)})

    def get_feed(self, feed_id: str) -> Expected:
        """A feed is shown also after its end."""
        feed = self._feed(feed_id)
        history = self.roles.get((self.caller.org, feed.role_id or ""), [])
        gone = feed.role_id is not None and (not history or history[-1].operation == "delete")
        served = {"role_gone": True} if gone else {"doors": ANY, "preparing": ANY}
        return Expected(200, feed.view() | _OF_USE | served)

    def remove_feed(self, feed_id: str) -> Expected:
        feed = self._feed(feed_id)
        self.feeds[self.caller.org].remove(feed)
        return Expected(200, {"status": "deleted"})

    def _is_seen(self, pack_id: str) -> bool:
        pack = self.find(pack_id)
        return pack is not None and pack.is_visible_to(self.caller.org)

    def _feed(self, feed_id: str) -> Feed:
        found = next((feed for feed in self.feeds.get(self.caller.org, []) if feed.id == feed_id), None)
        require(found is not None, 404, "feed_not_found")
        assert found is not None
        return found
