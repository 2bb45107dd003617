"""Unpacking layers into files that are checked one by one before they are given their names.

What is written is what the lock lists, and nothing else: a member of another path is not written, and one of another
content is thrown away, as a file that a higher layer replaces. So links, devices and whiteouts of an image mean nothing
here. A file that comes as a hard link is a copy of a file of the same content.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.third_party_tar import LayerMember, ThirdPartyTar, path_of
from packyard_cli.archive import HashedFile
from packyard_cli.failure import Exit, Failure
from packyard_cli.image_source import ImageSource
from packyard_cli.lock_document import LockedLayer
from packyard_cli.new_tree import NewTree
from packyard_cli.wire import Unreached

_THREADS: Final = 3
_ATTEMPTS: Final = 3
_MAX_LAYER_BYTES: Final = 16 << 30
_MAX_MEMBERS: Final = 1_000_000


@dataclass(slots=True)
class Unpacking:
    """The files of one pack that are being written into a folder.

    Attributes:
        wanted: What the lock lists, by path.
        missing: The paths that are not there yet.
    """

    wanted: Mapping[str, HashedFile]
    missing: set[str]
    _tree: NewTree
    _stopped: Event = field(default_factory=Event)

    @classmethod
    def of(cls, folder: Path, files: tuple[HashedFile, ...]) -> "Unpacking":
        """Return the unpacking of files into a folder, none of which is there."""
        wanted = {file.path: file for file in files}
        return cls(wanted, set(wanted), NewTree(folder))

    def take_from(self, before: Path, had: Mapping[str, HashedFile]) -> None:
        """Take files over from an earlier installation, after hashing them.

        Args:
            before: The pack's folder there.
            had: What was installed there, by path.
        """
        by_content = {(file.sha256, file.mode): path for path, file in had.items()}
        sources = []
        for path in sorted(self.missing):
            file = self.wanted[path]
            found = path if had.get(path) == file else by_content.get((file.sha256, file.mode))
            if found is not None:
                sources.append((f"{before}/{found}", file))
        # A task for each file would take longer than what it does.
        parts = [sources[number::_THREADS] for number in range(_THREADS)]
        with ThreadPoolExecutor(_THREADS) as pool:
            for taken in pool.map(self._taken, parts):
                self.missing.difference_update(taken)

    def _taken(self, sources: Iterable[tuple[str, HashedFile]]) -> list[str]:
        return [file.path for source, file in sources if self._tree.take(source, file)]

    def take_layers(
        self, source: ImageSource, layers: tuple[LockedLayer, ...], known: frozenset[str]
    ) -> None:
        """Read layers until every file is there, those first that an earlier installation had not.

        Args:
            source: Where layers come from.
            layers: The image's.
            known: Digests of layers whose files were there before.

        Raises:
            Failure: A layer is not what its digest says, or the image lacks a file that the lock lists.
        """
        for was_there in (False, True):
            if self.missing:
                self._read_all(source, [layer for layer in layers if (layer.digest in known) is was_there])
        self._copy_same()
        if self.missing:
            path = min(self.missing)
            raise Failure(
                Exit.TAMPERED,
                f"The image {source.image_digest} has no {path} with the content that the lock names.",
                "Do not use it: find out who changed the lock or the image.",
            )

    def _read_all(self, source: ImageSource, layers: list[LockedLayer]) -> None:
        with ThreadPoolExecutor(_THREADS) as pool:
            running = [pool.submit(self._read, source, layer) for layer in layers]
            try:
                for finished in as_completed(running):
                    finished.result()
            except BaseException:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _read(self, source: ImageSource, layer: LockedLayer) -> None:
        if not self._read_kept(source, layer):
            self._fetch(source, layer)

    def _read_kept(self, source: ImageSource, layer: LockedLayer) -> bool:
        """Read a layer from the cache, and return whether it was there. A damaged one is removed."""
        kept = source.cache.pieces(layer.digest)
        if kept is None:
            return False
        try:
            self._read_once(source, layer, kept, cached=True)
        except Failure as failure:
            if failure.exit_code is not Exit.TAMPERED:
                raise
            source.cache.drop(layer.digest)
            # What is wrong in the cache may be right at the service.
            if source.service is None:
                raise
            return False
        return True

    def _fetch(self, source: ImageSource, layer: LockedLayer) -> None:
        """Read a layer from the service, from its beginning again where it is cut off."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._read_once(source, layer, source.fetched(layer), cached=False)
            except Unreached:
                if source.service is None or attempt == _ATTEMPTS:
                    raise
                source.service.pause(attempt)
            else:
                return

    def _read_once(
        self, source: ImageSource, layer: LockedLayer, pieces: Iterator[bytes], *, cached: bool
    ) -> None:
        sha256 = hashlib.sha256()
        with nullcontext() if cached else source.cache.begin(layer.digest) as blob:

            def passing() -> Iterator[bytes]:
                for piece in pieces:
                    if self._stopped.is_set():
                        raise Failure(Exit.INTERRUPTED, "Another layer could not be read.")
                    sha256.update(piece)
                    if blob is not None:
                        blob.write(piece)
                    yield piece

            stream = passing()
            fault = self._unpack(stream)
            for _ in stream:
                pass
            if f"sha256:{sha256.hexdigest()}" != layer.digest:
                raise Failure(
                    Exit.TAMPERED,
                    f"The layer {layer.digest} came with other bytes than its digest names.",
                    "Repeat the command; if it happens again, tell the service's operator.",
                )
            if fault is not None:
                raise Failure(
                    Exit.INVALID, f"The layer {layer.digest} cannot be unpacked: it {fault}."
                ) from fault
            if blob is not None:
                blob.keep()

    def _unpack(self, stream: Iterator[bytes]) -> ImageFault | None:
        """Write the files of a layer; return what is wrong with it, for when its digest has been checked."""
        try:
            tar = ThirdPartyTar(inflate_layer(stream), max_bytes=_MAX_LAYER_BYTES, max_members=_MAX_MEMBERS)
            for member in tar:
                self._take(member, tar)
        except ImageFault as fault:
            return fault
        return None

    def _take(self, member: LayerMember, tar: ThirdPartyTar) -> None:
        path = path_of(member.name) if member.is_file else None
        file = self.wanted.get(path) if path is not None else None
        if file is None or file.size != member.size or file.path not in self.missing:
            return
        if self._tree.write(file, tar.read):
            self.missing.discard(file.path)

    def _copy_same(self) -> None:
        """Write files that no layer has as a file, such as hard links, from others with the same content."""
        there = {file.sha256: path for path, file in self.wanted.items() if path not in self.missing}
        for path in sorted(self.missing):
            original = there.get(self.wanted[path].sha256)
            if original is not None:
                self._tree.copy(original, self.wanted[path])
                self.missing.discard(path)
