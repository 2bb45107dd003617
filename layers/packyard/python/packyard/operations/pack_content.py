"""The fields of a pack that its content decides, and the first revision of a pack that has them."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from packyard.oci.digest import Digest
from packyard.oci.media_types import GZIP_LAYER
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.pack import ImageOrigin, Layer, Pack, Tier, Visibility
from packyard.packs.usage import first_stored_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    # The functions that copy or register images load neither the builder of layers nor the reader of manifests.
    from packyard.oci.build.image import Image
    from packyard.oci.build.layer import LayerContents
    from packyard.packs.manifest.pack_manifest import Manifest


# The keys of `pack.yaml` that a pack has fields of, its name apart.
_KEYS: Final = ("version", "display_name", "description", "category", "capabilities", "suggested_packs")


class ManifestFields(TypedDict):
    """What a pack has from its `pack.yaml`, its name apart."""

    display_name: str
    description: str | None
    category: str | None
    version: Version
    capabilities: str | None
    suggested_packs: tuple[str, ...]


class ImageFields(TypedDict):
    """What a pack has from its image."""

    image_ref: str
    image_digest: Digest
    content_digest: Digest | None
    chain_id: Digest | None
    layer_digest: Digest | None
    layers: tuple[Layer, ...]
    size_bytes: int
    archive_digest: Digest | None
    attestations: Attestations


class Content(ManifestFields, ImageFields):
    """Everything that a pack has from its content."""


def manifest_fields(manifest: "Manifest") -> ManifestFields:
    """Return the fields that a manifest decides."""
    return ManifestFields(
        display_name=manifest.display_name,
        description=manifest.description,
        category=manifest.category,
        version=manifest.version,
        capabilities=manifest.capabilities_text,
        suggested_packs=manifest.suggested_packs,
    )


def image_of(
    manifest: "Manifest", layers: "Sequence[LayerContents]", *, name: PackName | None = None
) -> "Image":
    """Return the image of a pack.

    Args:
        manifest: What the pack's file at the root says.
        layers: From the bottom up.
        name: The pack's name, where it is another than the manifest's, as a clone's may be.
    """
    # The functions that copy or register images build none.
    from packyard.oci.build.image import build_image  # noqa: PLC0415

    return build_image(
        layers=layers,
        title=name or manifest.name,
        version=manifest.version,
        description=manifest.description,
        license_text=manifest.license,
    )


def built_image_fields(
    image: "Image", *, image_ref: str, attestations: Attestations, archive_digest: Digest | None = None
) -> ImageFields:
    """Return the fields that an image of ours decides.

    Args:
        image: The image.
        image_ref: The image's repository and tag in our registry.
        attestations: Whether statements are made about it.
        archive_digest: Of the archive of which it was built; None if it was made in another way.
    """
    return ImageFields(
        image_ref=image_ref,
        image_digest=image.index.digest,
        content_digest=image.content_digest,
        chain_id=image.chain_id,
        layer_digest=image.layer_digest,
        layers=tuple(Layer(layer.digest, layer.size, GZIP_LAYER) for layer in image.layers),
        size_bytes=image.size_bytes,
        archive_digest=archive_digest,
        attestations=attestations,
    )


def changed_keys(before: Pack, after: Pack) -> list[str]:
    """Return the keys of `pack.yaml` whose values differ between two revisions of a pack."""
    return [key for key in _KEYS if getattr(before, key) != getattr(after, key)]


def content_of(pack: Pack) -> Content:
    """Return the fields of a pack that its content decides."""
    fields: dict[str, Any] = {name: getattr(pack, name) for name in Content.__annotations__}
    return cast("Content", fields)


def first_revision(  # noqa: PLR0913 - by name: whose pack it is, and what is in it
    content: Content,
    *,
    ulid: str,
    org_id: str,
    name: PackName,
    visibility: Visibility,
    image_origin: ImageOrigin,
    now: datetime,
) -> Pack:
    """Return a new pack at its first revision. Every pack that an organisation makes is of tier `community`.

    Args:
        content: What is in the pack.
        ulid: A ULID never used before.
        org_id: The organisation that owns the pack.
        name: Its name.
        visibility: Who may see it.
        image_origin: How its image came about.
        now: The present instant, UTC.
    """
    pack = Pack(
        id=f"pack_{ulid}",
        org_id=org_id,
        name=name,
        tier=Tier.COMMUNITY,
        visibility=visibility,
        image_origin=image_origin,
        created_at=now,
        updated_at=now,
        revision=1,
        shared_since=1 if visibility is Visibility.COMMUNITY else None,
        **content,
    )
    return replace(pack, stored_bytes=first_stored_bytes(pack))
