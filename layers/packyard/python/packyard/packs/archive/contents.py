"""The contents of an archive: what reading it returns, and where the contents of its files go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from packyard.packs.manifest.pack_manifest import Manifest

T = TypeVar("T")


class ContentStore(Protocol[T]):
    """Stores the contents of files while the archive is read."""

    def store(self, chunks: Iterable[bytes]) -> T:
        """Store one file's content and return a handle for it.

        Args:
            chunks: The content in pieces of at most 256 KiB; none for an empty file. Iterating may raise the errors of
                `read_archive`, which must not be caught.
        """

    def fetch(self, stored: T) -> bytes:
        """Return one file's content. Called at most once, for a small file, after all files are stored.

        Args:
            stored: A handle that `store` has returned.
        """


@dataclass(frozen=True, slots=True)
class PackFile(Generic[T]):
    """One file of a pack.

    Attributes:
        path: Relative to the pack's root.
        size: Bytes.
        executable: Whether any execute bit was set.
        content: The handle from the content store; a hard link shares it with its target.
    """

    path: str
    size: int
    executable: bool
    content: T


@dataclass(frozen=True, slots=True)
class PackContents(Generic[T]):
    """The contents of an accepted archive.

    Attributes:
        manifest: What the checked `pack.yaml` or `SKILL.md` says.
        directories: The paths of all directories except the root, sorted.
        files: Sorted by path.
    """

    manifest: Manifest
    directories: tuple[str, ...]
    files: tuple[PackFile[T], ...]


@dataclass(frozen=True, slots=True)
class ArchivedFiles(Generic[T]):
    """The contents of an accepted archive of files that are to be written into a pack.

    Attributes:
        manifest: What the checked `pack.yaml` or `SKILL.md` says, if it is among the files.
        directories: The paths of all directories except the root, sorted.
        files: Sorted by path.
        misplaced: The faults of entries that may not be at the root of a pack, by field. In an Agent Skill they may.
    """

    manifest: Manifest | None
    directories: tuple[str, ...]
    files: tuple[PackFile[T], ...]
    misplaced: Mapping[str, str] = field(default_factory=dict)
