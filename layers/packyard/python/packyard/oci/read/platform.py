"""Choosing the image of an index from which a pack is read (API contract, section 2, `POST /packs`)."""

from typing import Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.read.third_party_document import IndexEntry, Platform, ThirdPartyIndex

_PREFERRED: Final = (Platform("linux", "amd64"), Platform("linux", "arm64"))
_UNKNOWN: Final = ("", "unknown")


def by_preference(index: ThirdPartyIndex) -> tuple[Descriptor, ...]:
    """Return the index's entries in the order in which to try them.

    linux/amd64 comes first, then linux/arm64, then the others in the index's order (OCI image-spec, image-index.md).
    Variants are ignored, because a pack's files do not depend on the architecture. Entries that are not images come
    last, whatever their platform is. Attestations have the platform `unknown/unknown` (BuildKit) or that of their
    image. Artifacts have none, or one without an architecture.
    """
    return tuple(entry.descriptor for entry in sorted(index.entries, key=_rank))


def _rank(entry: IndexEntry) -> tuple[bool, int]:
    return _is_not_an_image(entry), (
        _PREFERRED.index(entry.platform) if entry.platform in _PREFERRED else len(_PREFERRED)
    )


def _is_not_an_image(entry: IndexEntry) -> bool:
    platform = entry.platform
    return entry.is_artifact or (
        platform is not None and (platform.os in _UNKNOWN or platform.architecture in _UNKNOWN)
    )
