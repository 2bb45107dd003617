"""The record of a pack. `http.views` decides which of its fields a caller can see."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from packyard.oci.digest import Digest
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version

PACK_ID = re.compile(r"pack_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def is_pack_id(text: str) -> bool:
    """Return whether `text` is `pack_` and a ULID (Crockford's base 32, 128 bits)."""
    return PACK_ID.fullmatch(text) is not None


class Tier(StrEnum):
    """How the operator rates a pack. Every pack that an organisation creates is `community`."""

    RECOMMENDED = "recommended"
    VERIFIED = "verified"
    COMMUNITY = "community"


class Visibility(StrEnum):
    """Who can see a pack."""

    ORG = "org"
    COMMUNITY = "community"


class ImageOrigin(StrEnum):
    """Where a pack's image comes from. The service deletes only images of `upload` and `clone` packs."""

    UPLOAD = "upload"
    IMAGE_REF = "image_ref"
    CLONE = "clone"


class PackStatus(StrEnum):
    """The state of a pack, from creation to deletion."""

    ACTIVE = "active"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One pack at one revision.

    Attributes:
        id: `pack_` and a ULID; never reused.
        org_id: The owning organisation.
        version: SemVer 2.0.0, from `pack.yaml`.
        tier: How the operator rates it.
        image_ref: The reference as given, normalised; for built images `<registry>/<repository>:<tag>`.
        image_digest: What `image_ref` resolved to when the pack was written: the pin.
        content_digest: What names the pack's files, whatever carries them; None where they have not been read, and for
            images that were built before there was one.
        chain_id: What names the uncompressed content of a built image's layers: equal content, empty directories
            included, has the same on any machine.
        layer_digest: Of the blob of a built image's only layer; of several, what names all of their digests. The file
            index is kept under it.
        size_bytes: Config plus layers, compressed.
        revision: 1 for a new pack, one more with every accepted write.
    """

    id: str
    org_id: str
    name: PackName
    display_name: str
    version: Version
    tier: Tier
    visibility: Visibility
    image_origin: ImageOrigin
    image_ref: str
    image_digest: Digest
    size_bytes: int
    created_at: datetime
    updated_at: datetime
    revision: int
    status: PackStatus = PackStatus.ACTIVE
    description: str | None = None
    category: str | None = None
    capabilities: str | None = None
    suggested_packs: tuple[str, ...] = ()
    content_digest: Digest | None = None
    chain_id: Digest | None = None
    layer_digest: Digest | None = None

    def revised(self, *, at: datetime, **changes: Any) -> "Pack":
        """Return the pack's next revision, with some fields changed.

        Args:
            at: When the revision is written, in UTC.
            changes: The new values, by field name.
        """
        return replace(self, revision=self.revision + 1, updated_at=at, **changes)
