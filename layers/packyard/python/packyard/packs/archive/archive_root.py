"""The root of a pack in an archive: the archive's own, or the only top-level directory, which wraps the pack."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from packyard.packs.archive.member_path import folders_of
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.top_level import folders_with_a_pack, root_file, top_level_fault
from packyard.packs.manifest.root_file import MANIFEST_PATH, SKILL_PATH

WRAPPED: Final = (
    "is a folder around the files, and their paths must be those in the pack; pack from inside the folder (tar -C "
    "FOLDER -czf changes.tar.gz .)"
)


class ArchiveRoot:
    """Where the root is, as far as the archive has been read; a later member may change it.

    Args:
        tree: What has been accepted of the archive.
        may_be_wrapped: Whether a directory around the pack is taken away.

    Attributes:
        refused: The names at the top level that were refused, because a folder beside one is no wrapping directory.
        complete: Whether the archive has been read to its end.
    """

    def __init__(self, tree: PathTree, *, may_be_wrapped: bool) -> None:
        self._tree = tree
        self._may_be_wrapped = may_be_wrapped
        self.refused: set[str] = set()
        self.complete = False

    def path(self) -> str:
        """Return the path of the pack's root: the only top-level directory and a slash, or empty if there is none."""
        if not self._may_be_wrapped:
            return ""
        top_level = list(self._tree.children(""))
        if len(top_level) == 1 and not self.refused - {top_level[0][0]}:
            name, directory = top_level[0]
            return f"{name}/" if directory else ""
        return ""

    def misplaced(self, refused_names: Iterable[bytes]) -> Mapping[str, str]:
        """Return the faults of entries that may not be at the pack's root, as far as they are certain.

        Until the archive is read to its end, a later member may still change where the root is. In an Agent Skill, any
        entry may be at the root.
        """
        root = self.path()
        if self._may_be_wrapped and root_file(self._tree, root) == SKILL_PATH:
            return {}
        top = root.removesuffix("/")
        root_is_known = self.complete or not top or self._tree.is_file(root + MANIFEST_PATH)
        if not root_is_known and top_level_fault(top, directory=True) is None:
            return {}
        entries = {
            *self._tree.children(top),
            *((name, True) for name in folders_of(refused_names, below=root)),
        }
        faults = {
            root + name: top_level_fault(name, directory=directory) for name, directory in sorted(entries)
        }
        wrappers = self._wrappers(root)
        if not self._may_be_wrapped:
            faults |= {name: WRAPPED for name in self._wrapping() if faults.get(name) is not None}
        return {path: fault for path, fault in faults.items() if fault is not None and path not in wrappers}

    def _wrappers(self, root: str) -> set[str]:
        """Return entries at the root that contain a whole pack; the fault about the missing manifest names them."""
        if not self._may_be_wrapped or not self.complete or root_file(self._tree, root) is not None:
            return set()
        below_root = (path.removeprefix(root) for path in folders_with_a_pack(self._tree, root))
        return {root + path.partition("/")[0] for path in below_root}

    def _wrapping(self) -> Iterator[str]:
        """Yield the only entry at the top if it is a directory that holds what belongs at the root of a pack."""
        entries = list(self._tree.children(""))
        if len(entries) == 1 and any(
            top_level_fault(name, directory=directory) is None
            for name, directory in self._tree.children(entries[0][0])
        ):
            yield entries[0][0]
