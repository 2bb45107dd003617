"""Finding, in what a reference resolves to, the one image that packs are read from."""

from typing import Final

from packyard.oci.image_fault import ImageFault, NotAnImage
from packyard.oci.read.platform import by_preference
from packyard.oci.read.third_party_document import ThirdPartyIndex, ThirdPartyManifest
from packyard.registry.third_party.repository import ThirdPartyRepository

_MAX_NESTED_INDEXES: Final = 3
# Of manifests that are looked at until one is an image.
_MAX_CHOICES: Final = 8


def chosen_manifest(
    repository: ThirdPartyRepository, document: ThirdPartyIndex | ThirdPartyManifest
) -> ThirdPartyManifest:
    """Return the manifest of the image that packs are read from.

    An index may list artifacts as if they were images. So an entry that turns out to be none is passed over, as far as
    eight manifests go.

    Args:
        repository: Where it is.
        document: What the reference resolved to.

    Raises:
        ImageFault: There is none, or it cannot be read.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.document`.
    """
    return _Choice(repository).of(document, depth=0)


class _Choice:
    """Looks for an image in an index, and in the indexes that it lists."""

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
