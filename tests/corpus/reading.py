"""Reads archives with our reader and, for comparison, with Python's tarfile."""

import io
import posixpath
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field

from packyard.packs.archive.contents import PackContents
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter
from packyard.packs.archive.reader import read_archive

DEFAULT_LIMITS = ArchiveLimits()


@dataclass
class KeptContents:
    """A content store that keeps everything in memory, in the order of arrival."""

    stored: list[bytes] = field(default_factory=list)

    def store(self, chunks: Iterable[bytes]) -> bytes:
        self.stored.append(b"".join(chunks))
        return self.stored[-1]

    def fetch(self, stored: bytes) -> bytes:
        return stored


class DroppedContents:
    """A content store that keeps only sizes."""

    def store(self, chunks: Iterable[bytes]) -> int:
        return sum(map(len, chunks))

    def fetch(self, stored: int) -> bytes:
        return bytes(stored)


def read(archive: bytes, *, limits: ArchiveLimits = DEFAULT_LIMITS) -> PackContents[bytes]:
    return read_archive(io.BytesIO(archive), limits=limits, contents=KeptContents())


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as a reader of the archive sees it."""

    content: bytes
    executable: bool


def seen_by_us(contents: PackContents[bytes]) -> dict[str, SeenFile]:
    return {file.path: SeenFile(file.content, file.executable) for file in contents.files}


def seen_by_python(archive: bytes) -> dict[str, SeenFile]:
    """Return every file but litter by its normalised path. Hard links have the mode of the first one."""
    files: dict[str, SeenFile] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            path = posixpath.normpath(member.name)
            if is_litter(path):
                continue
            if member.islnk():
                files[path] = files[posixpath.normpath(member.linkname)]
            elif content := tar.extractfile(member):
                files[path] = SeenFile(content.read(), bool(member.mode & 0o111))
    return files
