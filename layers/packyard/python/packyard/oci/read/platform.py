"""Which image of an index a pack is read from (API contract, section 2, `POST /packs`)."""

from typing import Final

from packyard.oci.read.third_party_document import Descriptor, IndexEntry, Platform, ThirdPartyIndex

_PREFERRED: Final = (Platform("linux", "amd64"), Platform("linux", "arm64"))
_UNKNOWN: Final = ("", "unknown")


def in_order(index: ThirdPartyIndex) -> tuple[Descriptor, ...]:
    """Return the entries in the order in which they are to be tried.

    First linux/amd64, then linux/arm64, then the others as they stand (OCI image-spec, image-index.md). Variants are
    not told apart: what a pack holds has no architecture. What says that it is no image comes last, whatever its
    platform: attestations have the platform `unknown/unknown` (BuildKit) or that of the image that they are about,
    artifacts have none or one without an architecture.
    """
    return tuple(entry.descriptor for entry in sorted(index.entries, key=_rank))


def _rank(entry: IndexEntry) -> tuple[bool, int]:
    return _is_no_image(entry), (
        _PREFERRED.index(entry.platform) if entry.platform in _PREFERRED else len(_PREFERRED)
    )


def _is_no_image(entry: IndexEntry) -> bool:
    platform = entry.platform
    return entry.is_artifact or (
        platform is not None and (platform.os in _UNKNOWN or platform.architecture in _UNKNOWN)
    )
