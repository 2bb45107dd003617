"""A canonical archive of files: the same files give the same bytes, whenever and wherever they are packed.

Entries stand in the order of an image's (API contract, section 4): `pack.yaml` first, then by path. Owners are 0, modes
0644 or 0755, and times 0, or `SOURCE_DATE_EPOCH` where it is set (reproducible-builds.org). isal's output depends on
the kind of processor, as the service's own does (decision 76); what is equal everywhere is the content digest.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from isal import isal_zlib

from packyard.oci.build.header_writer import end_of_archive, file_header, padding
from packyard.oci.content_digest import content_digest_of
from packyard.oci.digest import Digest
from packyard_cli.failure import Exit, Failure
from packyard_cli.folder import LocalFile

_CHUNK: Final = 1 << 20
_HASHED_CHUNK: Final = 256 << 10
_LEVEL: Final = 2
# More threads wait for each other more than they hash: most files are small, and Python runs one thread at a time.
_THREADS: Final = 2
_LATEST: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFile:
    """A file of a pack by its content, here or at the service.

    Attributes:
        path: Relative to the pack's root.
        size: Bytes.
        mode: 0o644 or 0o755.
        sha256: Of its content, in hex.
    """

    path: str
    size: int
    mode: int
    sha256: str


class Sink(Protocol):
    """Takes an archive's bytes."""

    def write(self, piece: bytes, /) -> int:
        """Take all of them, and return how many they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenArchive:
    """An archive that was written.

    Attributes:
        size: Bytes.
        sha256: Of the archive, in hex.
        files: What it holds.
    """

    size: int
    sha256: str
    files: tuple[HashedFile, ...]

    @property
    def content_digest(self) -> Digest:
        """The name of the set of files (API contract, section 4)."""
        return content_digest_of(self.files)


def write_archive(
    out: Sink,
    files: Sequence[LocalFile],
    *,
    epoch: int = 0,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> WrittenArchive:
    """Write a `.tar.gz` of files, in the order given.

    Args:
        out: Where to write.
        files: The files. Each is read once.
        epoch: The time of entries, in seconds since 1970.
        on_bytes: Called with each number of bytes that was read.

    Raises:
        Failure: A file has changed while it was read.
        OSError: A file cannot be read, or `out` cannot be written.
    """
    hashed: list[HashedFile] = []
    deflater = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    whole, crc, length, written = hashlib.sha256(), 0, 0, 0

    def put(piece: bytes) -> None:
        nonlocal written
        whole.update(piece)
        written += out.write(piece)

    put(b"\x1f\x8b\x08\0" + epoch.to_bytes(4, "little") + b"\0\xff")
    for piece in _tar_of(files, hashed, epoch, on_bytes):
        crc = zlib.crc32(piece, crc)
        length += len(piece)
        put(deflater.compress(piece))
    put(deflater.flush() + crc.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little"))
    return WrittenArchive(size=written, sha256=whole.hexdigest(), files=tuple(hashed))


def hash_files(files: Sequence[LocalFile]) -> tuple[HashedFile, ...]:
    """Return files by their content.

    Raises:
        OSError: A file cannot be read.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - whoever packs needs none

    def hashed(part: Sequence[LocalFile]) -> list[tuple[str, HashedFile]]:
        return [
            (
                file.path,
                HashedFile(
                    path=file.path, size=file.size, mode=file.mode, sha256=sha256_of_file(file.location)
                ),
            )
            for file in part
        ]

    # Hashing releases the interpreter's lock. A task for each file would take longer than what it does.
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = pool.map(hashed, [files[number::_THREADS] for number in range(_THREADS)])
        found = dict(pair for part in parts for pair in part)
    return tuple(found[file.path] for file in files)


def sha256_of_file(place: Path | str) -> str:
    """Return the SHA-256 of a file's content, in hex.

    Raises:
        OSError: It cannot be read.
    """
    sha256 = hashlib.sha256()
    # hashlib.file_digest takes a buffer of 256 KiB for each file, which is more work than a small file itself.
    with open(place, "rb", buffering=0) as opened:  # noqa: PTH123 - a Path costs as much as opening the file
        while piece := opened.read(_HASHED_CHUNK):
            sha256.update(piece)
    return sha256.hexdigest()


def source_date_epoch(environment: Mapping[str, str]) -> int:
    """Return `SOURCE_DATE_EPOCH`, or 0 where it is not set.

    Raises:
        Failure: It is no whole number of seconds that a gzip header can hold.
    """
    text = environment.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text[:11]) > _LATEST:
        raise Failure(
            Exit.USAGE,
            f"SOURCE_DATE_EPOCH is {text!r}, and must be a whole number of seconds since 1970.",
            "Set it as in SOURCE_DATE_EPOCH=1735689600, or unset it.",
        )
    return int(text)


def _tar_of(
    files: Sequence[LocalFile], hashed: list[HashedFile], epoch: int, on_bytes: Callable[[int], None]
) -> Iterator[bytes]:
    for file in files:
        yield file_header(file.path, size=file.size, executable=file.executable, mtime=epoch)
        sha256, left = hashlib.sha256(), file.size
        with Path(file.location).open("rb") as opened:
            # One byte more than it had, so that growth is noticed.
            while piece := opened.read(min(_CHUNK, left + 1)):
                left -= len(piece)
                if left < 0:
                    break
                sha256.update(piece)
                on_bytes(len(piece))
                yield piece
        if left:
            raise Failure(
                Exit.INVALID,
                f"{file.path} changed while it was packed.",
                "Repeat the command when nothing else writes into the folder.",
            )
        yield padding(file.size)
        hashed.append(HashedFile(path=file.path, size=file.size, mode=file.mode, sha256=sha256.hexdigest()))
    yield end_of_archive()
