"""Changing files of an image that we built: a new image is made of the old one's layers, and of new content.

Layers that hold the same as before stand: they are neither read nor built nor sent. Of the others, the content that
stays is taken over as it is compressed. Nothing is written here but caches, and uploads that name nothing yet
(decision 21).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from packyard.errors import InvalidRequest
from packyard.oci.build.change import LayerPlan, plan_change
from packyard.oci.build.header_writer import BLOCK, end_of_archive, padding
from packyard.oci.build.layer import LayerContents, LayerSpool
from packyard.oci.build.tree import File, parents_of
from packyard.oci.digest import Digest
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import FileIndex
from packyard.operations.built_images import BuiltImages
from packyard.operations.image_files import ImageFiles
from packyard.operations.sent_layers import assembled
from packyard.operations.vouched_index import row_bears_out_files, row_bears_out_sizes
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.pack import ImageOrigin, Pack
from packyard.registry.own.port import BlobUpload

_TOO_MANY: Final = "the pack would have more than {} members"
_TOO_LARGE: Final = "the pack would unpack to more than {} bytes"
# By whether the pack is a clone.
_NOT_OURS: Final = (
    "its image is not as we build them today; upload its archive again to change its files",
    "is a clone of an image that was not built here, whose files cannot be changed; upload a pack of your own",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changes in an image.

    Attributes:
        files: By path: the file as it is to be, or None where there is to be none.
        directories: The directories to be; those that contain files may be missing. None for those that there are.
    """

    files: Mapping[str, File | None]
    directories: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedImage:
    """The layers of an image as they are to be.

    Attributes:
        layers: From the bottom up. Those that are a `Layer` are new, the others are in the pack's repository.
        uploads: By the digest of a new layer: what has taken it ahead of its push.
    """

    layers: Sequence[LayerContents]
    uploads: Mapping[Digest, BlobUpload]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChanger:
    """Changes the files of images.

    Attributes:
        images: Where new images go.
        files: What reads the old ones.
        limits: Bounds on a pack, the same as on its archive.
        field: The request's field to name when a pack would be over a limit.
    """

    images: BuiltImages
    files: ImageFiles
    limits: ArchiveLimits
    field: str

    @contextmanager
    def changed(
        self, pack: Pack, index: FileIndex, changes: Callable[[FileIndex], Changes], *, spool: LayerSpool
    ) -> Iterator[ChangedImage]:
        """Make the layers that a pack's image has after some changes; they last as long as the context and the spool.

        Args:
            pack: The pack, whose image we built.
            index: Of its files, as `ImageFiles.index` has it.
            changes: Returns the changes for an index of the image. Asked again when the first index is wrong.
            spool: Has the content of new files.

        Raises:
            InvalidRequest: On `field`: the pack would be over a limit. On `id`: its image is not as we build them.
            RegistryUnavailable, ServiceUnavailable: As for `ImageFiles.index`. And what `changes` raises.
        """
        new_content = spool.size
        with ExitStack() as uploads:
            try:
                image = self._made(pack, index, changes, spool, uploads)
            except NotOurForm:
                # The index is a cache, so that it may be wrong.
                uploads.close()
                spool.forget(new_content)
                index = self.files.read_index(pack, org_id=pack.org_id)
                image = self._made_by_its_layers(pack, index, changes, spool, uploads)
            yield image

    def _made_by_its_layers(
        self,
        pack: Pack,
        index: FileIndex,
        changes: Callable[[FileIndex], Changes],
        spool: LayerSpool,
        uploads: ExitStack,
    ) -> ChangedImage:
        try:
            return self._made(pack, index, changes, spool, uploads)
        except NotOurForm:
            raise InvalidRequest({"id": _NOT_OURS[pack.image_origin is ImageOrigin.CLONE]}) from None

    def _made(
        self,
        pack: Pack,
        index: FileIndex,
        changes: Callable[[FileIndex], Changes],
        spool: LayerSpool,
        uploads: ExitStack,
    ) -> ChangedImage:
        if not row_bears_out_sizes(pack, index) and not self.files.states_sizes_of(index, pack):
            raise NotOurForm
        wanted = changes(index)
        # Whether an only layer could stand is not asked: a change changes it.
        vouched = len(index.layers) > 1 and row_bears_out_files(pack, index)
        plan = plan_change(index, wanted.files, vouched=vouched, directories=wanted.directories)
        self._require_within_limits(plan, index)
        sent = uploads.enter_context(
            assembled(
                spool,
                plan.made(spool, opened=partial(self.files.opened_layer, pack)),
                size=plan.size,
                begin_upload=lambda: self.images.begin_upload(org_id=pack.org_id, name=pack.name),
            )
        )
        return ChangedImage(layers=plan.layers(sent.layers), uploads=sent.uploads)

    def _require_within_limits(self, plan: LayerPlan, index: FileIndex) -> None:
        """Check the limits of an archive. A pack that is over one, as when it was lowered, may stay so but not grow.

        An archive need not list the folders of its files, so an image may have more members than its archive had.
        """
        leaves = {leaf.path: leaf for layer in plan.new for leaf in layer}
        sizes = [leaf.content.size for leaf in leaves.values() if isinstance(leaf, File)]
        members, unpacked = _measured(leaves.keys(), sizes)
        if members <= self.limits.members and unpacked <= self.limits.unpacked_bytes:
            return
        paths = {file.path for file in index.files} | set(index.directories)
        members_before, unpacked_before = _measured(paths, [file.size for file in index.files])
        if members > max(self.limits.members, members_before):
            raise InvalidRequest({self.field: _TOO_MANY.format(self.limits.members)})
        if unpacked > max(self.limits.unpacked_bytes, unpacked_before):
            raise InvalidRequest({self.field: _TOO_LARGE.format(self.limits.unpacked_bytes)})


def _measured(paths: Collection[str], sizes: Iterable[int]) -> tuple[int, int]:
    """Return how many members an archive of some files has, their folders included, and how many bytes."""
    members = len(parents_of(paths) | set(paths))
    contents = sum(size + len(padding(size)) for size in sizes)
    return members, contents + BLOCK * members + len(end_of_archive())
