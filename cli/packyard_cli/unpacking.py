"""Unpacking layers into files that are checked one by one before they are given their names.

What is written is what the lock lists, and nothing else: a member of another path is not written, and one of another
content is thrown away, as a file that a higher layer replaces. So links, devices and whiteouts of an image mean nothing
here. A file that comes as a hard link is a copy of a file of the same content.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from threading import Lock as Mutex
from typing import Final

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.third_party_tar import LayerMember, ThirdPartyTar, path_of
from packyard_cli.archive import HashedFile, sha256_of_file
from packyard_cli.failure import Exit, Failure
from packyard_cli.image_source import ImageSource
from packyard_cli.lock_document import LockedLayer

_THREADS: Final = 4
_CHUNK: Final = 256 << 10
_MAX_LAYER_BYTES: Final = 16 << 30
_MAX_MEMBERS: Final = 1_000_000


@dataclass(slots=True)
class Unpacking:
    """The files of one pack that are being written into a folder.

    Attributes:
        folder: Where they go.
        wanted: What the lock lists, by path.
        missing: The paths that are not there yet.
    """

    folder: Path
    wanted: Mapping[str, HashedFile]
    missing: set[str]
    _stopped: Event = field(default_factory=Event)
    _placing: Mutex = field(default_factory=Mutex)

    @classmethod
    def of(cls, folder: Path, files: tuple[HashedFile, ...]) -> "Unpacking":
        """Return the unpacking of files, none of which is there."""
        wanted = {file.path: file for file in files}
        return cls(folder, wanted, set(wanted))

    def take_from(self, before: Path, had: Mapping[str, HashedFile]) -> None:
        """Take files over from an earlier installation, after hashing them.

        Args:
            before: The pack's folder there.
            had: What was installed there, by path.
        """
        by_content = {(file.sha256, file.mode): path for path, file in had.items()}
        sources = []
        for path in sorted(self.missing):
            found = by_content.get((self.wanted[path].sha256, self.wanted[path].mode))
            if found is not None:
                sources.append((path, before / found))
        # A task for each file would take longer than what it does.
        parts = [sources[number::_THREADS] for number in range(_THREADS)]
        with ThreadPoolExecutor(_THREADS) as pool:
            for linked in pool.map(self._link_same, parts):
                self.missing.difference_update(linked)

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
        self._copy_links()
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
        pieces, cached = source.pieces(layer)
        try:
            self._read_once(source, layer, pieces, cached=cached)
        except Failure as failure:
            if not cached or failure.exit_code is not Exit.TAMPERED:
                raise
            # What is wrong in the cache may be right at the service.
            source.cache.drop(layer.digest)
            if source.service is None:
                raise
            self._read_once(source, layer, source.fetched(layer), cached=False)

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
        if path is None or file is None or path not in self.missing or file.size != member.size:
            return
        descriptor, unfinished = tempfile.mkstemp(dir=self.folder, prefix=".packyard-")
        sha256 = hashlib.sha256()
        try:
            with os.fdopen(descriptor, "wb") as out:
                while piece := tar.read(_CHUNK):
                    sha256.update(piece)
                    out.write(piece)
            if sha256.hexdigest() == file.sha256:
                self._place(Path(unfinished), path)
        finally:
            with suppress(FileNotFoundError):
                Path(unfinished).unlink()

    def _place(self, unfinished: Path, path: str) -> None:
        unfinished.chmod(self.wanted[path].mode)
        place = self.folder / path
        with self._placing:
            place.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(place)
            self.missing.discard(path)

    def _copy_links(self) -> None:
        there = {file.sha256: path for path, file in self.wanted.items() if path not in self.missing}
        for path in sorted(self.missing):
            original = there.get(self.wanted[path].sha256)
            if original is not None:
                place = self.folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.folder / original, place)
                place.chmod(self.wanted[path].mode)
                self.missing.discard(path)

    def _link_same(self, sources: Iterable[tuple[str, Path]]) -> list[str]:
        """Link the files that are what the lock says, each given with its path; return the paths of those."""
        linked = []
        for path, source in sources:
            if self._is_same(path, source):
                self._link(source, path)
                linked.append(path)
        return linked

    def _is_same(self, path: str, source: Path) -> bool:
        wanted = self.wanted[path]
        try:
            if source.is_symlink() or source.stat().st_size != wanted.size:
                return False
            return sha256_of_file(source) == wanted.sha256
        except OSError:
            return False

    def _link(self, source: Path, path: str) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        mode = self.wanted[path].mode
        try:
            if source.stat().st_mode & 0o777 == mode:
                os.link(source, place)
                return
        except OSError:
            # Not every file system has links.
            pass
        shutil.copyfile(source, place)
        place.chmod(mode)
