"""The hosts of issuers and of webhooks."""

import time
from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.clients import Clients
from packyard.composition.deadline import ANSWER_SECONDS

if TYPE_CHECKING:
    from packyard.issuer.discovered_keys import DiscoveredIssuers
    from packyard.issuer.published_keys import IssuerKeys
    from packyard.network.guard import Guard
    from packyard.network.sender import Sender


class Network(Clients):
    """What reaches hosts that an organisation or the operator names."""

    @cached_property
    def issuer_guard(self) -> "Guard":
        """The guard of connections to the issuers of trusted publishers."""
        from packyard.network.guard import Guard, TrustedHosts, connect_to, resolve_name

        trusted = TrustedHosts.parse(self.settings.trusted_issuer_hosts)
        return Guard(trusted=trusted, resolve=resolve_name, connect=connect_to)

    @cached_property
    def publisher_issuers(self) -> "DiscoveredIssuers":
        """The keys of the issuers of trusted publishers."""
        from functools import cache

        from packyard.issuer.discovered_keys import DiscoveredIssuers, DiscoveredKeySet
        from packyard.network.guarded_connection import tls_context

        tls = cache(tls_context)

        def fetching(issuer: str) -> DiscoveredKeySet:
            return DiscoveredKeySet(
                issuer=issuer,
                guard=self.issuer_guard,
                tls=tls,
                monotonic=time.monotonic,
                time_left=self.registry_time_left,
            )

        return DiscoveredIssuers(fetching=fetching, clock=self.clock)

    def issuer_keys(self, url: str) -> "IssuerKeys":
        """Return the keys that an issuer publishes at `url`."""
        import urllib3

        from packyard.issuer.published_keys import IssuerKeys, KeySetAt

        fetch = KeySetAt(
            url=url,
            http=urllib3.PoolManager(),
            monotonic=time.monotonic,
            time_left=lambda: self.deadline.left(keep=ANSWER_SECONDS),
        )
        return IssuerKeys(fetch=fetch, clock=self.clock)

    @cached_property
    def webhook_guard(self) -> "Guard":
        """The guard of connections to the hosts of webhooks."""
        from packyard.network.guard import Guard, TrustedHosts, connect_to, resolve_name

        trusted = TrustedHosts.parse(self.settings.trusted_webhook_hosts)
        return Guard(trusted=trusted, resolve=resolve_name, connect=connect_to)

    @cached_property
    def webhook_sender(self) -> "Sender":
        """The sender of events to webhooks."""
        from functools import cache

        from packyard.network.guarded_connection import tls_context
        from packyard.network.sender import Sender

        return Sender(
            guard=self.webhook_guard,
            tls=cache(tls_context),
            monotonic=time.monotonic,
            time_left=self.registry_time_left,
        )
