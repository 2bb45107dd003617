"""Entries of a role's history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from packyard.oci.digest import Digest
from packyard.packs.manifest.version import Version


class PinnedThen(NamedTuple):
    """Where a role held a pack.

    Attributes:
        id: The pack.
        revision: The revision.
        version: The pack's version at that revision.
        image_digest: The image's digest.
        follow: Whether the pin followed the pack.
        alias: What the role called the pack, if not by its name.
    """

    id: str
    revision: int
    version: Version
    image_digest: Digest
    follow: bool
    alias: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevision:
    """One accepted write to a role.

    Attributes:
        number: The revision that the write created.
        operation: What wrote it: `set`, `refresh` or `follow`.
        pack_ids: The role's packs, in their order.
        pins: Those that were pinned. Revisions from before there were pins have none.
        accepted: By pack, the revision to whose wider capabilities the actor has consented.
        actor: Who made the change.
        at: When, in UTC.
    """

    number: int
    operation: str
    pack_ids: tuple[str, ...]
    pins: tuple[PinnedThen, ...]
    accepted: Mapping[str, int]
    actor: str
    at: datetime
