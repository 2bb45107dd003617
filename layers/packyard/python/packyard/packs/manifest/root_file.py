"""The file at a pack's root that says what the pack is: `pack.yaml`, or the `SKILL.md` of an Agent Skill.

A folder with both is a pack, in which `SKILL.md` has no place at the root (API contract, sections 3 and 12).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packyard.packs.manifest.pack_manifest import Manifest

MANIFEST_PATH: Final = "pack.yaml"
SKILL_PATH: Final = "SKILL.md"
# In the order in which they count.
ROOT_FILES: Final = (MANIFEST_PATH, SKILL_PATH)


def root_file_among(is_file: Callable[[str], bool]) -> str | None:
    """Return the path of the file that says what a pack is; None if there is none.

    Args:
        is_file: Returns whether there is a file at a path, which is relative to the root.
    """
    return next((path for path in ROOT_FILES if is_file(path)), None)


def parse_root_file(path: str, content: bytes, *, max_bytes: int, folder: str | None = None) -> "Manifest":
    """Return what the file at the root says.

    Args:
        path: One of `ROOT_FILES`.
        content: The whole `pack.yaml`; of a `SKILL.md` at least the first `max_bytes` bytes.
        max_bytes: The largest `pack.yaml`, or the largest frontmatter, in bytes.
        folder: The name of the folder that is the root; None if it has none.

    Raises:
        InvalidRequest: On `pack.yaml...` or `SKILL.md...`: it is not valid.
    """
    # Each is imported where it is needed: YAML takes long to load, and most requests read none.
    if path == SKILL_PATH:
        from packyard.packs.skill.skill_manifest import parse_skill  # noqa: PLC0415

        return parse_skill(content, max_bytes=max_bytes, folder=folder)
    from packyard.packs.manifest.pack_manifest import parse_manifest  # noqa: PLC0415

    return parse_manifest(content, max_bytes=max_bytes)
