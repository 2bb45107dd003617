"""Chooses the image from which a pack is read when a reference resolves to an index of several."""

from typing import Final

from packyard.oci.image_fault import ImageFault, NotAnImage
from packyard.oci.read.platform import by_preference
from packyard.oci.read.third_party_document import ThirdPartyIndex, ThirdPartyManifest
from packyard.registry.third_party.repository import ThirdPartyRepository

_MAX_NESTED_INDEXES: Final = 3
# Index entries that are tried until one is an image.
_MAX_CHOICES: Final = 8


def chosen_manifest(
    repository: ThirdPartyRepository, document: ThirdPartyIndex | ThirdPartyManifest
) -> ThirdPartyManifest:
    """Return the manifest of the image from which the pack is read.

    An index may list artifacts as if they were images. An entry that is not an image is therefore skipped. At most
    eight entries are tried.

    Args:
        repository: The repository of the image.
        document: The manifest or index to which the reference resolved.

    Raises:
        ImageFault: There is no image, or it cannot be read.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.document`.
    """
    return _Choice(repository).of(document, depth=0)


class _Choice:
    """Searches an index, and the indexes that it lists, for an image."""

    def __init__(self, repository: ThirdPartyRepository) -> None:
        self._repository = repository
        self._left = _MAX_CHOICES

    def of(self, document: ThirdPartyIndex | ThirdPartyManifest, *, depth: int) -> ThirdPartyManifest:
        if isinstance(document, ThirdPartyManifest):
            return document
        if depth == _MAX_NESTED_INDEXES:
            raise ImageFault(f"has indexes nested deeper than {_MAX_NESTED_INDEXES}")
        first: NotAnImage | None = None
        for entry in by_preference(document):
            if not self._left:
                break
            self._left -= 1
            try:
                _, listed = self._repository.document(entry.digest, size=entry.size)
                return self.of(listed, depth=depth + 1)
            except NotAnImage as fault:
                first = first or fault
        reason = "" if first is None else f": its first entry {first}"
        raise NotAnImage(f"is an index that names no image{reason}") from first
