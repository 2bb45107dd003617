"""Finding all files of an image through its layers, from the lowest up (OCI image-spec, layer.md, "Whiteouts").

A member of a layer replaces what lower layers have at its path, and a whiteout hides it. A hard link stands for the
file that its target is when a runtime unpacks the link: an earlier member of the same layer or, unless an earlier
member hides it, a file of the layers below. Symbolic links, devices and sparse files hide what is below them. But they
do not count as files, because no layer has their content as plain bytes. The same holds for a hard link to one of them,
or to nothing.
"""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.checkpoints import CheckpointLog
from packyard.oci.read.file_index import MAX_FILES, FileIndex, IndexedFile, IndexedLayer, empty_directories
from packyard.oci.read.file_tree import FileTree
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.read.piece_log import PieceLog
from packyard.oci.read.third_party_tar import LayerMember, ThirdPartyTar, path_of

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_CHUNK_BYTES: Final = 256 << 10
# The size in bytes from which a layer gets checkpoints. A smaller blob is read quickly from its start.
_LARGE_LAYER: Final = 1 << 20


@dataclass(slots=True)
class _LayerContents:
    """The contents of one layer, by path.

    Attributes:
        files: Regular files; None for anything else that is not a directory.
        directories: Directories.
        hidden: Paths of lower layers that whiteouts remove.
        opaque: Directories whose contents in lower layers are removed.
        link_targets: Files that are only the targets of hard links and that no runtime unpacks. The AUFS driver, with
            which Docker wrote its first layers, kept them in `.wh..wh.plnk`.
    """

    files: dict[str, IndexedFile | None] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)
    link_targets: dict[str, IndexedFile | None] = field(default_factory=dict)

    def covers(self, path: str) -> bool:
        """Return whether the members so far hide whatever lower layers have at a path."""
        if path in self.hidden or path in self.directories:
            return True
        while path:
            path = path.rpartition("/")[0]
            if path in self.hidden or path in self.opaque or path in self.files:
                return True
        return False


class ImageScan:
    """Collects the files of one image, layer by layer.

    Args:
        limits: The limits of each layer.
        checkpoints: Whether to collect checkpoints of large gzip layers. This makes reading slower.
    """

    def __init__(self, *, limits: LayerLimits, checkpoints: bool = False) -> None:
        self._limits = limits
        self._looks_for_checkpoints = checkpoints
        self._layers: list[IndexedLayer] = []
        self._tree = FileTree(most=MAX_FILES)

    def add(self, layer: Descriptor, chunks: Iterator[bytes]) -> bytes:
        """Apply the next layer, beginning with the lowest. The blob is always read to its end.

        Args:
            layer: The layer's descriptor in the manifest.
            chunks: The blob. Exceptions from the iteration are passed on.

        Returns:
            The windows of its checkpoints, to be stored beside the index; empty if there are no checkpoints.

        Raises:
            ImageFault: The layer cannot be read, or the image has too many files.
        """
        noted = CheckpointLog() if self._looks_for_checkpoints and layer.size >= _LARGE_LAYER else None
        log = PieceLog(checkpoints=noted)
        tar_sha256 = hashlib.sha256()
        try:
            contents = self._read(chunks, log, tar_sha256)
        finally:
            # Only after the whole blob was read and its digest checked is it known that the image is at fault, and not
            # the transfer.
            for _ in chunks:
                pass
        self._put(contents)
        diff_id = Digest(f"sha256:{tar_sha256.hexdigest()}")
        checkpoints, windows = noted.finish() if noted else ((), b"")
        stored = digest_of(windows) if windows else None
        self._layers.append(IndexedLayer(layer.digest, layer.size, log.form, diff_id, checkpoints, stored))
        return windows

    def finish(self) -> FileIndex:
        """Return the index of the image's files."""
        files = tuple(self._tree.files())
        directories = empty_directories(self._tree.directories(), (file.path for file in files))
        return FileIndex(tuple(self._layers), files, directories)

    def _read(self, chunks: Iterable[bytes], log: PieceLog, tar_sha256: "hashlib._Hash") -> _LayerContents:
        limits = self._limits
        pieces = _hashed(inflate_layer(chunks, log=log), tar_sha256)
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
        """Add one member to the contents. If a path occurs twice, the later member counts, as when unpacking."""
        parent, _, name = path.rpartition("/")
        if name == _OPAQUE:
            contents.opaque.add(parent)
        elif name.startswith(_WHITEOUT):
            contents.hidden.add(posixpath.join(parent, name.removeprefix(_WHITEOUT)))
        elif f"/{_WHITEOUT}" in f"/{parent}":
            contents.link_targets[path] = self._leaf(contents, path, member, tar)
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
            return None if target is None else target._replace(path=path)
        return self._file(path, member, tar) if member.is_file else None

    def _target(self, contents: _LayerContents, name: bytes) -> IndexedFile | None:
        """Return the file that a hard link names. Its mode counts, not the one in the link's own header."""
        path = path_of(name)
        if path is None:
            return None
        for members in (contents.files, contents.link_targets):
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
        """Apply a layer to the tree: first its whiteouts, then its files and directories."""
        for path in contents.hidden:
            self._tree.remove(path)
        for path in contents.opaque:
            self._tree.clear(path)
        # Sorted, so that a path comes before the paths below it.
        for path in sorted(contents.files):
            self._tree.put(path, contents.files[path], layer=len(self._layers))
        for path in contents.directories:
            self._tree.put_directory(path, layer=len(self._layers))


def _located(file: IndexedFile, log: PieceLog) -> IndexedFile:
    pieces = log.pieces(file.at, file.size) if file.size else ()
    return file._replace(at=0, pieces=pieces) if pieces else file


def _hashed(pieces: Iterator[bytes], sha256: "hashlib._Hash") -> Iterator[bytes]:
    for piece in pieces:
        sha256.update(piece)
        yield piece


def _exhaust(pieces: Iterable[bytes], *, max_bytes: int) -> None:
    """Read the rest of the blob after the tar's end, usually zeros, to learn where the last gzip member ends."""
    for piece in pieces:
        max_bytes -= len(piece)
        if max_bytes < 0:
            raise ImageFault("has a layer with too much after its end")
