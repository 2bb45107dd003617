"""A folder that is being filled with files, by several threads, before anybody may see it."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from packyard_cli.archive import HashedFile, sha256_of_file

_CHUNK: Final = 256 << 10
_IN_MEMORY: Final = 4 << 20


class NewTree:
    """A folder to be filled. Each path is written once.

    Args:
        folder: The folder, which is there.
    """

    def __init__(self, folder: Path) -> None:
        self._root = os.fspath(folder)
        self._made = {""}

    def write(self, file: HashedFile, read: Callable[[int], bytes]) -> bool:
        """Write a file if its content is what its digest says, and return whether it is.

        Args:
            file: What to write.
            read: Returns the next bytes of the content, at most so many; none at its end.

        Raises:
            OSError: It cannot be written.
        """
        if file.size > _IN_MEMORY:
            return self._write_large(file, read)
        content = read(file.size) if file.size else b""
        if hashlib.sha256(content).hexdigest() != file.sha256:
            return False
        place = self.place(file.path)
        # There are thousands of files. A buffer, or a Path, costs as much as writing a small one.
        try:
            out = open(place, "xb", buffering=0)  # noqa: PTH123, SIM115
        except FileExistsError:
            # Another layer has the same file, and another thread writes it.
            return True
        with out:
            _write_all(out.write, content)
        os.chmod(place, file.mode)  # noqa: PTH101
        return True

    def take(self, source: str, file: HashedFile) -> bool:
        """Take a file over from elsewhere, by a link where that can be, if it is what its digest says.

        A link shares the file's mode and owner. So a file of another owner, or with other permission bits, setuid
        included, is copied.

        Args:
            source: Where it is. A symbolic link is not followed.
            file: What it has to be.

        Raises:
            OSError: It cannot be written.
        """
        try:
            status = os.lstat(source)
            if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
                return False
            if _is_as_written(status, file.mode):
                if sha256_of_file(source) != file.sha256:
                    return False
                # Not every file system has links, and a file has only so many.
                with suppress(OSError):
                    os.link(source, self.place(file.path))
                    return True
            opened = open(source, "rb", buffering=0)  # noqa: PTH123, SIM115 - what fails here is about the source
        except OSError:
            return False
        with opened:
            return self.write(file, lambda count: _read_up_to(opened.read, count))

    def copy(self, path: str, file: HashedFile) -> None:
        """Write a file that has the content of another path of this folder.

        Raises:
            OSError: It cannot be read or written.
        """
        with open(f"{self._root}/{path}", "rb") as original:  # noqa: PTH123
            self.write(file, original.read)

    def place(self, path: str) -> str:
        """Return where the file of a path goes, once its folder is there."""
        folder = path.rpartition("/")[0]
        if folder not in self._made:
            self._make(folder)
        return f"{self._root}/{path}"

    def _make(self, folder: str) -> None:
        """Make a folder below the root, and those above it. Another thread may make the same ones."""
        above = folder.rpartition("/")[0]
        if above not in self._made:
            self._make(above)
        with suppress(FileExistsError):
            os.mkdir(f"{self._root}/{folder}")  # noqa: PTH102
        self._made.add(folder)

    def _write_large(self, file: HashedFile, read: Callable[[int], bytes]) -> bool:
        """Write a file piece by piece under another name, until its digest is known."""
        descriptor, unfinished = tempfile.mkstemp(dir=self._root, prefix=".packyard-")
        sha256 = hashlib.sha256()
        try:
            with os.fdopen(descriptor, "wb") as out:
                while piece := read(_CHUNK):
                    sha256.update(piece)
                    out.write(piece)
            if sha256.hexdigest() != file.sha256:
                return False
            os.chmod(unfinished, file.mode)  # noqa: PTH101
            os.replace(unfinished, self.place(file.path))  # noqa: PTH105
            return True
        finally:
            with suppress(FileNotFoundError):
                os.unlink(unfinished)  # noqa: PTH108


def _is_as_written(status: os.stat_result, mode: int) -> bool:
    """Return whether a file has the mode and the owner that it would have if it were written now."""
    if not hasattr(os, "geteuid"):
        # Windows keeps neither.
        return True
    return stat.S_IMODE(status.st_mode) == mode and status.st_uid == os.geteuid()


def _write_all(write: Callable[[bytes | memoryview], int | None], content: bytes) -> None:
    """Write everything, also where one call takes only a part of it."""
    rest = memoryview(content)
    while rest:
        rest = rest[write(rest) or 0 :]


def _read_up_to(read: Callable[[int], bytes | None], count: int) -> bytes:
    """Return so many bytes, or fewer at the end, also where one call returns only a part of them."""
    pieces, left = [], count
    while left and (piece := read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
