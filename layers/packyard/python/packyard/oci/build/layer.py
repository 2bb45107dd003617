"""Building the one layer of an image while keeping neither the archive nor the layer in memory.

The layer is a row of independent gzip members (API contract, section 4). RFC 1952, section 2.2 makes such a
row one gzip file, so every runtime reads it as usual, while one file can be read alone with one range
request. It also lets content be compressed once, in the order in which an archive brings it, and the layer be
those same bytes in another order.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from isal import igzip_lib

from packyard.oci.build.compression import compress_member
from packyard.oci.build.header_writer import directory_header, end_of_archive, file_header, padding
from packyard.oci.build.overlap import mapped_ahead
from packyard.oci.build.spool import Spool
from packyard.oci.build.tree import Directory, Entry
from packyard.oci.content import Content, GzipMember
from packyard.oci.digest import Digest

MEMBER_BYTES = 1 << 20
# As much of the content as is also kept as it is.
_RAW_BYTES = 16 << 20
# Headers that no content separates share a member, up to about this much.
_HEADER_RUN_BYTES = 64 << 10
_CHUNK_BYTES = 256 << 10
_BATCH_BYTES = 512 << 10
# Functions that build have two processors.
_THREADS = 2


@dataclass(frozen=True, slots=True)
class LayerFile:
    """Where one file lies in a layer: what it takes to read it alone and to check it.

    Attributes:
        path: Relative to the image's root.
        size: Bytes, uncompressed.
        mode: 0o644 or 0o755.
        sha256: Of its content, in hex.
        members: Its content starts with the first of them and ends `size` bytes on; padding follows.
    """

    path: str
    size: int
    mode: int
    sha256: str
    members: tuple[GzipMember, ...]


class FileInSpool:
    """One file's content on its way into a spool, or there already."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._members: list[GzipMember] = []

    def hash(self, piece: bytes) -> None:
        """Take note of what the next piece of the content is."""
        self._sha256.update(piece)
        self._size += len(piece)

    def place(self, member: GzipMember) -> None:
        """Take note of where the next piece of the content is."""
        self._members.append(member)

    def content(self) -> Content:
        """Return what is there of it."""
        return Content(self._size, self._sha256.hexdigest(), tuple(self._members))


def member_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut one file's content into what its members hold: 1 MiB each, and what is left.

    How the content is cut into chunks leaves no trace in the result.
    """
    kept: list[bytes] = []
    size = 0
    for chunk in chunks:
        rest = chunk
        while size + len(rest) >= MEMBER_BYTES:
            cut = MEMBER_BYTES - size
            yield b"".join((*kept, rest[:cut]))
            rest = rest[cut:]
            kept, size = [], 0
        if rest:
            kept.append(rest)
            size += len(rest)
    if kept:
        yield b"".join(kept)


class LayerSpool:
    """Compressed content, in memory while it is small and on local disk beyond 8 MiB.

    A context manager: what was spooled, and every layer assembled from it, ends with it.
    """

    def __init__(self) -> None:
        self._spool = Spool()
        # By offset: what the last pass need not inflate again.
        self._raw: dict[int, bytes] = {}
        self._raw_bytes_left = _RAW_BYTES
        self._headers: dict[bytes, GzipMember] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._raw.clear()
        self._spool.__exit__(kind, error, traceback)

    def store(self, chunks: Iterable[bytes]) -> Content:
        """Compress one file's content and keep it."""
        file = FileInSpool()
        for piece in member_pieces(chunks):
            file.hash(piece)
            file.place(self.compress(piece))
        return file.content()

    def compress(self, piece: bytes) -> GzipMember:
        """Compress a piece of a file's content and keep it.

        Args:
            piece: As `member_pieces` cuts it: all but a file's last are of 1 MiB, so that only that one is padded.
        """
        return self._append(piece + padding(len(piece)))

    def adopt(self, compressed: bytes, *, raw_size: int) -> GzipMember:
        """Keep a member that is part of another layer, as it is.

        Args:
            compressed: The member.
            raw_size: Bytes that it inflates to.
        """
        return GzipMember(self._spool.append(compressed), len(compressed), raw_size)

    def adopt_headers(self, compressed: bytes, *, raw: bytes) -> None:
        """Keep a member of another layer that holds headers; where the next layer has the same, it gets this one.

        Args:
            compressed: The member.
            raw: What it inflates to.
        """
        self._headers[raw] = self._put(compressed, raw)

    @property
    def size(self) -> int:
        """Bytes that have been put into it."""
        return self._spool.size

    def assemble(self, entries: Iterable[Entry], *, copy: Callable[[bytes], object] | None = None) -> "Layer":
        """Return the layer that holds `entries`, given in canonical order with content of this spool.

        Args:
            entries: What it holds.
            copy: Is given the blob from its start, piece by piece, while it is hashed.

        Raises:
            ValueError: A file is of 8 GiB or more.
        """
        row = _Row()
        digest, diff_id = self._digests(self._laid(entries, row), copy)
        return Layer(
            digest,
            row.size,
            diff_id,
            tuple(row.files),
            tuple(row.directories),
            self,
            tuple(row.members),
        )

    def read(self, member: GzipMember) -> bytes:
        """Return the compressed bytes of a member that lies in this spool; any thread may ask."""
        return self._spool.read(member.offset, member.length)

    def fetch(self, stored: Content) -> bytes:
        """Return one file's content again; all of it is held in memory."""
        return self._inflate(stored.members)[1][: stored.size]

    def _laid(self, entries: Iterable[Entry], row: "_Row") -> Iterator[GzipMember]:
        """Lay entries into a row, and yield its members as they lie here."""
        headers = bytearray()
        for entry in entries:
            headers += header_of(entry)
            content = () if isinstance(entry, Directory) else entry.content.members
            if content or len(headers) > _HEADER_RUN_BYTES:
                yield row.lay(self._header_member(bytes(headers)))
                headers.clear()
            row.enter(entry)
            yield from map(row.lay, content)
        yield row.lay(self._header_member(bytes(headers + end_of_archive())))

    def _header_member(self, raw: bytes) -> GzipMember:
        # Files with the same headers before them are no two: the one that finds it needs it.
        return self._headers.pop(raw, None) or self._append(raw)

    def _append(self, raw: bytes) -> GzipMember:
        return self._put(compress_member(raw), raw)

    def _put(self, compressed: bytes, raw: bytes) -> GzipMember:
        offset = self._spool.append(compressed)
        if len(raw) <= self._raw_bytes_left:
            self._raw_bytes_left -= len(raw)
            self._raw[offset] = raw
        return GzipMember(offset, len(compressed), len(raw))

    def _digests(
        self, members: Iterable[GzipMember], copy: Callable[[bytes], object] | None
    ) -> tuple[Digest, Digest]:
        """Return the digests of a row of members, as it lies and inflated."""
        digest, diff_id = hashlib.sha256(), hashlib.sha256()
        with ThreadPoolExecutor(max_workers=_THREADS) as threads:
            for compressed, raw in mapped_ahead(threads, self._inflate, _batches(members)):
                if copy is not None:
                    copy(compressed)
                digest.update(compressed)
                diff_id.update(raw)
        return Digest(f"sha256:{digest.hexdigest()}"), Digest(f"sha256:{diff_id.hexdigest()}")

    def _inflate(self, members: Iterable[GzipMember]) -> tuple[bytes, bytes]:
        compressed: list[bytes] = []
        raw: list[bytes] = []
        for member in members:
            data = self.read(member)
            compressed.append(data)
            known = self._raw.get(member.offset)
            raw.append(igzip_lib.decompress(data, igzip_lib.DECOMP_GZIP) if known is None else known)
        return b"".join(compressed), b"".join(raw)


