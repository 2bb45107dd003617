"""The files of a pack's image: by its index where there is one, by reading its layers once where there is none.

Whoever reads the layers leaves an index behind. Nothing else is ever written here, so that a crash, a repeat and two
readers at once come to the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from packyard.errors import InvalidRequest
from packyard.oci.build.layer_members import NotOurForm
from packyard.oci.read.file_index import FORMAT, WITHOUT_HARD_LINKS, FileIndex, IndexedFile
from packyard.oci.reference import Reference, parse_reference
from packyard.packs.pack import Pack
from packyard.registry.third_party.image_contents import NotAsIndexed, opened_file, opened_layer, scan_image
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
        """Return where a pack's files lie.

        Args:
            pack: The pack.
            org_id: Who asks; they can see the pack.
            only: The path of the only file that is wanted, though others may come along; None for all.

        Raises:
            InvalidRequest: On `id`: its image cannot be had, or cannot be read.
            RegistryUnavailable: Its registry did not answer in time.
            ServiceUnavailable: AWS did not answer for a credential.
        """
        reader = self._reader(pack, org_id)
        found = self.indexes.get(
            pack.layer_digest or pack.image_digest,
            reader=reader,
            only=only,
            oldest=FORMAT if pack.layer_digest is None else WITHOUT_HARD_LINKS,
        )
        if found is None or not _is_about(found, pack):
            return self.read_index(pack, org_id=org_id)
        return found

    def read_index(self, pack: Pack, *, org_id: str) -> FileIndex:
        """Return where a pack's files lie as its layers say, and keep that.

        Args:
            pack: As for `index`.
            org_id: As for `index`.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        with self._opened(pack, org_id) as repository:
            index = scan_image(repository, pack.image_digest, limits=self.sources.limits)
        self.indexes.put(pack.layer_digest or pack.image_digest, index, reader=self._reader(pack, org_id))
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
        """Let a file's content be consumed, and return what came of it once the content has proved to be right.

        Args:
            pack: As for `index`.
            index: Its files.
            file: One of them.
            consume: Reads the pieces to their end. May be asked twice: what it made of a wrong content is dropped.
            org_id: As for `index`.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        try:
            return self._read(pack, index, file, consume, org_id)
        except NotAsIndexed:
            # Either the index is wrong, or what came over the wire was.
            again = self.read_index(pack, org_id=org_id)
            found = again.find(file.path)
            if found is None or found.sha256 != file.sha256:
                raise
            return self._read(pack, again, found, consume, org_id)

    @contextmanager
    def opened_layer(self, pack: Pack, index: FileIndex) -> Iterator[Iterator[bytes]]:
        """Give the only layer of a pack that we built; it is known to be right only when all has been read.

        Args:
            pack: The pack.
            index: Its files.

        Raises:
            NotOurForm: There is not one layer.
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        if len(index.layers) != 1:
            raise NotOurForm
        with (
            self._opened(pack, pack.org_id) as repository,
            opened_layer(repository, index.layers[0]) as chunks,
        ):
            yield chunks

    def _read(
        self,
        pack: Pack,
        index: FileIndex,
        file: IndexedFile,
        consume: Callable[[Iterator[bytes]], Result],
        org_id: str,
    ) -> Result:
        with self._opened(pack, org_id) as repository, opened_file(repository, index, file) as pieces:
            return consume(pieces)

    def _reader(self, pack: Pack, org_id: str) -> str | None:
        """Return for whom an index of the image is kept, None for everybody who sees the pack."""
        ours = pack.layer_digest is not None or self._is_ours(parse_reference(pack.image_ref))
        return None if ours else org_id

    def _is_ours(self, reference: Reference) -> bool:
        return reference.registry == self.sources.own.host

    @contextmanager
    def _opened(self, pack: Pack, org_id: str) -> Iterator[ThirdPartyRepository]:
        """Open the image's repository: of our own registry for whoever sees the pack, elsewhere as the caller may."""
        reference = replace(parse_reference(pack.image_ref), digest=pack.image_digest)
        ours = self._is_ours(reference)
        try:
            with self.sources.opened(reference, org_id=pack.org_id if ours else org_id) as repository:
                yield repository
        except InvalidRequest as refusal:
            raise InvalidRequest({"id": f"its image {refusal.fields['image_ref']}"}) from refusal


def _is_about(index: FileIndex, pack: Pack) -> bool:
    """Return whether an index is one of the pack's image, as far as the row can tell."""
    return pack.layer_digest is None or [layer.digest for layer in index.layers] == [pack.layer_digest]
