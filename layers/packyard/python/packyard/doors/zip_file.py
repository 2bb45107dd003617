"""The zip of a pack: one for three doors, the same bytes each time from the same compressor.

`SKILL.md` is first, and everything else follows by path. There is no wrapping folder. Times are fixed, and modes are in
the external attributes, as Info-ZIP writes them (APPNOTE.TXT, 4.4.15).

Claude Code refuses an archive of which a part is compressed over 50:1. So such members are stored. Which these are is
known once they are compressed. Then the zip is written anew, which takes twice the time for the few that have any.
"""

import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from packyard.doors.document import SKILL_FILE, ServedFile

# Claude Code's limit is 50. A central directory and headers are not counted in it, which makes ours the stricter one.
MAX_RATIO: Final = 50
# The earliest that a zip can say.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3

Contents = Callable[[ServedFile], Iterable[bytes]]


def write_zip(target: IO[bytes], files: Sequence[ServedFile], contents: Contents) -> None:
    """Write the zip of some files. One piece of one file is in memory.

    Args:
        target: Takes the zip. It is empty, and can be written, sought and truncated.
        files: The files, each path once.
        contents: Returns the content of a file. It is called for each file, and again for some.

    Raises:
        ValueError: A content is not of its file's size.
    """
    ordered = sorted(files, key=lambda file: (file.path != SKILL_FILE, file.path.encode()))
    stored = frozenset(_written(target, ordered, contents, stored=frozenset()))
    if stored:
        target.seek(0)
        target.truncate()
        for _ in _written(target, ordered, contents, stored=stored):
            raise AssertionError("what is stored is not compressed")


def _written(
    target: IO[bytes], files: Sequence[ServedFile], contents: Contents, *, stored: frozenset[str]
) -> Iterator[str]:
    """Write the zip, and yield the paths of the members that are compressed too much."""
    with ZipFile(target, "w") as archive:
        for file in files:
            member = _member(file, stored=file.path in stored)
            with archive.open(member, "w") as into:
                size = sum(map(into.write, contents(file)))
            if size != file.size:
                raise ValueError("the content is not of the file's size")
            if member.file_size > MAX_RATIO * member.compress_size:
                yield file.path


def _member(file: ServedFile, *, stored: bool) -> ZipInfo:
    member = ZipInfo(file.path, date_time=_TIME)
    member.create_system = _UNIX
    member.external_attr = (stat.S_IFREG | file.mode) << 16
    # An empty file would be longer.
    member.compress_type = ZIP_STORED if stored or not file.size else ZIP_DEFLATED
    # Known ahead, so that no member is in the form for sizes over 4 GiB, and no size follows its data.
    member.file_size = file.size
    return member