def _batches(members: Iterable[GzipMember]) -> Iterator[list[GzipMember]]:
    """Cut a row into parts that inflate to about half a mebibyte."""
    batch: list[GzipMember] = []
    size = 0
    for member in members:
        batch.append(member)
        size += member.raw_size
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer blob, readable as often as needed while its spool is open.

    Attributes:
        digest: Of the blob.
        size: Of the blob, in bytes.
        diff_id: Of the uncompressed tar: the same for the same content on any machine.
        files: The files that it holds, in the blob's order.
        directories: The directories that it holds, in the blob's order.
    """

    digest: Digest
    size: int
    diff_id: Digest
    files: tuple[LayerFile, ...]
    directories: tuple[str, ...]
    _spool: LayerSpool
    _row: tuple[GzipMember, ...]

    def chunks(self) -> Iterator[bytes]:
        """Yield the blob from its start, in pieces of up to 1.3 MiB, the last of which may be empty."""
        pieces: list[bytes] = []
        size = 0
        for member in self._row:
            pieces.append(self._spool.read(member))
            size += member.length
            if size >= _CHUNK_BYTES:
                yield b"".join(pieces)
                pieces.clear()
                size = 0
        yield b"".join(pieces)


class _Row:
    """A layer to be: members of a spool in the layer's order, and the entries whose content they hold."""

    def __init__(self) -> None:
        self.members: list[GzipMember] = []
        self.size = 0
        self.files: list[LayerFile] = []
        self.directories: list[str] = []

    def lay(self, member: GzipMember) -> GzipMember:
        """Add a member to the end, and return it."""
        self.members.append(member)
        self.size += member.length
        return member

    def enter(self, entry: Entry) -> None:
        """Note an entry whose content, if it has any, comes next."""
        if isinstance(entry, Directory):
            self.directories.append(entry.path)
            return
        placed = []
        offset = self.size
        for member in entry.content.members:
            placed.append(GzipMember(offset, member.length, member.raw_size))
            offset += member.length
        mode = 0o755 if entry.executable else 0o644
        self.files.append(
            LayerFile(entry.path, entry.content.size, mode, entry.content.sha256, tuple(placed))
        )


def header_of(entry: Entry) -> bytes:
    """Return what precedes an entry's content in a layer.

    Raises:
        ValueError: It is a file of 8 GiB or more.
    """
    if isinstance(entry, Directory):
        return directory_header(entry.path)
    return file_header(entry.path, size=entry.content.size, executable=entry.executable)
