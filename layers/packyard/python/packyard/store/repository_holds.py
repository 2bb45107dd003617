"""Holds on a repository: a publisher's claim, a cleaner's purge, and why one was refused.

`store/repositories.py` explains how they work together.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from packyard.packs.manifest.name import PackName


class NameHeld(Exception):
    """A pack of the organisation holds the name.

    Args:
        pack_id: That pack.
    """

    def __init__(self, pack_id: str) -> None:
        super().__init__(f"{pack_id} holds the name.")
        self.pack_id = pack_id


class NameLost(Exception):
    """The pack no longer holds its name: it has been deleted."""


class RepositoryBusy(Exception):
    """Other processes are working in the repository; try again later.

    Args:
        until: When their holds end at the latest, unless new ones are taken.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__(f"The repository is in use until {until.isoformat()}.")
        self.until = until


class ClaimLost(Exception):
    """A purge has begun since the repository was claimed; the pushed image may have been removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A publisher's hold on a repository, which other publishers may share.

    Attributes:
        org_id: The organisation that publishes.
        name: The name under which it publishes.
        epoch: The epoch in which the pack's row must be written.
    """

    org_id: str
    name: PackName
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """A cleaner's hold on a repository, which excludes publishers.

    Attributes:
        org_id: The organisation that the repository belongs to.
        name: The name that goes with the repository.
        epoch: The epoch that this purge began.
        until: When the hold expires.
        holder: The pack that holds the name; None if no pack does. No pack can take the name during the purge.
        shared: Whether another cleaner, or a request that this cleaner has sent to the registry, may still be removing
            images, until `until` at the latest.
    """

    org_id: str
    name: PackName
    epoch: str
    until: datetime
    holder: str | None
    shared: bool = False

    def with_requests_in_flight(self) -> "Purge":
        """Return this hold for a cleaner that stops while the registry may still be executing some of its requests."""
        return replace(self, shared=True)
