"""An archive of files that are to be written into a pack, and what they change in its image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.layer_writer import LayerWriter
from packyard.oci.build.tree import File
from packyard.oci.read.file_index import FileIndex, IndexedFile, empty_directories
from packyard.operations.changed_image import Changes
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import shown
from packyard.packs.archive.reader import read_files
from packyard.packs.file_changes import changed_paths
from packyard.packs.manifest.pack_manifest import Manifest


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The files that a change brings, by their paths in the pack.

    Attributes:
        manifest: What their `pack.yaml` or `SKILL.md` says, if it is among them.
        directories: Their directories.
        files: The files, whose content is in a spool.
        misplaced: The faults of those that may not be at the root of a pack, by field. In an Agent Skill they may.
    """

    manifest: Manifest | None = None
    directories: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    misplaced: Mapping[str, str] = field(default_factory=dict)


def read_written(archive: BinaryIO | None, *, limits: ArchiveLimits, spool: LayerSpool) -> WrittenFiles:
    """Read and check an archive of files, and put their content into a spool.

    Args:
        archive: A `.tar.gz`, read once; None for no files.
        limits: The limits to enforce.
        spool: Receives the content.

    Raises:
        InvalidRequest: The archive or its `pack.yaml` is wrong; every fault is named.
        PayloadTooLarge: The archive is over its limit.
    """
    if archive is None:
        return WrittenFiles()
    with LayerWriter(spool) as writer:
        contents = read_files(archive, limits=limits, contents=writer)
        writer.finish()
    files = (File(file.path, file.executable, file.content.content()) for file in contents.files)
    return WrittenFiles(contents.manifest, contents.directories, tuple(files), contents.misplaced)


def changes_of(written: WrittenFiles, deletions: Sequence[str], index: FileIndex) -> Changes:
    """Return what a change does to an image. A file that is there already, content and mode, changes nothing.

    Args:
        written: The files to add or replace.
        deletions: The paths to delete, a folder's with a slash at its end.
        index: Of the image.

    Raises:
        InvalidRequest: On `archive:<path>` or `delete:<path>`: see `changed_paths`.
    """
    there = {file.path: file for file in index.files}
    written_paths = [file.path for file in written.files]
    paths = changed_paths(
        files=there,
        directories=index.directories,
        deletions=deletions,
        written=written_paths,
        new_directories=empty_directories(written.directories, written_paths),
        field=lambda path: f"archive:{shown(path.encode())}",
    )
    files: dict[str, File | None] = dict.fromkeys(paths.deleted)
    files |= {file.path: file for file in written.files if not _is_same(file, there.get(file.path))}
    return Changes(files=files, directories=paths.directories)


def changes_nothing(changes: Changes, index: FileIndex) -> bool:
    """Return whether an image has the files and the empty directories that a change would give it."""
    if changes.files:
        return False
    directories = changes.directories or ()
    return empty_directories(directories, [file.path for file in index.files]) == index.directories


def _is_same(file: File, there: IndexedFile | None) -> bool:
    return (
        there is not None
        and file.content.sha256 == there.sha256
        and file.executable == bool(there.mode & 0o111)
    )
