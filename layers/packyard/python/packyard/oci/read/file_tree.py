"""The file tree that results from an image's layers. Applying a layer takes time in proportion to that layer only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Union

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.file_index import IndexedFile


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A file, or anything else that is not a directory, such as a symbolic link or a device.

    Attributes:
        layer: The number of the layer that added it. For a hard link, the file's content may be in a lower layer.
        file: The file; None for anything else.
    """

    layer: int
    file: IndexedFile | None


@dataclass(slots=True)
class _Directory:
    """A directory. `stated` means that a layer has a member for it, so it exists even if it is empty."""

    entries: dict[str, "_Entry"] = field(default_factory=dict)
    stated: bool = False


_Entry = Union[_Leaf, _Directory]  # noqa: UP007 - _Directory refers to it in quotes
_ROOT: Final = ""


class FileTree:
    """Files and directories by path; the root's path is empty.

    Args:
        most: The most entries of any kind, including directories without a member of their own.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._root = _Directory()
        self._count = 0

    def remove(self, path: str) -> None:
        """Remove the file or directory at a path, with everything in it."""
        if path == _ROOT:
            self.clear(path)
            return
        parent, _, name = path.rpartition("/")
        directory = self._find(parent)
        if directory is not None and name in directory.entries:
            self._count -= _size_of(directory.entries.pop(name))

    def clear(self, path: str) -> None:
        """Remove everything in a directory."""
        directory = self._find(path)
        if directory is not None:
            self._count -= _size_of(directory) - 1
            directory.entries.clear()

    def put(self, path: str, file: IndexedFile | None, *, layer: int) -> None:
        """Add a file, replacing whatever is at its path.

        Nothing happens if the same layer has something other than a directory at a parent of the path.

        Args:
            path: The path.
            file: The file; None for something that is neither a file nor a directory.
            layer: The layer's number.

        Raises:
            ImageFault: The tree is full.
        """
        parent, _, name = path.rpartition("/")
        directory = self._make(parent, layer)
        if directory is not None:
            self._set(directory, name, _Leaf(layer, file))

    def put_directory(self, path: str, *, layer: int) -> None:
        """Add a directory, unless there is one. The exception of `put` applies here too.

        Raises:
            ImageFault: The tree is full.
        """
        directory = self._make(path, layer)
        if directory is not None:
            directory.stated = True

    def find(self, path: str) -> IndexedFile | None:
        """Return the file at a path, or None if there is none."""
        parent, _, name = path.rpartition("/")
        directory = self._find(parent)
        entry = None if directory is None else directory.entries.get(name)
        return entry.file if isinstance(entry, _Leaf) else None

    def files(self) -> list[IndexedFile]:
        """Return all files, sorted by path."""
        leaves = (entry for _, entry in self._walk() if isinstance(entry, _Leaf))
        return sorted((leaf.file for leaf in leaves if leaf.file is not None), key=lambda file: file.path)

    def directories(self) -> list[str]:
        """Return the paths of the directories for which a layer has a member."""
        return [path for path, entry in self._walk() if isinstance(entry, _Directory) and entry.stated]

    def _find(self, path: str) -> _Directory | None:
        found: _Entry | None = self._root
        for name in _segments(path):
            found = found.entries.get(name) if isinstance(found, _Directory) else None
        return found if isinstance(found, _Directory) else None

    def _make(self, path: str, layer: int) -> _Directory | None:
        """Return the directory at a path, created if needed; None if this layer has something else at a parent."""
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
    """Return the number of entries in a subtree, including its root."""
    size, pending = 0, [entry]
    while pending:
        size += 1
        found = pending.pop()
        if isinstance(found, _Directory):
            pending.extend(found.entries.values())
    return size
