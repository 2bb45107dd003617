"""What a `SKILL.md` says of the pack that it is, and the faults that it can have (API contract, section 12).

A skill is refused only where no door could serve it: without frontmatter that all readers read alike, without a
description, or with a name of which no pack's name can be made.
"""

from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.manifest.name import PackName, nearest_slug
from packyard.packs.manifest.pack_manifest import MAX_DESCRIPTION, MAX_DISPLAY_NAME, Manifest
from packyard.packs.manifest.root_file import SKILL_PATH
from packyard.packs.manifest.unstated_version import FIRST_VERSION
from packyard.packs.manifest.version import Version
from packyard.packs.manifest.version_text import parse_version
from packyard.packs.skill.frontmatter import MAX_WARNINGS, Frontmatter, read_frontmatter, shown_key
from packyard.text.display import without_control_characters

# An annotation is part of a document that clients load whole.
_MAX_LICENSE: Final = 500


def parse_skill(content: bytes, *, max_bytes: int, folder: str | None = None) -> Manifest:
    """Return what a `SKILL.md` says, as the manifest of a pack.

    Args:
        content: The file, or at least its first `max_bytes` bytes.
        max_bytes: The largest frontmatter, in bytes.
        folder: The name of the folder that the skill is in; None if it has none.

    Raises:
        InvalidRequest: On `SKILL.md...`: as for `read_frontmatter`, or no pack's name can be made of the name.
    """
    read = read_frontmatter(content, max_bytes=max_bytes)
    warnings = list(read.warnings)
    name = _name(read, folder, warnings)
    version = _version(read, warnings)
    license_text = read.text("license")
    return Manifest(
        name=name,
        version=version or FIRST_VERSION,
        display_name=_one_line(read.name)[:MAX_DISPLAY_NAME] or name,
        description=_description(read, warnings),
        file=SKILL_PATH,
        version_is_stated=version is not None,
        license=None if license_text is None else _one_line(license_text)[:_MAX_LICENSE] or None,
        warnings=tuple(warnings[:MAX_WARNINGS]),
    )


def _name(read: Frontmatter, folder: str | None, warnings: list[str]) -> PackName:
    """Return the name of the pack: the skill's, or the nearest one that the doors can serve."""
    name = nearest_slug(read.name)
    if not name:
        raise InvalidRequest(
            {
                f"{SKILL_PATH}:name": "must be lower-case letters and digits, joined by single hyphens, as in pdf-tools"
            }
        )
    if name != read.name:
        warnings.append(
            f"{SKILL_PATH}:name must be lower-case letters and digits, joined by single hyphens, at most 64; this pack "
            f"is called {name}"
        )
    if folder is not None and folder != read.name:
        warnings.append(f"{SKILL_PATH}:name must be that of the skill's folder, which is {shown_key(folder)}")
    return PackName(name)


def _version(read: Frontmatter, warnings: list[str]) -> Version | None:
    text = read.stated_version
    if text is None:
        return None
    try:
        return parse_version(text)
    except ValueError as fault:
        warnings.append(f"{SKILL_PATH}:metadata.version is not used: it {fault}")
        return None


def _description(read: Frontmatter, warnings: list[str]) -> str:
    """Return the description as a pack can have it: without control characters, and not over a pack's length.

    Raises:
        InvalidRequest: On `SKILL.md:description`: nothing of it is left.
    """
    text = without_control_characters(read.description, keep="\n\t")
    if not text.strip():
        raise InvalidRequest(
            {f"{SKILL_PATH}:description": "has no character that can be shown; say what it does"}
        )
    if text != read.description:
        warnings.append(f"{SKILL_PATH}:description has characters that cannot be shown; remove them")
    return text[:MAX_DESCRIPTION]


def _one_line(text: str) -> str:
    return " ".join(without_control_characters(text, keep="\n\t").split())
