"""Writing one file into a pack, by the same rules as for a file in an archive."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from packyard.errors import InvalidRequest
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.top_level import top_level_fault

_FIELD = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file to write.

    Attributes:
        path: Relative to the pack's root.
        content: The whole content.
    """

    path: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, in hex."""
        return sha256(self.content).hexdigest()


def check_new_path(path: str, *, limits: ArchiveLimits) -> None:
    """Check that a pack may contain a file with this path, what may be at its root aside.

    Raises:
        InvalidRequest: On `path`: in an archive, a file with this path would be refused or dropped.
    """
    try:
        plain = parse_member_path(path.encode(), directory=False, limits=limits)
    except ValueError as error:
        raise InvalidRequest({_FIELD: str(error)}) from None
    if plain != path:
        raise InvalidRequest({_FIELD: f"has an empty or '.' segment; write {plain}"})
    if is_litter(path):
        raise InvalidRequest({_FIELD: "is what archivers add unasked; packs are kept free of it"})


def check_root_entry(path: str) -> None:
    """Check that a pack that is no Agent Skill may have the entry at its root that a path begins with.

    Args:
        path: As `check_new_path` accepts it.

    Raises:
        InvalidRequest: On `path`: it may not.
    """
    top, below, _ = path.partition("/")
    fault = top_level_fault(top, directory=bool(below), archived=False)
    if fault is not None:
        is_folder = not below and top_level_fault(top, directory=True) is None
        raise InvalidRequest({_FIELD: f"{top} {fault}{f'; write {top}/ and the name' if is_folder else ''}"})


def check_place(path: str, *, files: Iterable[str], directories: Iterable[str]) -> None:
    """Check that a new file does not conflict with the paths that a pack has.

    Args:
        path: The path of the new file, which is not in `files`.
        files: The paths of the pack's files.
        directories: The paths of the pack's directories; parents of files may be missing.

    Raises:
        InvalidRequest: On `path`: it is a directory, is below a file, or exists in another Unicode spelling.
    """
    tree = PathTree()
    for directory in directories:
        tree.add(directory, directory=True)
    for file in files:
        tree.add(file, directory=False)
    try:
        tree.add(path, directory=False)
    except ValueError as error:
        raise InvalidRequest({_FIELD: str(error)}) from None
