"""Entries of a pack's revision history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from packyard.oci.digest import Digest
from packyard.packs.manifest.version import Version


class RevisionStatus(StrEnum):
    """The state of a revision's image (API contract, section 7)."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    DELETED = "deleted"


def status_of(digest: Digest, states: Mapping[Digest, RevisionStatus]) -> RevisionStatus:
    """Return the status of every revision with an image.

    Args:
        digest: The image's digest.
        states: The states of images that are not active, by digest.
    """
    return states.get(digest, RevisionStatus.ACTIVE)


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
    """

    number: int
    operation: str
    version: Version
    image_digest: Digest
    actor: str
    at: datetime
    content_digest: Digest | None = None
