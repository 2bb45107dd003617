"""Noting from where feeds are used. It is an extra: it never makes a request fail, and loses what it cannot write."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final

from packyard.errors import ServiceUnavailable
from packyard.packs.feed import Feed
from packyard.store.feed_uses import FeedUses

# What one container remembers, so that it writes a network once a day. Old entries go when there are too many.
_MAX_KNOWN: Final = 1000
# What a provider gives to one customer, at least (RFC 6177 for IPv6).
_PREFIXES: Final = {4: 24, 6: 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedWatch:
    """Notes from which networks feeds are used.

    Attributes:
        uses: Where that is kept.
        clock: The present instant, UTC.
        known: What this container has noted.
    """

    uses: FeedUses
    clock: Callable[[], datetime]
    known: dict[str, None] = field(default_factory=dict)

    def note(self, feed: Feed, address: str) -> None:
        """Note a use of a feed. At most one write for each network, day and container, most often none.

        Args:
            feed: The feed.
            address: Of the client, as the gateway states it. Anything that is no address is not noted.
        """
        now = self.clock()
        network = _network_of(address, feed, day=now.date().isoformat())
        if network is None or network in self.known:
            return
        while len(self.known) >= _MAX_KNOWN:
            del self.known[next(iter(self.known))]
        self.known[network] = None
        try:
            self.uses.note(feed, network, at=now)
        except ServiceUnavailable:
            # Not tried again by this container today: DynamoDB has more important requests to answer.
            return


def _network_of(address: str, feed: Feed, *, day: str) -> str | None:
    """Return what names a client's network for one feed and one day, and is not its address: part of a hash."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    network = ip_network((parsed, _PREFIXES[parsed.version]), strict=False)
    return hashlib.sha256(f"{feed.secret_hash} {day} {network}".encode()).hexdigest()[:16]
