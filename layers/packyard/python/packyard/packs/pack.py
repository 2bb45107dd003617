"""The record of a pack, as the service keeps it. What a caller may see of it is decided in `http.views`."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from packyard.oci.digest import Digest
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version

_PACK_ID = re.compile(r"pack_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def is_pack_id(text: str) -> bool:
    """Return whether `text` is `pack_` and a ULID (Crockford's base 32, 128 bits)."""
    return _PACK_ID.fullmatch(text) is not None


class Tier(StrEnum):
    """Who vouches for a pack; everything an organisation creates is `community`."""

    RECOMMENDED = "recommended"
    VERIFIED = "verified"
    COMMUNITY = "community"


class Visibility(StrEnum):
    """Who can see a pack."""

    ORG = "org"
    COMMUNITY = "community"


class ImageOrigin(StrEnum):
    """How a pack's image came to be. Images of `upload` and `clone` packs are ours to delete."""

    UPLOAD = "upload"
    IMAGE_REF = "image_ref"
    CLONE = "clone"


class PackStatus(StrEnum):
    """Where a pack is in its life."""

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
        capabilities: The caps.yaml fragment as YAML text.
        suggested_packs: Slugs, in the order given.
        image_ref: The reference as given, normalised; for built images `<registry>/<repository>:<tag>`.
        image_digest: What `image_ref` resolved to when the pack was written: the pin.
        content_digest: The diff_id of a built image's only layer: equal content, equal value, on any machine.
        layer_digest: Of that layer's blob, under which its file index is kept.
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
    layer_digest: Digest | None = None

    def revised(self, *, at: datetime, **changes: Any) -> "Pack":
        """Return the pack's next revision: this one with some fields otherwise.

        Args:
            at: When it is written.
            changes: Those fields by name.
        """
        return replace(self, revision=self.revision + 1, updated_at=at, **changes)
