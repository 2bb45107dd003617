"""Finding every file of an image through its layers, from the lowest up (OCI image-spec, layer.md, "Whiteouts").

What a layer holds replaces what lower layers hold in its place; what it whites out is hidden. A hard link is the file
that it names, as that is when a runtime comes to the link: of the members before it, or of the layers below, as far as
the members before have not whited it out. Symbolic links, devices and sparse files hide what is below them but are no
files of their own, and neither is a hard link to one of them or to nothing: none has bytes in a layer to be read.
"""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.file_index import MAX_FILES, FileIndex, IndexedFile, IndexedLayer, empty_directories
from packyard.oci.read.file_tree import FileTree
from packyard.oci.read.inflation import MemberLog, inflate_layer
from packyard.oci.read.root_file import LayerLimits
from packyard.oci.read.third_party_document import Descriptor
from packyard.oci.read.third_party_tar import LayerMember, ThirdPartyTar, path_of

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_CHUNK_BYTES: Final = 256 << 10


@dataclass(slots=True)
class _LayerContents:
    """What one layer says, by path.

    Attributes:
        files: Regular files; None for what is neither that nor a directory.
        directories: Directories.
        hidden: What of lower layers is gone.
        opaque: Directories of which nothing in lower layers is left.
        aside: Regular files for hard links to name, which no runtime unpacks: AUFS, under which Docker wrote its first
            layers, kept them in `.wh..wh.plnk`.
    """

    files: dict[str, IndexedFile | None] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)
    aside: dict[str, IndexedFile | None] = field(default_factory=dict)

    def covers(self, path: str) -> bool:
        """Tell whether what lower layers hold at a path is out of reach by now."""
        if path in self.hidden or path in self.directories:
            return True
        while path:
            path = path.rpartition("/")[0]
            if path in self.hidden or path in self.opaque or path in self.files:
                return True
        return False


class ImageScan:
    """One image, layer by layer.

    Args:
        limits: Bounds on each layer.
    """

    def __init__(self, *, limits: LayerLimits) -> None:
        self._limits = limits
        self._layers: list[IndexedLayer] = []
        self._tree = FileTree(most=MAX_FILES)

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

    def finish(self) -> FileIndex:
        """Return the files that the image shows."""
        files = tuple(self._tree.files())
        directories = empty_directories(self._tree.directories(), (file.path for file in files))
        return FileIndex(tuple(self._layers), files, directories)

    def _read(self, chunks: Iterable[bytes], log: MemberLog) -> _LayerContents:
        limits = self._limits
        pieces = inflate_layer(chunks, log=log)
        tar = ThirdPartyTar(pieces, max_bytes=limits.unpacked_bytes, max_members=limits.members)
        contents = _LayerContents()
        for member in tar:
            path = path_of(member.name)
            if path is not None:
                self._note(contents, path, member, tar)
        _exhaust(pieces, max_bytes=limits.unpacked_bytes - tar.position)
        for path, file in contents.files.items():
            if file is not None and file.layer == len(self._layers):
                contents.files[path] = _located(file, log)
        return contents

    def _note(self, contents: _LayerContents, path: str, member: LayerMember, tar: ThirdPartyTar) -> None:
        """Note one member. Of two of one path the later one wins, as when they are unpacked."""
        parent, _, name = path.rpartition("/")
        if name == _OPAQUE:
            contents.opaque.add(parent)
        elif name.startswith(_WHITEOUT):
            contents.hidden.add(posixpath.join(parent, name.removeprefix(_WHITEOUT)))
        elif f"/{_WHITEOUT}" in f"/{parent}":
            contents.aside[path] = self._leaf(contents, path, member, tar)
        elif member.is_directory:
            contents.files.pop(path, None)
            contents.directories.add(path)
        else:
            contents.directories.discard(path)
            contents.files[path] = self._leaf(contents, path, member, tar)

    def _leaf(
        self, contents: _LayerContents, path: str, member: LayerMember, tar: ThirdPartyTar
    ) -> IndexedFile | None:
        if member.hard_link is not None:
            target = self._target(contents, member.hard_link)
            return None if target is None else replace(target, path=path)
        return self._file(path, member, tar) if member.is_file else None

    def _target(self, contents: _LayerContents, name: bytes) -> IndexedFile | None:
        """Return the file that a hard link names, its mode included: what the link's own header says is not applied."""
        path = path_of(name)
        if path is None:
            return None
        for members in (contents.files, contents.aside):
            if path in members:
                return members[path]
        return None if contents.covers(path) else self._tree.find(path)

    def _file(self, path: str, member: LayerMember, tar: ThirdPartyTar) -> IndexedFile:
        at = tar.position if member.size else 0
        sha256 = hashlib.sha256()
        while piece := tar.read(_CHUNK_BYTES):
            sha256.update(piece)
        return IndexedFile(path, member.size, member.mode, sha256.hexdigest(), len(self._layers), at)

    def _put(self, contents: _LayerContents) -> None:
        """Put a layer on what the lower ones have left: first what it hides of theirs, then what it holds."""
        for path in contents.hidden:
            self._tree.remove(path)
        for path in contents.opaque:
            self._tree.clear(path)
        # In order, a path comes before what claims to lie in it.
        for path in sorted(contents.files):
            self._tree.put(path, contents.files[path], layer=len(self._layers))
        for path in contents.directories:
            self._tree.put_directory(path, layer=len(self._layers))


def _located(file: IndexedFile, log: MemberLog) -> IndexedFile:
    members = log.members(file.at, file.size) if file.size else ()
    return replace(file, at=0, members=members) if members else file


def _exhaust(pieces: Iterable[bytes], *, max_bytes: int) -> None:
    """Read what follows a tar's end: zeros, as a rule; where its last member ends is known only then."""
    for piece in pieces:
        max_bytes -= len(piece)
        if max_bytes < 0:
            raise ImageFault("has a layer with too much behind its end")
