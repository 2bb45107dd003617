"""The skills in a folder: a folder of skills, a Claude plugin, or a repository. Each becomes a pack of its own."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from packyard.packs.manifest.root_file import ROOT_FILES, SKILL_PATH
from packyard_cli.failure import Exit, Failure

# What tools keep in a checkout, and what was installed there.
_NOT_ENTERED: Final = frozenset({".git", ".hg", ".svn", ".bzr", "node_modules", "__pycache__"})
_MAX_DEPTH: Final = 8
_MAX_FOLDERS: Final = 100_000
_MAX_SKILLS: Final = 1000


def skill_folders(root: Path) -> list[Path]:
    """Return the folders to publish: the folder itself if it is a pack, else every skill below it, by path.

    A skill's own folder is not searched for others. Of skills that are the same file by file, the one that lies highest
    counts: plugins repeat what lies beside them.

    Args:
        root: The folder.

    Raises:
        Failure: There are more than are taken at once.
    """
    if any((root / name).is_file() for name in ROOT_FILES):
        return [root]
    found: dict[bytes, Path] = {}
    for folder in sorted(_skills_below(root), key=lambda folder: (len(folder.parts), folder)):
        found.setdefault(_fingerprint(folder), folder)
        if len(found) > _MAX_SKILLS:
            raise Failure(
                Exit.INVALID,
                f"{root} holds more than {_MAX_SKILLS} skills.",
                "Publish its folders one by one.",
            )
    # Without one, the folder is refused as any other that is no pack.
    return sorted(found.values()) or [root]


def _skills_below(root: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, names in os.walk(root):
        seen += 1
        if seen > _MAX_FOLDERS:
            raise Failure(
                Exit.INVALID, f"{root} holds more than {_MAX_FOLDERS} folders.", "Name one of them."
            )
        folder = Path(place)
        if SKILL_PATH in names and (folder / SKILL_PATH).is_file():
            folders.clear()
            yield folder
            continue
        if len(folder.relative_to(root).parts) >= _MAX_DEPTH:
            folders.clear()
        folders[:] = sorted(set(folders) - _NOT_ENTERED)


def _fingerprint(folder: Path) -> bytes:
    """Return a hash of a folder's name, and of the names and contents of its files."""
    sha256 = hashlib.sha256(folder.name.encode(errors="surrogateescape"))
    for place in sorted(folder.rglob("*")):
        if place.is_file() and not place.is_symlink():
            sha256.update(str(place.relative_to(folder)).encode(errors="surrogateescape") + b"\0")
            sha256.update(hashlib.sha256(place.read_bytes()).digest())
    return sha256.digest()
