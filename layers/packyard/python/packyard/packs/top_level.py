"""What may stand at a pack's root: a closed set (API contract, section 3)."""

from typing import Final

MANIFEST_PATH: Final = "pack.yaml"
_FILES: Final = frozenset({MANIFEST_PATH, "behavior.md", "README.md", "LICENSE"})
_DIRECTORIES: Final = frozenset({"guides", "scripts", "data", "templates"})
_ALL: Final = "pack.yaml, behavior.md, README.md, LICENSE, guides/, scripts/, data/, templates/"


def top_level_fault(name: str, *, directory: bool) -> str | None:
    """Return what is wrong with an entry at the root, or None when it may stand there.

    Args:
        name: Its name.
        directory: Whether it is a directory.
    """
    if name in (_FILES if directory else _DIRECTORIES):
        return f"must be a {'file' if directory else 'directory'}"
    if name not in (_DIRECTORIES if directory else _FILES):
        return f"is not one of {_ALL}"
    return None
