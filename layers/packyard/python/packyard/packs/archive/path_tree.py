"""The paths of an archive as one tree, in which every path is one thing, and every file stands once."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Entry:
    path: str
    directory: bool


class PathTree:
    """Files and directories by path; parents that no member stands for are there too.

    Paths are compared after NFC, as file systems that normalise would: `é` is one path in either spelling.
    """

    def __init__(self) -> None:
        self._entries = {"": _Entry("", directory=True)}

    def add(self, path: str, *, directory: bool) -> None:
        """Add what a member stands for, and its parents.

        Args:
            path: Segments joined by single slashes; empty for the root.
            directory: Whether it is a directory; a file otherwise.

        Raises:
            ValueError: The path is taken by a file, is spelled another way elsewhere, or lies under a file. A directory
                may come twice, as tar writes it when its arguments overlap.
        """
        known = self._known(path)
        if known is None:
            self._add_parents(path)
            self._entries[_key(path)] = _Entry(path, directory)
        elif known.directory != directory:
            raise ValueError("the path is that of a file and of a directory")
        elif not directory:
            raise ValueError(
                "is in the archive twice; make the archive anew, and name the folder once (tar -czf pack.tar.gz "
                "FOLDER): arguments that overlap pack a file twice, and tar -r (--append) and -u add a second copy"
            )

    def is_file(self, path: str) -> bool:
        """Tell whether a member added as a file is spelled exactly so."""
        entry = self._entries.get(_key(path))
        return entry is not None and not entry.directory and entry.path == path

    def directories(self) -> Iterator[str]:
        """Yield every directory but the root."""
        return (entry.path for entry in self._entries.values() if entry.directory and entry.path)

    def files(self) -> Iterator[str]:
        """Yield every file."""
        return (entry.path for entry in self._entries.values() if not entry.directory)

    def children(self, directory: str) -> Iterator[tuple[str, bool]]:
        """Yield the name of each entry right under a directory, and whether it is a directory.

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
            raise ValueError("the path lies under that of a file")
        for new in missing:
            self._entries[_key(new)] = _Entry(new, directory=True)


def _key(path: str) -> str:
    return path if path.isascii() else unicodedata.normalize("NFC", path)
