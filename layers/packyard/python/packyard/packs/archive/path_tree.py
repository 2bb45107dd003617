"""The paths of an archive as a tree: no path is both a file and a directory, and no file occurs twice."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Entry:
    path: str
    directory: bool


class PathTree:
    """Files and directories by path, including parent directories that are not members themselves.

    Paths are compared in Unicode normalisation form C, because some file systems normalise names: both spellings of `é`
    are the same path there.
    """

    def __init__(self) -> None:
        self._entries = {"": _Entry("", directory=True)}

    def add(self, path: str, *, directory: bool) -> None:
        """Add the file or directory of a member, and its parents.

        Args:
            path: Segments joined by single slashes; empty for the root.
            directory: True for a directory, False for a file.

        Raises:
            ValueError: The path is taken by a file or by the other kind, was added in another Unicode spelling, or is
                below a file. Adding a directory twice is no error: tar writes it twice if its arguments overlap.
        """
        known = self._known(path)
        if known is None:
            self._add_parents(path)
            self._entries[_key(path)] = _Entry(path, directory)
        elif known.directory != directory:
            raise ValueError("the path is that of a file and of a directory")
        elif not directory:
            raise ValueError(
                "is in the archive twice; make the archive again, and name the folder once (tar -czf pack.tar.gz "
                "FOLDER): arguments that overlap pack a file twice, and tar -r (--append) and -u add a second copy"
            )

    def is_file(self, path: str) -> bool:
        """Return whether a file was added with exactly this spelling."""
        entry = self._entries.get(_key(path))
        return entry is not None and not entry.directory and entry.path == path

    def directories(self) -> Iterator[str]:
        """Yield the path of every directory except the root."""
        return (entry.path for entry in self._entries.values() if entry.directory and entry.path)

    def files(self) -> Iterator[str]:
        """Yield the path of every file."""
        return (entry.path for entry in self._entries.values() if not entry.directory)

    def children(self, directory: str) -> Iterator[tuple[str, bool]]:
        """Yield the name of each entry directly below a directory, and whether it is a directory.

        Args:
            directory: Its path; empty for the root.
        """
        prefix = directory and directory + "/"
        for entry in self._entries.values():
            name = entry.path[len(prefix) :]
            if name and "/" not in name and entry.path.startswith(prefix):
                yield name, entry.directory

    def _known(self, path: str) -> _Entry | None:
        known = self._entries.get(_key(path))
        if known is not None and known.path != path:
            raise ValueError(
                "another member has the same path in another Unicode spelling; rename one of them"
            )
        return known

    def _add_parents(self, path: str) -> None:
        missing = []
        parent = path.rpartition("/")[0]
        while (known := self._known(parent)) is None:
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        if not known.directory:
            raise ValueError("the path is below that of a file")
        for new in missing:
            self._entries[_key(new)] = _Entry(new, directory=True)


def _key(path: str) -> str:
    return path if path.isascii() else unicodedata.normalize("NFC", path)
