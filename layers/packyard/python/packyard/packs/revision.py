"""Entries of a pack's revision history."""

from dataclasses import dataclass
from datetime import datetime

from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageState
from packyard.packs.manifest.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One accepted write to a pack.

    Attributes:
        number: The revision that the write created.
        operation: The operation that wrote it, such as `upload`.
        version: The pack's version in this revision.
        image_digest: The digest of the pack's image in this revision.
        content_digest: What names the pack's files in this revision; None as for a pack.
        actor: Who made the change.
        at: When it was written, in UTC.
        state: The state of the image; None for one that is in use, or if it was not read.
    """

    number: int
    operation: str
    version: Version
    image_digest: Digest
    actor: str
    at: datetime
    content_digest: Digest | None = None
    state: ImageState | None = None
