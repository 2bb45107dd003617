"""An archive, validated and built into an image on the local disk, before the image is pushed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from packyard.oci.build.cut import cut
from packyard.oci.build.file_in_spool import FileInSpool
from packyard.oci.build.image import Image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.layer_writer import LayerWriter
from packyard.oci.build.tree import Entry, File, canonical_order
from packyard.oci.digest import Digest
from packyard.operations.pack_content import image_of
from packyard.operations.scannable_files import in_spool
from packyard.operations.sent_layers import assembled
from packyard.packs.archive.contents import PackContents
from packyard.packs.archive.digested import DigestedArchive
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.registry.own.port import BlobUpload
from packyard.scanning.parts import ScannableFile

if TYPE_CHECKING:
    from packyard.oci.build.change import LayerPlan

    # Functions that build no large packs load nothing that reads the one that stands.
    from packyard.operations.standing_pack import StandingPack


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPack:
    """What an archive has become.

    Attributes:
        manifest: What its `pack.yaml` or its `SKILL.md` says.
        image: The image's documents.
        uploads: By a layer's digest: what has taken the layer ahead of its push, if the image is a large one.
        archive_digest: Of the archive as it was sent.
        new_files: The files whose content is new, for the scanner.
        built_on: The image that has all other files, at the same paths; None if all are new.
    """

    manifest: Manifest
    image: Image
    uploads: Mapping[Digest, BlobUpload]
    archive_digest: Digest
    new_files: Sequence[ScannableFile]
    built_on: Digest | None = None

    def named(self, manifest: Manifest) -> "BuiltPack":
        """Return it with another manifest, whose version the image's documents then state. The layers stay."""
        return replace(self, manifest=manifest, image=image_of(manifest, self.image.layers))

    @property
    def paths(self) -> set[str]:
        """The paths of all files."""
        return {file.path for layer in self.image.layers for file in layer.files}


@contextmanager
def building(
    archive: BinaryIO,
    *,
    limits: ArchiveLimits,
    begin_upload: Callable[[PackName], BlobUpload],
    standing: "StandingPack | None" = None,
) -> Iterator[BuiltPack]:
    """Validate an archive and build its image, in bounded memory; the layers last as long as the context.

    Args:
        archive: A `.tar.gz`, read once from its present position.
        limits: Bounds on it.
        begin_upload: Returns an upload in the repository of the pack of this name; asked only for a large image.
        standing: The pack that the archive replaces. What is equal is neither compressed nor made anew, and layers that
            are equal have no blob here.

    Raises:
        InvalidRequest: The archive or its `pack.yaml` is wrong; every fault is named.
        PayloadTooLarge: The archive is over its limit.
        NotOurForm: `standing` cannot be built upon.
    """
    with LayerSpool() as spool:
        with LayerWriter(spool) if standing is None else standing.new_content(spool) as writer:
            digested = DigestedArchive(archive)
            contents = read_archive(digested, limits=limits, contents=writer)
            writer.finish()
        manifest = contents.manifest
        if standing is None:
            plan, layers = None, _layers(contents)
        else:
            plan = standing.plan(contents, spool)
            layers = plan.made(spool, opened=standing.opened)
        with assembled(
            spool,
            layers,
            size=spool.size if plan is None else plan.size,
            begin_upload=lambda: begin_upload(manifest.name),
        ) as sent:
            yield BuiltPack(
                manifest=manifest,
                image=image_of(manifest, sent.layers if plan is None else plan.layers(sent.layers)),
                uploads=sent.uploads,
                archive_digest=digested.digest(),
                new_files=[in_spool(file, spool) for file in _new_files(contents, plan)],
                built_on=None if standing is None else standing.pack.image_digest,
            )


def _layers(contents: PackContents[FileInSpool]) -> Iterable[Iterable[Entry]]:
    return cut(canonical_order(directories=contents.directories, files=_files(contents)))


def _files(contents: PackContents[FileInSpool]) -> list[File]:
    return [File(file.path, file.executable, file.content.content()) for file in contents.files]


def _new_files(contents: PackContents[FileInSpool], plan: "LayerPlan | None") -> Iterable[File]:
    """Return the files that the image that stands does not have at their paths. Their content is in the spool."""
    if plan is None:
        return _files(contents)
    leaves = (entry for layer in plan.new for entry in layer)
    return [leaf for leaf in leaves if isinstance(leaf, File) and leaf.path not in plan.kept]
