"""The `SKILL.md` that is made of a pack which brings none (API contract, section 12; agentskills.io/specification).

The same pack always gives the same bytes. Everything comes from `pack.yaml` and `behavior.md`, so all that could hide
something in them is removed: a reader sees what an agent reads.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from packyard.packs.manifest.yaml_document import dump

# The specification's limit on `description`, in characters.
MAX_DESCRIPTION: Final = 1024
BEHAVIOR: Final = "behavior.md"
GUIDES: Final = "guides/"
# The list is for orientation. An agent can look into the folder for more.
_MAX_GUIDES: Final = 200
_LINE_BREAK: Final = re.compile(r"\r\n|[\r\x85\u2028\u2029]")
# Control, format, surrogate and private characters. What hides among letters and marks is listed.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
_SELECTORS: Final = re.compile(
    "[\u115f\u1160\u3164\uffa0\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
# The specification's own validator ends the frontmatter at these, wherever they stand.
_HYPHENS: Final = re.compile("-{3,}")
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>])")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSkill:
    """A `SKILL.md`.

    Attributes:
        text: Of the file.
        frontmatter: Its frontmatter.
    """

    text: str
    frontmatter: dict[str, Any]


def made_skill(  # noqa: PLR0913 - by name: what a pack says of itself
    *,
    name: str,
    display_name: str,
    version: str,
    description: str | None,
    behavior: bytes | None,
    paths: Iterable[str],
) -> MadeSkill:
    """Return the `SKILL.md` of a pack.

    Args:
        name: The pack's name.
        display_name: The pack's.
        version: The pack's.
        description: The pack's; None if it has none.
        behavior: Its `behavior.md`; None if it has none. What is no UTF-8 in it is replaced.
        paths: Of all of its files.
    """
    title = _line(display_name) or name
    told = _HYPHENS.sub("\u2014", _line(description or "") or f"The content pack {title}.")
    frontmatter: dict[str, Any] = {"name": name, "description": told[:MAX_DESCRIPTION].rstrip()}
    if not _HYPHENS.search(version):
        frontmatter["metadata"] = {"version": version}
    text = "" if behavior is None else _visible(behavior.decode(errors="replace")).strip("\n")
    parts = [f"---\n{dump(frontmatter)}---\n", f"{text or f'# {_escaped(title)}'}\n"]
    guides = sorted(path for path in paths if path.startswith(GUIDES))
    if guides:
        parts.append("\n".join(("## Guides\n", *map(_listed, guides[:_MAX_GUIDES]), "")))
    if len(guides) > _MAX_GUIDES:
        parts.append(f"The folder `guides` has {len(guides) - _MAX_GUIDES} more.\n")
    return MadeSkill(text="\n".join(parts), frontmatter=frontmatter)


def _listed(path: str) -> str:
    return f"- [{_escaped(_line(path.removeprefix(GUIDES)))}]({quote(path)})"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _line(text: str) -> str:
    """Return a text in one line, without what cannot be seen."""
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    """Return a text without invisible characters. Its line breaks are line feeds, and tabulators stay."""
    lines = _LINE_BREAK.sub("\n", _SELECTORS.sub("", text))
    return "".join(
        character
        for character in lines
        if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE
    )
