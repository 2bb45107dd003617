"""What the clients of the doors take: what a pack breaks, each client refuses, drops without a word, or chokes on.

The limits are those that the clients have in their own code, measured with `skills` 1.7.4, Claude Code 2.1.332,
`clawhub` 0.23.3 and FastMCP 4.2.3 (`docs/doors.md`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from packyard.doors.document import SKILL_FILE, ServedFile
from packyard.doors.door import ZIP_DOORS, Door
from packyard.doors.flat_name import MAX_CHARACTERS
from packyard.doors.made_skill import MAX_DESCRIPTION
from packyard.packs.manifest.name import SLUG

_MIB: Final = 1 << 20
# `skills`: a skill over either is dropped without a word.
_SKILLS_FILES: Final = 1000
_SKILLS_BYTES: Final = 50 * _MIB
# Claude Code.
_CLAUDE_FILES: Final = 100_000
_CLAUDE_FILE_BYTES: Final = 512 * _MIB
_CLAUDE_BYTES: Final = 1024 * _MIB
# FastMCP.
_MCP_FILES: Final = 512
_MCP_BYTES: Final = 16 * _MIB
# Ours: an answer of the gateway has each file, as text or in base64.
_MCP_FILE_BYTES: Final = 3 * _MIB
# Ours: a zip with more, or larger, would be in the form for large ones, which readers know less well.
ZIP_FILES: Final = 65_000
ZIP_BYTES: Final = 2 * 1024 * _MIB
_ELSEWHERE: Final = (
    "its image is in another registry, and what is pulled here is in ours; upload the pack, or clone it"
)


def unfit_doors(  # noqa: PLR0913 - by name: what a pack says of itself, and where it is
    files: Sequence[ServedFile],
    frontmatter: Mapping[str, Any],
    *,
    name: str,
    unreadable: str | None = None,
    uncertain: Sequence[str] = (),
    elsewhere: bool = False,
) -> dict[Door, str]:
    """Return the doors that leave a pack out, each with the reason.

    Args:
        files: What the doors serve.
        frontmatter: Of its `SKILL.md`.
        name: The pack's name.
        unreadable: What keeps the frontmatter from being read; None if it has been read.
        uncertain: The paths of values in it that readers of YAML read differently.
        elsewhere: Whether its image is in another registry than ours.
    """
    reasons: dict[Door, str] = {Door.SKILL_ARTIFACT: _ELSEWHERE} if elsewhere else {}
    # The first reason for a door is the one that is told.
    for door, reason in _reasons(files, frontmatter, name=name, unreadable=unreadable):
        reasons.setdefault(door, reason)
    if uncertain:
        # FastMCP compares what it reads with what the entry says.
        reasons.setdefault(
            Door.MCP,
            f"{uncertain[0]}: of its {SKILL_FILE} is not the same to every reader of YAML; put it in quotes",
        )
    return reasons


def zip_refusal(files: Sequence[ServedFile]) -> str | None:
    """Return why no zip is made of some files; None if one is."""
    if len(files) > ZIP_FILES:
        return f"has {len(files)} files; a zip is made of at most {ZIP_FILES}"
    size = sum(file.size for file in files)
    if size > ZIP_BYTES:
        return f"has {size} bytes; a zip is made of at most {ZIP_BYTES}"
    return None


def _reasons(
    files: Sequence[ServedFile], frontmatter: Mapping[str, Any], *, name: str, unreadable: str | None
) -> Iterator[tuple[Door, str]]:
    refusal = zip_refusal(files)
    if refusal is not None:
        yield from ((door, refusal) for door in (*ZIP_DOORS, Door.SKILL_ARTIFACT))
    broken = unreadable or _frontmatter_fault(frontmatter)
    if broken is not None:
        # `skills` drops the entry; of MCP's list, one such entry makes FastMCP refuse all. The skill artifact's folder
        # has the name.
        yield from ((door, broken) for door in (Door.AGENT_SKILLS, Door.MCP, Door.SKILL_ARTIFACT))
    elif frontmatter["name"] != name:
        yield Door.MCP, f"its {SKILL_FILE} calls it {frontmatter['name']!r}, and its address calls it {name}"
    for door, count, size, largest in (
        (Door.AGENT_SKILLS, _SKILLS_FILES, _SKILLS_BYTES, _SKILLS_BYTES),
        (Door.MARKETPLACE, _CLAUDE_FILES, _CLAUDE_BYTES, _CLAUDE_FILE_BYTES),
        (Door.MCP, _MCP_FILES, _MCP_BYTES, _MCP_FILE_BYTES),
    ):
        reason = _too_large(files, count=count, size=size, largest=largest)
        if reason is not None:
            yield door, reason


def _frontmatter_fault(frontmatter: Mapping[str, Any]) -> str | None:
    given, description = frontmatter.get("name"), frontmatter.get("description")
    if not isinstance(given, str) or len(given) > MAX_CHARACTERS or not SLUG.fullmatch(given):
        return (
            f"name: of its {SKILL_FILE} must be at most {MAX_CHARACTERS} lower-case letters and digits, "
            "joined by single hyphens"
        )
    if not isinstance(description, str) or not 1 <= len(description) <= MAX_DESCRIPTION:
        return f"description: of its {SKILL_FILE} must have 1 to {MAX_DESCRIPTION} characters"
    return None


def _too_large(files: Sequence[ServedFile], *, count: int, size: int, largest: int) -> str | None:
    if len(files) > count:
        return f"has {len(files)} files; this client takes at most {count}"
    for file in files:
        if file.size > largest:
            return f"{file.path} has {file.size} bytes; this client takes at most {largest} of a file"
    total = sum(file.size for file in files)
    return f"has {total} bytes; this client takes at most {size}" if total > size else None
