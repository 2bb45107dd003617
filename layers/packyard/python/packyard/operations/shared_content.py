"""Which other revisions of a pack hold a file of the same content as one of its images, and what is kept of the image.

Only the kept file indexes are read, never an image. What is looked at is bounded: the newest entries of the history,
the newest 32 of their images, for six seconds. Revisions that are not looked at are counted (decision 108).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from packyard.oci.digest import Digest
from packyard.oci.read.file_index import FileIndex
from packyard.oci.read.index_parser import WITH_HARD_LINKS, WITHOUT_HARD_LINKS
from packyard.storage.downloads import STAGED_FROM, staged_key
from packyard.storage.file_indexes import FileIndexes, index_key, windows_key
from packyard.store.removals import ImageEntry

_MOST_IMAGES: Final = 32
_PARALLEL: Final = 4
_SECONDS: Final = 6.0
# The item that says what is removed has room for so many keys.
_MOST_KEYS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What was found of an image's content.

    Attributes:
        also_in: The revisions that hold a file of the same content, the newest first.
        not_compared: How many revisions were not looked at.
        caches: The keys of what the bucket has of the image.
    """

    also_in: tuple[int, ...]
    not_compared: int
    caches: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFinder:
    """Finds content that images of a pack share.

    Attributes:
        indexes: The kept file indexes.
        monotonic: Returns seconds, from a clock that never goes back.
    """

    indexes: FileIndexes
    monotonic: Callable[[], float]

    def find(self, image: ImageEntry, others: Sequence[ImageEntry], *, reader: str | None) -> Shared:
        """Compare an image with others of its pack. One read for each image. No failure is raised.

        Args:
            image: What the history says of the image.
            others: Entries of other images, the newest first, without those whose content is deleted.
            reader: As for `index_key`, for indexes of images that we have not built.
        """
        own = self._index(image, reader)
        contents = _contents(own)
        images = list({entry.digest: entry for entry in reversed(others)}.values())[::-1]
        found = self._compared(images[:_MOST_IMAGES], contents, reader) if contents else {}
        return Shared(
            also_in=tuple(entry.revision for entry in others if found.get(entry.digest)),
            not_compared=sum(entry.digest not in found for entry in others),
            caches=_keys(image, own, reader)[:_MOST_KEYS],
        )

    def _compared(
        self, images: Sequence[ImageEntry], contents: frozenset[str], reader: str | None
    ) -> dict[Digest, bool]:
        """Return, for each image that was looked at, whether it shares any of the contents."""
        end = self.monotonic() + _SECONDS

        def shares(entry: ImageEntry) -> bool | None:
            index = self._index(entry, reader) if self.monotonic() < end else None
            return None if index is None else not contents.isdisjoint(_contents(index))

        with ThreadPoolExecutor(_PARALLEL) as threads:
            answers = threads.map(shares, images)
            return {
                entry.digest: answer
                for entry, answer in zip(images, answers, strict=True)
                if answer is not None
            }

    def _index(self, entry: ImageEntry, reader: str | None) -> FileIndex | None:
        if entry.layer_digest is None:
            return self.indexes.get(entry.digest, reader=reader, oldest=WITH_HARD_LINKS)
        return self.indexes.get(entry.layer_digest, oldest=WITHOUT_HARD_LINKS)


def _contents(index: FileIndex | None) -> frozenset[str]:
    """Return the digests of an image's files. All empty files have one content, which says nothing."""
    return frozenset() if index is None else frozenset(file.sha256 for file in index.files if file.size)


def _keys(image: ImageEntry, index: FileIndex | None, reader: str | None) -> tuple[str, ...]:
    """Return the keys of an image's index, of its checkpoints, and of its layers and large files that may be staged."""
    built = image.layer_digest is not None
    keys = [index_key(image.layer_digest or image.digest, reader=None if built else reader)]
    keys += [staged_key(layer.removeprefix("sha256:")) for layer in image.layers]
    if index is not None:
        keys += [windows_key(layer.windows, reader=reader) for layer in index.layers if layer.windows]
        keys += [staged_key(file.sha256) for file in index.files if file.size >= STAGED_FROM]
    return tuple(dict.fromkeys(keys))
