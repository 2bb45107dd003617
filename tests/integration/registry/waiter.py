"""A client of a registry that waits for nobody."""

import time
from dataclasses import dataclass

from packyard.registry.credentials import Anonymous
from packyard.registry.distribution import DistributionRegistry
from packyard.registry.factory import distribution_registry
from packyard.registry.transport import Patience


@dataclass
class Waiter:
    """Waits for nobody, and remembers for how long."""

    waited: list[float]
    random: float = 0.0

    def registry(self, url: str) -> DistributionRegistry:
        patience = Patience(
            sleep=self.waited.append,
            monotonic=time.monotonic,
            random=lambda: self.random,
            read_seconds=2,
            pause_seconds=5,
        )
        return distribution_registry(url=url, credential=Anonymous(), patience=patience)
