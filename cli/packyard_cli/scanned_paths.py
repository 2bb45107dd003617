"""The files that `packyard scan` reads: of a folder, of a pack's archive, or one alone."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from packyard.scanning.budget import ScannedFile
from packyard_cli.failure import Exit, Failure

_GZIP: Final = b"\x1f\x8b"
_PIECE: Final = 1 << 20
# Folders of version control hold what was, and are no part of a pack.
_LEFT_OUT: Final = frozenset({".git", ".hg", ".svn", ".bzr"})


def files_of(path: Path, held: ExitStack) -> Iterator[ScannedFile]:
    """Yield the files below a path, in the order of their paths. Links are not followed.

    Args:
        path: A folder, a pack's archive, or another file.
        held: Closes what an archive's files are kept in.

    Raises:
        Failure: There is nothing of this name, or it is an archive that the service would refuse.
        OSError: Something cannot be read.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise Failure(Exit.USAGE, f"There is no file or folder {path}.", "Name what is to be scanned.")
    with path.open("rb") as file:
        start = file.read(len(_GZIP))
    if start == _GZIP:
        return _of_archive(path, held)
    return iter([ScannedFile(path.name, _pieces(os.fspath(path)))])


def _of_folder(root: Path) -> Iterator[ScannedFile]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        for name in sorted(names):
            location = os.path.join(folder, name)  # noqa: PTH118 - there may be thousands
            if os.path.isfile(location) and not os.path.islink(location):  # noqa: PTH113, PTH114 - likewise
                yield ScannedFile(Path(location).relative_to(root).as_posix(), _pieces(location))


def _pieces(location: str) -> Iterator[bytes]:
    with open(location, "rb") as file:  # noqa: PTH123 - there may be thousands
        while piece := file.read(_PIECE):
            yield piece


def _of_archive(path: Path, held: ExitStack) -> Iterator[ScannedFile]:
    from packyard.errors import InvalidRequest, PayloadTooLarge  # noqa: PLC0415 - archives only
    from packyard.packs.archive.limits import ArchiveLimits  # noqa: PLC0415
    from packyard.packs.archive.reader import read_archive  # noqa: PLC0415

    kept = _Kept(held.enter_context(TemporaryFile()))  # noqa: SIM115 - `held` closes it
    try:
        with path.open("rb") as archive:
            contents = read_archive(archive, limits=ArchiveLimits(), contents=kept)
    except (InvalidRequest, PayloadTooLarge) as refusal:
        raise Failure(
            Exit.INVALID, f"{path} is not a pack's archive: {refusal}.", "Unpack it, and scan the folder."
        ) from None
    for file in contents.files:
        yield ScannedFile(file.path, kept.pieces(file.content))


class _Kept:
    """Keeps the contents of an archive's files in one temporary file, each by its place."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def store(self, chunks: Iterable[bytes]) -> tuple[int, int]:
        """Keep a content, and return its offset and size."""
        start = self._file.seek(0, os.SEEK_END)
        for chunk in chunks:
            self._file.write(chunk)
        return start, self._file.tell() - start

    def fetch(self, stored: tuple[int, int]) -> bytes:
        """Return a whole content."""
        return b"".join(self.pieces(stored))

    def pieces(self, stored: tuple[int, int]) -> Iterator[bytes]:
        """Yield a content in pieces."""
        at, left = stored
        while left:
            self._file.seek(at)
            piece = self._file.read(min(_PIECE, left))
            at, left = at + len(piece), left - len(piece)
            yield piece
