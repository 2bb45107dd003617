"""The pack that stands while its archive is sent anew: what of it need be neither compressed nor sent again.

It is known by the pack's row and the file index of its image. The index is a cache. Without it, or with one that the
row does not bear out, the archive is built as that of a new pack is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from packyard.errors import InvalidRequest
from packyard.oci.build.change import LayerPlan, plan_change
from packyard.oci.build.file_in_spool import FileInSpool
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.new_content import NewContent, not_kept
from packyard.oci.build.standing_layer import leaves_of_layers, taken_files
from packyard.oci.build.tree import File
from packyard.oci.content import Content
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import FileIndex, IndexedFile, IndexedLayer
from packyard.operations.image_files import ImageFiles
from packyard.operations.vouched_index import row_bears_out_files, row_bears_out_sizes
from packyard.packs.archive.contents import PackContents
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, is_pack_id
from packyard.store.packs import PackStore
from packyard.tenants.caller import Actor, reaches

# A smaller image is made anew in less time than it takes to read what stands.
_WORTH_BYTES: Final = 8 << 20


# Not frozen, and with a dictionary: cached properties are written on first use.
@dataclass(kw_only=True)
class StandingPack:
    """A pack whose image we built, and where its files are.

    Attributes:
        pack: The pack.
        index: Of its image; the row bears it out.
        files: Reads its layers.
    """

    pack: Pack
    index: FileIndex
    files: ImageFiles

    @cached_property
    def contents(self) -> dict[str, IndexedFile]:
        """A file of each content, by its SHA-256 in hex."""
        return {file.sha256: file for file in self.index.files}

    def new_content(self, spool: LayerSpool) -> NewContent:
        """Return what puts the content of an archive into a spool, as far as the image does not have it."""
        return NewContent(spool, known=self.contents)

    def plan(self, archive: PackContents[FileInSpool], spool: LayerSpool) -> LayerPlan:
        """Return the layers that the image of an archive has, most of which may stand.

        Args:
            archive: What it holds, read with `new_content`.
            spool: Has the new content, and gets what is elsewhere in the image than in the archive.

        Raises:
            NotOurForm: The image is not what the index says, or its registry has lost some of it.
            RegistryUnavailable, ServiceUnavailable: As for `ImageFiles.opened_layer`.
        """
        there = {file.path: file for file in self.index.files}
        files = [File(file.path, file.executable, file.content.content()) for file in archive.files]
        changed = [file for file in files if not _is_same(file, there.get(file.path))]
        moved = self._taken([file.content.sha256 for file in changed if not_kept(file.content)], spool)
        changes: dict[str, File | None] = dict.fromkeys(there.keys() - {file.path for file in files})
        changes |= {
            file.path: File(file.path, file.executable, moved.get(file.content.sha256, file.content))
            for file in changed
        }
        return plan_change(self.index, changes, vouched=True, directories=archive.directories)

    @contextmanager
    def opened(self, layer: IndexedLayer) -> Iterator[Iterator[bytes]]:
        """Give a layer's bytes; they are known to be right only when all have been read.

        Raises:
            NotOurForm: The registry has no such layer.
            RegistryUnavailable, ServiceUnavailable: As for `ImageFiles.opened_layer`.
        """
        try:
            with self.files.opened_layer(self.pack, layer) as chunks:
                yield chunks
        except InvalidRequest as refusal:
            raise NotOurForm from refusal

    def _taken(self, wanted: Sequence[str], spool: LayerSpool) -> dict[str, Content]:
        """Put contents of the image into a spool, and return them by their SHA-256."""
        if not wanted:
            return {}
        paths = {self.contents[sha256].path for sha256 in wanted}
        found = {}
        for layer, leaves in zip(self.index.layers, leaves_of_layers(self.index), strict=True):
            if paths.isdisjoint(leaf.path for leaf in leaves):
                continue
            with self.opened(layer) as chunks:
                for file in taken_files(
                    leaves, chunks, form=layer.form, size=layer.size, spool=spool, wanted=paths
                ):
                    found[file.content.sha256] = file.content
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPacks:
    """Finds the packs that stand.

    Attributes:
        packs: The rows of packs.
        files: Reads the images of packs.
    """

    packs: PackStore
    files: ImageFiles

    def find(self, pack_id: str, *, actor: Actor) -> StandingPack | None:
        """Return a pack of the actor's organisation, if building on its image pays. At most two reads.

        Args:
            pack_id: The pack, as the client names it.
            actor: Who sends the archive.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        pack = self.packs.get(pack_id) if is_pack_id(pack_id) else None
        if (
            pack is None
            or pack.org_id != actor.org_id
            or not reaches(actor, org_id=pack.org_id, name=pack.name)
            or pack.status is not PackStatus.ACTIVE
            or pack.image_origin is not ImageOrigin.UPLOAD
            or pack.size_bytes <= _WORTH_BYTES
        ):
            return None
        index = self.files.kept_index(pack, org_id=pack.org_id)
        if index is None or not row_bears_out_files(pack, index) or not row_bears_out_sizes(pack, index):
            return None
        return StandingPack(pack=pack, index=index, files=self.files)


def _is_same(file: File, there: IndexedFile | None) -> bool:
    return (
        there is not None
        and there.sha256 == file.content.sha256
        and file.executable == bool(there.mode & 0o111)
    )
