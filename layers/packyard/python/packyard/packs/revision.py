"""Entries of a pack's history."""

from dataclasses import dataclass
from datetime import datetime

from packyard.oci.digest import Digest
from packyard.packs.manifest.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What one accepted write made of a pack.

    Attributes:
        number: The pack's revision from then on.
        operation: What was done.
        version: The pack's version from then on.
        image_digest: Its image from then on.
        actor: Who did it.
        at: When.
    """

    number: int
    operation: str
    version: Version
    image_digest: Digest
    actor: str
    at: datetime
