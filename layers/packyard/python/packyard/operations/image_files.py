"""The files of a pack's image, by the image's file index. When there is none, the layers are read to make it.

The index is a cache, and nothing else is written here. So a crash, a repeat and two readers at once all have the same
outcome.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from packyard.errors import InvalidRequest
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import chained
from packyard.oci.read.file_index import (
    FileIndex,
    IndexedFile,
    IndexedLayer,
)
from packyard.oci.read.index_lines import IndexLines
from packyard.oci.read.index_parser import (
    WITH_HARD_LINKS,
    WITHOUT_HARD_LINKS,
)
from packyard.oci.reference import Reference, parse_reference
from packyard.packs.pack import Pack
from packyard.registry.third_party.image_contents import (
    FindWindow,
    NotAsIndexed,
    layers_of_image,
    opened_file,
    opened_layer,
    scan_image,
)
from packyard.registry.third_party.pull import ImageSource
from packyard.registry.third_party.repository import ThirdPartyRepository
from packyard.storage.file_indexes import FileIndexes

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """Reads the files of packs' images.

    Attributes:
        sources: Where images are read.
        indexes: Where their file indexes are kept.
    """

    sources: ImageSource
    indexes: FileIndexes

    def index(self, pack: Pack, *, org_id: str, only: str | None = None) -> FileIndex:
        """Return the file index of a pack's image.

        Args:
            pack: The pack.
            org_id: Who asks; they can see the pack.
            only: The path of the only file that is wanted; the index may have others too. None for all files.

        Raises:
            InvalidRequest: On `id`: its image cannot be fetched or read.
            RegistryUnavailable: Its registry did not answer in time.
            ServiceUnavailable: AWS did not answer for a credential.
        """
        found = self.kept_index(pack, org_id=org_id, only=only)
        return self.read_index(pack, org_id=org_id) if found is None else found

    def kept_index(self, pack: Pack, *, org_id: str, only: str | None = None) -> FileIndex | None:
        """Return the file index of a pack's image if it is kept, and None otherwise. The image is not read.

        Args:
            pack: As for `index`.
            org_id: As for `index`.
            only: As for `index`.
        """
        found = self.indexes.get(
            pack.layer_digest or pack.image_digest,
            reader=self._reader(pack, org_id),
            only=only,
            oldest=_oldest_index(pack),
        )
        return None if found is None or not _is_about(found.layers, pack) else found

    def kept_lines(self, pack: Pack, *, org_id: str) -> IndexLines | None:
        """Return the file index of a pack's image as lines if it is kept, and None otherwise. The image is not read.

        Args:
            pack: As for `index`.
            org_id: As for `index`.
        """
        found = self.indexes.lines(
            pack.layer_digest or pack.image_digest,
            reader=self._reader(pack, org_id),
            oldest=_oldest_index(pack),
        )
        return None if found is None or not _is_about(found.layers, pack) else found

    def states_sizes_of(self, index: FileIndex, pack: Pack) -> bool:
        """Return whether an index states the layers that the manifest of a pack's image names, with their sizes.

        Args:
            index: An index of the image.
            pack: A pack that we built, or a clone of one.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        with self._opened(pack, pack.org_id) as repository:
            layers = layers_of_image(repository, pack.image_digest)
        return [(layer.digest, layer.size) for layer in layers] == [
            (layer.digest, layer.size) for layer in index.layers
        ]

    def layers(self, pack: Pack, *, org_id: str) -> tuple[Descriptor, ...]:
        """Return the layers that a pack's image names, from the lowest up. Its documents are read, its layers are not.

        Args:
            pack: As for `index`.
            org_id: As for `index`.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        # Only revisions from before their layers were kept need it.
        from packyard.registry.third_party.chosen_image import chosen_manifest  # noqa: PLC0415

        with self._opened(pack, org_id) as repository:
            _, document = repository.document(pack.image_digest)
            return chosen_manifest(repository, document).layers

    def read_index(self, pack: Pack, *, org_id: str) -> FileIndex:
        """Make the file index of a pack's image from its layers, keep it, and return it.

        Args:
            pack: As for `index`.
            org_id: As for `index`.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        reader = self._reader(pack, org_id)
        limits = self.sources.limits
        if pack.layer_digest is not None:
            limits = limits.of_an_image_that_we_built()
        with self._opened(pack, org_id) as repository:
            index = scan_image(
                repository,
                pack.image_digest,
                limits=limits,
                # In a layer that this service built, each file can be read alone, without checkpoints.
                keep_windows=partial(self.indexes.put_windows, reader=reader)
                if pack.layer_digest is None
                else None,
            )
        self.indexes.put(pack.layer_digest or pack.image_digest, index, reader=reader)
        return index

    def read(
        self,
        pack: Pack,
        index: FileIndex,
        file: IndexedFile,
        consume: Callable[[Iterator[bytes]], Result],
        *,
        org_id: str,
    ) -> Result:
        """Pass a file's content to `consume`, and return its result after the content's digest was checked.

        Args:
            pack: As for `index`.
            index: Its files.
            file: One of them.
            consume: Reads all pieces. It may be called twice: the result for wrong content is dropped.
            org_id: As for `index`.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """

        def read(index: FileIndex, file: IndexedFile, find_window: FindWindow | None) -> Result:
            with (
                self._opened(pack, org_id) as repository,
                opened_file(repository, index, file, find_window=find_window) as pieces,
            ):
                return consume(pieces)

        try:
            return read(index, file, partial(self.indexes.window, reader=self._reader(pack, org_id)))
        except NotAsIndexed:
            # Either the index is wrong, or a checkpoint's window, or the bytes that came.
            again = self.read_index(pack, org_id=org_id)
            found = again.find(file.path)
            if found is None or found.sha256 != file.sha256:
                raise
            return read(again, found, None)

    @contextmanager
    def opened_layer(self, pack: Pack, layer: IndexedLayer) -> Iterator[Iterator[bytes]]:
        """Give a layer of a pack that we built; it is known to be right only when all has been read.

        Args:
            pack: The pack.
            layer: One of its index's.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        with self._opened(pack, pack.org_id) as repository, opened_layer(repository, layer) as chunks:
            yield chunks

    def _reader(self, pack: Pack, org_id: str) -> str | None:
        """Return the organisation that an index of the image is kept for; None for all that can see the pack."""
        ours = pack.layer_digest is not None or self._is_ours(parse_reference(pack.image_ref))
        return None if ours else org_id

    def _is_ours(self, reference: Reference) -> bool:
        return reference.registry == self.sources.own.host

    @contextmanager
    def _opened(self, pack: Pack, org_id: str) -> Iterator[ThirdPartyRepository]:
        """Open the image's repository. In other registries than ours, the caller's credentials decide."""
        reference = replace(parse_reference(pack.image_ref), digest=pack.image_digest)
        ours = self._is_ours(reference)
        try:
            with self.sources.opened(reference, org_id=pack.org_id if ours else org_id) as repository:
                yield repository
        except InvalidRequest as refusal:
            raise InvalidRequest({"id": f"its image {refusal.fields['image_ref']}"}) from refusal


def _oldest_index(pack: Pack) -> int:
    return WITH_HARD_LINKS if pack.layer_digest is None else WITHOUT_HARD_LINKS


def _is_about(layers: Sequence[IndexedLayer], pack: Pack) -> bool:
    """Return whether an index with these layers is one of the pack's image, as far as the row can tell."""
    if pack.layer_digest is None:
        return True
    return bool(layers) and chained([layer.digest for layer in layers]) == pack.layer_digest
