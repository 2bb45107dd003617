"""Which image of an index a pack is read from (API contract, section 2, `POST /packs`)."""

from typing import Final

from packyard.oci.foreign_document import Descriptor, ForeignIndex, IndexEntry, Platform
from packyard.oci.image_fault import ImageFault

# Build tools file attestations under it (Docker's BuildKit, "Image attestation storage").
_ATTESTATION: Final = Platform(os="unknown", architecture="unknown")
# Nodes that find no entry for their own platform take one that states none.
_PREFERRED: Final = (Platform("linux", "amd64"), None, Platform("linux", "arm64"))


def choose_entry(index: ForeignIndex) -> Descriptor:
    """Return the entry for linux/amd64, else one for no platform, else for linux/arm64, else the first.

    Of equals the first wins (OCI image-spec, image-index.md). Variants are not told apart: what a pack holds
    has no architecture.

    Raises:
        ImageFault: The index names no image.
    """
    images = [entry for entry in index.entries if entry.platform != _ATTESTATION]
    if not images:
        raise ImageFault("is an index that names no image")
    return min(images, key=_rank).descriptor


def _rank(entry: IndexEntry) -> int:
    return _PREFERRED.index(entry.platform) if entry.platform in _PREFERRED else len(_PREFERRED)
