"""Clients of a registry that never sleep between attempts."""

import time
from dataclasses import dataclass, field
from typing import Final

from packyard.registry.credentials import Anonymous
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.transport import Timeouts

REPOSITORY: Final = "packs/org_test/slack"
NO_PAUSES: Final = Timeouts(sleep=lambda _seconds: None, monotonic=time.monotonic)


@dataclass
class Waiter:
    """Makes clients, and records for how long they would have slept.

    Attributes:
        waited: One entry in seconds for each pause, in order.
        random: As in `Timeouts`, but always the same.
        connect_seconds: As in `Timeouts`.
        read_seconds: As in `Timeouts`.
        total_seconds: As in `Timeouts`.
    """

    waited: list[float] = field(default_factory=list)
    random: float = 0.0
    connect_seconds: float = 5
    read_seconds: float = 2
    total_seconds: float = 300

    def registry(self, url: str) -> DistributionRegistry:
        timeouts = Timeouts(
            sleep=self.waited.append,
            monotonic=time.monotonic,
            random=lambda: self.random,
            connect_seconds=self.connect_seconds,
            read_seconds=self.read_seconds,
            total_seconds=self.total_seconds,
        )
        return distribution_registry(url=url, credential=Anonymous(), timeouts=timeouts)
