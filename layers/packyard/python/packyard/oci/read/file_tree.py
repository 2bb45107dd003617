"""What an image's layers leave, as one tree: to put a layer on costs what the layer says, however much lies below."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Union

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.file_index import IndexedFile


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A file; or a link, a device, or whatever else is neither file nor directory.

    Attributes:
        layer: The layer that put it there. A hard link puts a file there whose content lies in a lower one.
        file: None for what is no file.
    """

    layer: int
    file: IndexedFile | None


@dataclass(slots=True)
class _Directory:
    """A directory; `stated` when a member stands for it, so that it is there even if nothing is in it."""

    entries: dict[str, "_Entry"] = field(default_factory=dict)
    stated: bool = False


_Entry = Union[_Leaf, _Directory]  # noqa: UP007 - names itself
_ROOT: Final = ""


class FileTree:
    """Files and directories by path, the root being the empty one.

    Args:
        most: Bound on entries of any kind, directories that no member stands for included.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._root = _Directory()
        self._count = 0

    def remove(self, path: str) -> None:
        """Remove what lies at a path, and all that is in it."""
        if path == _ROOT:
            self.clear(path)
            return
        parent, _, name = path.rpartition("/")
        directory = self._find(parent)
        if directory is not None and name in directory.entries:
            self._count -= _size_of(directory.entries.pop(name))

    def clear(self, path: str) -> None:
        """Remove all that a directory holds."""
        directory = self._find(path)
        if directory is not None:
            self._count -= _size_of(directory) - 1
            directory.entries.clear()

    def put(self, path: str, file: IndexedFile | None, *, layer: int) -> None:
        """Put a file in place of whatever lies at its path, unless a parent is no directory in the same layer.

        Args:
            path: Where.
            file: None for something that is neither a file nor a directory.
            layer: The layer's number.

        Raises:
            ImageFault: The tree is full.
        """
        parent, _, name = path.rpartition("/")
        directory = self._make(parent, layer)
        if directory is not None:
            self._set(directory, name, _Leaf(layer, file))

    def put_directory(self, path: str, *, layer: int) -> None:
        """Put a directory where there is none yet, with the same exception.

        Raises:
            ImageFault: The tree is full.
        """
        directory = self._make(path, layer)
        if directory is not None:
            directory.stated = True

    def find(self, path: str) -> IndexedFile | None:
        """Return the file at a path, if there is one."""
        parent, _, name = path.rpartition("/")
        directory = self._find(parent)
        entry = None if directory is None else directory.entries.get(name)
        return entry.file if isinstance(entry, _Leaf) else None

    def files(self) -> list[IndexedFile]:
        """Return all files by path, in order."""
        leaves = (entry for _, entry in self._walk() if isinstance(entry, _Leaf))
        return sorted((leaf.file for leaf in leaves if leaf.file is not None), key=lambda file: file.path)

    def directories(self) -> list[str]:
        """Return the directories that members stand for."""
        return [path for path, entry in self._walk() if isinstance(entry, _Directory) and entry.stated]

    def _find(self, path: str) -> _Directory | None:
        found: _Entry | None = self._root
        for name in _segments(path):
            found = found.entries.get(name) if isinstance(found, _Directory) else None
        return found if isinstance(found, _Directory) else None

    def _make(self, path: str, layer: int) -> _Directory | None:
        """Return the directory at a path, making what is missing; None if the layer has something else on the way."""
        directory = self._root
        for name in _segments(path):
            entry = directory.entries.get(name)
            if not isinstance(entry, _Directory):
                if entry is not None and entry.layer == layer:
                    return None
                entry = _Directory()
                self._set(directory, name, entry)
            directory = entry
        return directory

    def _set(self, directory: _Directory, name: str, entry: _Entry) -> None:
        before = directory.entries.get(name)
        self._count += 1 - (0 if before is None else _size_of(before))
        directory.entries[name] = entry
        if self._count > self._most:
            raise ImageFault(f"has more than {self._most} files")

    def _walk(self) -> Iterator[tuple[str, _Entry]]:
        pending: list[tuple[str, _Directory]] = [("", self._root)]
        while pending:
            prefix, directory = pending.pop()
            for name, entry in directory.entries.items():
                yield prefix + name, entry
                if isinstance(entry, _Directory):
                    pending.append((f"{prefix}{name}/", entry))


def _segments(path: str) -> list[str]:
    return path.split("/") if path else []


def _size_of(entry: _Entry) -> int:
    """Return how many entries go with one, itself included."""
    size, pending = 0, [entry]
    while pending:
        size += 1
        found = pending.pop()
        if isinstance(found, _Directory):
            pending.extend(found.entries.values())
    return size
