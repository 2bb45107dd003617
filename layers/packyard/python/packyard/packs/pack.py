"""The record of a pack. `http.views` decides which of its fields a caller can see."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from packyard.oci.digest import Digest
from packyard.packs.attestation_state import Attestations
from packyard.packs.deprecation import Deprecation
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version, precedence
from packyard.packs.usage import stored_bytes_after

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


class Layer(NamedTuple):
    """A layer of a pack's image, as its manifest names it.

    Attributes:
        digest: Of the blob.
        size: Of the blob, in bytes.
        media_type: The blob's.
    """

    digest: Digest
    size: int
    media_type: str


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
        layers: Of the image, from the lowest up; of an index, those of the image that its size is of. Empty for a
            revision that was written before they were kept.
        stored_bytes: What is stored for the pack in the service's own registry, all its images together
            (`packs.usage`); None for a pack that is not counted yet.
        shared_since: The revision since which other organisations see the pack, without a break; None if they do not
            see it, or if it was shared before this was kept.
        deprecated: What its owner says to those who use it; None for a pack that is not deprecated.
        highest_version: The highest version that the pack has had, if the present one is lower; None otherwise, or if
            the pack went back to it before this was kept.
        withdrawn: Whether the image has been withdrawn (API contract, section 7).
        archive_digest: Of the archive of which the image was built, as it was sent; None if it was made in another way,
            or before this was kept.
        attestations: Whether signed statements about the image are attached to it. What is attached stays so.
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
    layers: tuple[Layer, ...] = ()
    shared_since: int | None = None
    deprecated: Deprecation | None = None
    highest_version: Version | None = None
    stored_bytes: int | None = None
    withdrawn: bool = False
    archive_digest: Digest | None = None
    attestations: Attestations = Attestations.OFF

    @property
    def is_stored_here(self) -> bool:
        """Whether its images are in the service's own registry because the service has put them there."""
        return self.image_origin is not ImageOrigin.IMAGE_REF

    def revised(self, *, at: datetime, **changes: Any) -> "Pack":
        """Return the pack's next revision, with some fields changed. Another image is not withdrawn.

        Args:
            at: When the revision is written, in UTC.
            changes: The new values, by field name.
        """
        after = replace(self, revision=self.revision + 1, updated_at=at, **changes)
        stored = after.stored_bytes if "stored_bytes" in changes else stored_bytes_after(self, after)
        return replace(
            after,
            shared_since=after.shared_since_after(self),
            highest_version=after.highest_after(self),
            stored_bytes=stored,
            withdrawn=self.withdrawn and after.image_digest == self.image_digest,
        )

    def highest_after(self, before: "Pack") -> Version | None:
        """Return the highest version that the pack has had, if its present one is lower; None otherwise.

        Args:
            before: The pack at the revision before.
        """
        highest = max(before.highest_version or before.version, self.version, key=precedence)
        return None if precedence(highest) == precedence(self.version) else highest

    def shared_since_after(self, before: "Pack | None") -> int | None:
        """Return since which revision other organisations see the pack.

        Args:
            before: The pack at the revision before; None if there is none.
        """
        if self.visibility is not Visibility.COMMUNITY:
            return None
        shared_before = before is not None and before.visibility is Visibility.COMMUNITY
        return (before.shared_since if before and shared_before else None) or self.revision

    def shows(self, revision: int, *, org_id: str) -> bool:
        """Return whether an organisation that sees the pack sees a revision of it (API contract, section 7).

        Others see the revisions since the pack was last shared. Where that is not known, they see the present one.

        Args:
            revision: The revision, which need not exist.
            org_id: The organisation.
        """
        since = self.revision if self.shared_since is None else self.shared_since
        return org_id == self.org_id or since <= revision <= self.revision
