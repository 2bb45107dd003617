"""Finds the `pack.yaml` of an image that is read from a registry, or the `SKILL.md` of an Agent Skill."""

from collections.abc import Sequence
from typing import Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.read.root_file import Absence, FileSearch, HardLink
from packyard.packs.manifest.root_file import MANIFEST_PATH, SKILL_PATH
from packyard.registry.third_party.repository import ThirdPartyRepository

# Archivers may store a file as a hard link to an equal file, so one link is common. Each link means that its layer is
# read once more.
_MAX_LINKS: Final = 8


def find_pack_file(
    repository: ThirdPartyRepository,
    image_layers: Sequence[Descriptor],
    *,
    limits: LayerLimits,
    compressed_bytes: int,
) -> tuple[str, bytes]:
    """Return the path and the content of the file at an image's root that says what the pack is.

    Args:
        repository: The repository of the image.
        image_layers: Its layers, from the lowest up. They are read from the top until `pack.yaml` is found; without
            one, again for `SKILL.md`.
        limits: Limits on each layer.
        compressed_bytes: The most bytes of layers to read.

    Raises:
        ImageFault: There is none, or it is no regular file; or a layer cannot be read, or exceeds a limit.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.blob`.
    """
    try:
        return MANIFEST_PATH, _find(MANIFEST_PATH, repository, image_layers, limits, compressed_bytes)
    except _NoFile as no_pack:
        try:
            return SKILL_PATH, _find(SKILL_PATH, repository, image_layers, limits, compressed_bytes)
        except _NoFile:
            raise ImageFault(str(no_pack)) from None


class _NoFile(ImageFault):
    """The image has nothing at the path."""


def _find(
    name: str,
    repository: ThirdPartyRepository,
    image_layers: Sequence[Descriptor],
    limits: LayerLimits,
    compressed_bytes: int,
) -> bytes:
    search = FileSearch(name, limits=limits)
    left = compressed_bytes
    links = 0
    layers = list(image_layers)
    while layers:
        left -= layers[-1].size
        if left < 0:
            raise ImageFault(f"has no {name} in its topmost {compressed_bytes} bytes of layers")
        found = _look(repository, layers[-1], search)
        if isinstance(found, bytes):
            return found
        if isinstance(found, HardLink):
            links += 1
            if links > _MAX_LINKS:
                raise ImageFault(f"has a {name} that is a chain of over {_MAX_LINKS} hard links")
            # The same layer is read again: it may contain the link's target.
            search.follow(found)
        elif found is Absence.SILENT:
            layers.pop()
        else:
            raise _no_file(name, search, found, linked=links > 0)
    raise _no_file(name, search, Absence.SILENT, linked=links > 0)


def _look(
    repository: ThirdPartyRepository, layer: Descriptor, search: FileSearch
) -> bytes | HardLink | Absence:
    """Search one layer for the file, and read the layer to its end in any case.

    The end shows whether the digest matches, and so whether a fault is in the image or in the transfer.
    """
    with repository.blob(layer) as chunks:
        try:
            return search.look(chunks)
        finally:
            for _ in chunks:
                pass


def _no_file(name: str, search: FileSearch, found: Absence, *, linked: bool) -> ImageFault:
    if linked:
        return ImageFault(
            f"has a {name} that is a hard link to {search.path!a:.300}, which is no file of the image"
        )
    if found is Absence.NO_FILE:
        return ImageFault(f"has a {name} that is not a regular file; put a copy of the file there")
    if search.similar:
        return _NoFile(f"has no {name} at its root, where it has to be; it has {', '.join(search.similar)}")
    return _NoFile(f"has no {name} at its root (/{name}), where it has to be")
