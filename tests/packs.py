"""Builds packs for tests: valid ones, of which a test states only what matters to it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from packyard.oci.digest import digest_of
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.pack import ImageOrigin, Pack, Tier, Visibility

ORG = "org_01hzzzzzzzzzzzzzzzzzzzzzz0"
OTHER_ORG = "org_01hzzzzzzzzzzzzzzzzzzzzzz1"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def pack_id(number: int) -> str:
    """Return the id of the pack of that number."""
    return f"pack_{number:026d}"


def a_pack(number: int = 1, **changes: Any) -> Pack:
    """Return a pack of `ORG`, its name and id by number."""
    pack = Pack(
        id=pack_id(number),
        org_id=ORG,
        name=PackName(f"pack-{number}"),
        display_name=f"Pack {number}",
        version=Version("1.0.0"),
        tier=Tier.COMMUNITY,
        visibility=Visibility.ORG,
        image_origin=ImageOrigin.UPLOAD,
        image_ref=f"registry.example.com/packs/{ORG}/pack-{number}:1.0.0",
        image_digest=digest_of(f"index of {number}".encode()),
        size_bytes=1234,
        created_at=NOW,
        updated_at=NOW,
        revision=1,
        content_digest=digest_of(f"content of {number}".encode()),
    )
    return replace(pack, **changes)
