"""The file at the root of a pack that stands, which decides what may be beside it (API contract, sections 3 and 12).

A change of files leaves a pack what it is, a pack or an Agent Skill: only a whole archive makes one of the other.
"""

from collections.abc import Iterator
from typing import Final

from packyard.errors import InvalidRequest
from packyard.oci.read.file_index import FileIndex
from packyard.operations.changed_image import Changes
from packyard.operations.image_files import ImageFiles
from packyard.operations.written_files import WrittenFiles
from packyard.packs.archive.archive_root import WRAPPED
from packyard.packs.archive.member_path import shown
from packyard.packs.file_edit import check_root_entry
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.packs.manifest.root_file import MANIFEST_PATH, SKILL_PATH, parse_root_file, root_file_among
from packyard.packs.pack import Pack

_NOT_BESIDE: Final = (
    f"cannot be in an Agent Skill, whose {SKILL_PATH} says what the pack is; a whole archive makes it a pack"
)
_NEEDED: Final = "an Agent Skill must have it; to replace it, put another one into the archive"


def is_skill(index: FileIndex) -> bool:
    """Return whether the files of a pack are an Agent Skill."""
    return root_file_among(lambda path: index.find(path) is not None) == SKILL_PATH


def require_fitting(written: WrittenFiles, *, skill: bool) -> None:
    """Check that files to write may be at the root of the pack that stands.

    Args:
        written: The files.
        skill: Whether the pack is an Agent Skill.

    Raises:
        InvalidRequest: On `archive:<path>`: one of them may not.
    """
    if not skill and written.misplaced:
        raise InvalidRequest(dict(written.misplaced))
    if skill and written.manifest is not None and written.manifest.file == MANIFEST_PATH:
        raise InvalidRequest({f"archive:{MANIFEST_PATH}": _NOT_BESIDE})
    tops = {file.path.partition("/")[0] for file in written.files}
    if skill and len(tops) == 1 and any(file.path == f"{min(tops)}/{SKILL_PATH}" for file in written.files):
        raise InvalidRequest({f"archive:{shown(min(tops).encode())}": WRAPPED})


def require_fitting_path(path: str, *, skill: bool) -> None:
    """Check that a file to write may be at its path in the pack that stands.

    Args:
        path: The path, as `check_new_path` accepts it.
        skill: Whether the pack is an Agent Skill.

    Raises:
        InvalidRequest: On `path`: it may not.
    """
    if not skill:
        check_root_entry(path)
    elif path == MANIFEST_PATH:
        raise InvalidRequest({"path": _NOT_BESIDE})


def require_skill_kept(changes: Changes) -> None:
    """Check that a change of an Agent Skill does not delete its `SKILL.md`.

    Raises:
        InvalidRequest: On `delete:SKILL.md`: it does.
    """
    if changes.files.get(SKILL_PATH, ...) is None:
        raise InvalidRequest({f"delete:{SKILL_PATH}": _NEEDED})


def standing_skill(
    pack: Pack, index: FileIndex, *, files: ImageFiles, org_id: str, max_bytes: int
) -> Manifest:
    """Return what the `SKILL.md` of a pack says that is an Agent Skill. One read of the registry.

    Args:
        pack: The pack.
        index: Its files.
        files: Reads its image.
        org_id: Who asks.
        max_bytes: The largest frontmatter, in bytes.

    Raises:
        InvalidRequest: On `SKILL.md...`: it is not valid, as when the rules have changed. On `id`: the image cannot be
            read.
        RegistryUnavailable, ServiceUnavailable: As for `ImageFiles.read`.
    """
    file = index.find(SKILL_PATH)
    if file is None:
        raise InvalidRequest({"id": f"has no {SKILL_PATH} any more; upload its whole archive again"})

    def head(pieces: Iterator[bytes]) -> bytes:
        kept = bytearray()
        for piece in pieces:
            kept += piece[: max_bytes + 1 - len(kept)]
        return bytes(kept)

    return parse_root_file(
        SKILL_PATH, files.read(pack, index, file, head, org_id=org_id), max_bytes=max_bytes
    )
