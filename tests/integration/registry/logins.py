"""An operator who gives the service a login to its own registry."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tests.integration.registry.clients import NO_PAUSES

from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.factory import distribution_registry, registry_login

# Harbor's robots are called so.
USER: Final = "robot$packs+packyard"
PASSWORD: Final = "open sesame"
SECRET: Final = {"username": USER, "password": PASSWORD}
ALL: Final = {"pull", "push", "delete"}
# `open sesame` under bcrypt, at its lowest cost.
HTPASSWD = f"{USER}:$2b$04$pOx0GLap3Tr0arIN1XYeyuZMOqF6vh7bz5oxRqCHIvoWtutc9NcHO\n"
REPOSITORY: Final = "group/project/org_test/slack"


@dataclass
class Operator:
    """Keeps the secret, and the time."""

    secret: dict[str, str] = field(default_factory=lambda: dict(SECRET))
    now: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    read: int = 0

    def load(self) -> str:
        self.read += 1
        return json.dumps(self.secret)

    def registry(self, url: str, load: Callable[[], str] | None = None) -> DistributionRegistry:
        login = registry_login(url=url, load=load or self.load, timeouts=NO_PAUSES, clock=lambda: self.now)
        return distribution_registry(url=url, credential=login, timeouts=NO_PAUSES)
