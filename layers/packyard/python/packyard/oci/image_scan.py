"""Finding every file of an image through its layers, from the lowest up (OCI image-spec, layer.md, "Whiteouts").

What a layer holds replaces what lower layers hold in its place; what it whites out is hidden. Links, devices and sparse
files hide what is below them but are no files of their own: none of them has bytes in the layer that could be read.
"""

import hashlib
import posixpath
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from packyard.oci.file_index import MAX_FILES, FileIndex, IndexedFile, IndexedLayer, empty_directories
from packyard.oci.foreign_document import Descriptor
from packyard.oci.foreign_tar import ForeignTar, LayerMember
from packyard.oci.image_fault import ImageFault
from packyard.oci.inflation import MemberLog, inflate_layer
from packyard.oci.root_file import LayerLimits

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_CHUNK_BYTES: Final = 256 << 10
# Linux opens no longer path (PATH_MAX); a runtime could not show such a file.
_MAX_PATH_BYTES: Final = 4096


@dataclass(slots=True)
class _LayerContents:
    """What one layer says, by path.

    Attributes:
        files: Regular files; None for what is neither that nor a directory.
        directories: Directories.
        hidden: What of lower layers is gone.
        opaque: Directories of which nothing in lower layers is left.
    """

    files: dict[str, IndexedFile | None] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)

    def hides(self, path: str) -> bool:
        """Return whether something of a lower layer is gone with this one."""
        parents = list(_parents(path))
        return (
            path in self.files
            or _any_in(self.hidden, (path, *parents))
            or _any_in(self.files, parents)
            or _any_in(self.opaque, parents)
        )


class ImageScan:
    """One image, layer by layer.

    Args:
        limits: Bounds on each layer.
    """

    def __init__(self, *, limits: LayerLimits) -> None:
        self._limits = limits
        self._layers: list[IndexedLayer] = []
        self._files: dict[str, IndexedFile] = {}
        self._directories: set[str] = set()

    def add(self, layer: Descriptor, chunks: Iterator[bytes]) -> None:
        """Take in the next layer, the lowest first. It is read to its end, whatever is found.

        Args:
            layer: What the manifest says of it.
            chunks: The blob; what raises there passes through.

        Raises:
            ImageFault: It cannot be read, or the image has too many files.
        """
        log = MemberLog()
        try:
            contents = self._read(chunks, log)
        finally:
            # Only a whole blob tells whether a fault is the image's, or the transfer's.
            for _ in chunks:
                pass
        self._put(contents)
        self._layers.append(IndexedLayer(layer.digest, layer.size, log.plain))
        if len(self._files) + len(self._directories) > MAX_FILES:
            raise ImageFault(f"has more than {MAX_FILES} files")

    def finish(self) -> FileIndex:
        """Return the files that the image shows."""
        files = tuple(self._files[path] for path in sorted(self._files))
        return FileIndex(tuple(self._layers), files, empty_directories(self._directories, self._files))

    def _read(self, chunks: Iterable[bytes], log: MemberLog) -> _LayerContents:
        limits = self._limits
        pieces = inflate_layer(chunks, log=log)
        tar = ForeignTar(pieces, max_bytes=limits.unpacked_bytes, max_members=limits.members)
        contents = _LayerContents()
        for member in tar:
            path = _path_of(member)
            if path is not None:
                self._note(contents, path, member, tar)
        _exhaust(pieces, max_bytes=limits.unpacked_bytes - tar.position)
        for path, file in contents.files.items():
            if file is not None:
                contents.files[path] = _located(file, log)
        return contents

    def _note(self, contents: _LayerContents, path: str, member: LayerMember, tar: ForeignTar) -> None:
        """Note one member. Of two of one path the later one wins, as when they are unpacked."""
        parent, _, name = path.rpartition("/")
        if name == _OPAQUE:
            contents.opaque.add(parent)
        elif name.startswith(_WHITEOUT):
            contents.hidden.add(posixpath.join(parent, name.removeprefix(_WHITEOUT)))
        elif member.is_directory:
            contents.files.pop(path, None)
            contents.directories.add(path)
        else:
            contents.directories.discard(path)
            contents.files[path] = self._file(path, member, tar) if member.is_file else None

    def _file(self, path: str, member: LayerMember, tar: ForeignTar) -> IndexedFile:
        at = tar.position if member.size else 0
        sha256 = hashlib.sha256()
        while piece := tar.read(_CHUNK_BYTES):
            sha256.update(piece)
        return IndexedFile(path, member.size, member.mode, sha256.hexdigest(), len(self._layers), at)

    def _put(self, contents: _LayerContents) -> None:
        self._files = {path: file for path, file in self._files.items() if not contents.hides(path)}
        self._directories = {path for path in self._directories if not contents.hides(path)}
        for path, file in contents.files.items():
            if file is not None and not _any_in(contents.files, _parents(path)):
                self._files[path] = file
        for path in contents.directories:
            self._files.pop(path, None)
            self._directories.add(path)


def _located(file: IndexedFile, log: MemberLog) -> IndexedFile:
    members = log.members(file.at, file.size) if file.size else ()
    return IndexedFile(
        file.path, file.size, file.mode, file.sha256, file.layer, 0 if members else file.at, members
    )


def _exhaust(pieces: Iterable[bytes], *, max_bytes: int) -> None:
    """Read what follows a tar's end: zeros, as a rule; where its last member ends is known only then."""
    for piece in pieces:
        max_bytes -= len(piece)
        if max_bytes < 0:
            raise ImageFault("has a layer with too much behind its end")


def _path_of(member: LayerMember) -> str | None:
    """Return where a member lies: `./x`, `/x` and `a/../x` are all `x`; None for what has no path of ours."""
    if len(member.name) > _MAX_PATH_BYTES:
        return None
    try:
        return posixpath.normpath("/" + member.name.decode()).lstrip("/") or None
    except UnicodeDecodeError:
        return None


def _parents(path: str) -> Iterator[str]:
    """Yield the directories that a path lies in, the root (empty) last."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _any_in(container: Container[str], paths: Iterable[str]) -> bool:
    return any(path in container for path in paths)
