"""The frontmatter of a `SKILL.md`: the YAML between its first line and the next line of three hyphens.

The clients of Agent Skills find it in different ways: by the first line, by the first `---` at the start of a line, or
by any `---` (`skills-ref` 0.1.1). The YAML is read by readers of YAML 1.1 and of YAML 1.2. What they all read alike is
accepted. What one of them would read as another skill is refused. Where the specification is broken and every client
still reads the same name and description, that is a warning (API contract, section 12).

Source: the specification at agentskills.io, "Frontmatter".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from packyard.errors import InvalidRequest
from packyard.packs.manifest.root_file import MANIFEST_PATH, SKILL_PATH
from packyard.packs.manifest.yaml_document import load_mapping
from packyard.text.suggestion import unknown_name

KNOWN_KEYS: Final = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
MAX_DESCRIPTION: Final = 1024
MAX_COMPATIBILITY: Final = 500
# A list of warnings is for people, and is kept with the upload.
MAX_WARNINGS: Final = 50

_MARK: Final = b"\xef\xbb\xbf"
_OPENING: Final = re.compile(rb"---[ \t]*\r?\n")
# A line that begins with three hyphens ends the frontmatter for readers that look for no more than these.
_HYPHENS: Final = re.compile(rb"^---[^\r\n]*", re.MULTILINE)
_CLOSING: Final = re.compile(rb"---[ \t]*")
_HOW: Final = (
    "begin it with lines such as ---, name: pdf-tools, description: What it does and when to use it., ---"
)
_EXAMPLES: Final = {
    "name": "name: pdf-tools",
    "description": "description: What it does, and when to use it.",
}
_MAX_SHOWN: Final = 64
_PLACES: Final = {"version": "metadata.version is where a skill states it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontmatter:
    """What a frontmatter says.

    Attributes:
        values: Every key and value, as all readers of YAML read them, those in `uncertain` aside.
        name: The skill's name as it is given.
        description: As it is given; not blank.
        uncertain: The paths of values that readers of YAML read differently, such as `metadata.since` for an unquoted
            date. `values` has them as text.
        warnings: What breaks the specification, each with the field first.
    """

    values: Mapping[str, Any]
    name: str
    description: str
    uncertain: tuple[str, ...]
    warnings: tuple[str, ...]

    def text(self, key: str) -> str | None:
        """Return the value of a top-level key if it is text that is not blank; None otherwise."""
        value = self.values.get(key)
        return value if isinstance(value, str) and value.strip() else None

    @property
    def stated_version(self) -> str | None:
        """The text of `metadata.version`, if it is text to every reader; None otherwise."""
        metadata = self.values.get("metadata")
        value = metadata.get("version") if isinstance(metadata, dict) else None
        return value if isinstance(value, str) and "metadata.version" not in self.uncertain else None


def read_frontmatter(content: bytes, *, max_bytes: int) -> Frontmatter:
    """Return the frontmatter of a `SKILL.md`.

    Args:
        content: The file, or at least its first `max_bytes` bytes.
        max_bytes: The largest frontmatter, in bytes.

    Raises:
        InvalidRequest: On `SKILL.md`, with the line: there is no frontmatter, it is not YAML, or readers differ about
            it. On `SKILL.md:name` and `SKILL.md:description`: the key is missing, or is not text to every reader.
    """
    uncertain: list[str] = []
    block = frontmatter_yaml(content, max_bytes=max_bytes)
    try:
        values = load_mapping(block, on_uncertain=uncertain.append)
    except InvalidRequest as refusal:
        raise InvalidRequest({SKILL_PATH: refusal.fields[MANIFEST_PATH]}) from None
    _require_name_and_description(values, uncertain)
    warnings = [
        *_of_the_file(marked=content.startswith(_MARK), block=block),
        *_of_keys(values),
        *_of_values(values, uncertain),
    ]
    if len(warnings) > MAX_WARNINGS:
        warnings = [*warnings[: MAX_WARNINGS - 1], f"{SKILL_PATH} has more faults than are listed here"]
    return Frontmatter(
        values=values,
        name=values["name"],
        description=values["description"],
        uncertain=tuple(uncertain),
        warnings=tuple(warnings),
    )


def frontmatter_yaml(content: bytes, *, max_bytes: int) -> bytes:
    """Return the lines between the opening and the closing one, behind an empty line in place of the opening one.

    So their numbers are those in the file.

    Args:
        content: As for `read_frontmatter`.
        max_bytes: As for `read_frontmatter`.

    Raises:
        InvalidRequest: On `SKILL.md`: there is no frontmatter, or readers differ about where it ends.
    """
    content = content.removeprefix(_MARK)[:max_bytes]
    opening = _OPENING.match(content)
    if opening is None:
        raise InvalidRequest(
            {SKILL_PATH: f"does not begin with frontmatter, a first line of three hyphens; {_HOW}"}
        )
    closing = _HYPHENS.search(content, opening.end())
    if closing is None:
        raise InvalidRequest(
            {
                SKILL_PATH: f"has no line of three hyphens that ends its frontmatter within {max_bytes} bytes; add it"
            }
        )
    if _CLOSING.fullmatch(closing[0]) is None:
        line = content.count(b"\n", 0, closing.start()) + 1
        raise InvalidRequest(
            {
                SKILL_PATH: f"line {line}: begins with three hyphens, which ends the frontmatter for some readers and "
                "not for others; indent it, or put the value in quotes"
            }
        )
    return b"\n" + content[opening.end() : closing.start()]


def _require_name_and_description(values: Mapping[str, Any], uncertain: list[str]) -> None:
    faults = {}
    for key, example in _EXAMPLES.items():
        value = values.get(key)
        if value is None or (isinstance(value, str) and not value.strip()):
            faults[f"{SKILL_PATH}:{key}"] = f"is required, as in {example}"
        elif not isinstance(value, str) or key in uncertain:
            faults[f"{SKILL_PATH}:{key}"] = (
                f"must be one line of text; put it in quotes, as in {example}"
                if isinstance(value, list | dict)
                else "is not text to every reader of YAML; put it in quotes"
            )
    if faults:
        raise InvalidRequest(faults)


def _of_the_file(*, marked: bool, block: bytes) -> Iterator[str]:
    if marked:
        yield f"{SKILL_PATH} begins with a byte order mark, behind which some readers find no frontmatter; remove it"
    if b"\t" in block:
        # PyYAML's own parser is one of them; libyaml and the parsers of JavaScript take it.
        yield f"{SKILL_PATH} has a tab in its frontmatter, which some readers of YAML do not take; write spaces"
    if b"---" in block:
        yield f"{SKILL_PATH} has --- inside its frontmatter, where the reference validator ends it; write other hyphens"


def _of_keys(values: Mapping[str, Any]) -> Iterator[str]:
    for key in values:
        if key not in KNOWN_KEYS:
            reason = unknown_name(key, KNOWN_KEYS, kind="a key of the specification", place=_PLACES.get(key))
            yield f"{SKILL_PATH}:{shown_key(key)} {reason}"


def _of_values(values: Mapping[str, Any], uncertain: list[str]) -> Iterator[str]:
    description = values["description"]
    if len(description) > MAX_DESCRIPTION:
        yield (
            f"{SKILL_PATH}:description has {len(description)} characters, and {MAX_DESCRIPTION} is the most of the "
            "specification; some clients leave such a skill out"
        )
    for key in ("license", "compatibility"):
        if key in values and not isinstance(values[key], str):
            yield f"{SKILL_PATH}:{key} must be text; put it in quotes"
    compatibility = values.get("compatibility")
    if isinstance(compatibility, str) and not 1 <= len(compatibility) <= MAX_COMPATIBILITY:
        yield f"{SKILL_PATH}:compatibility must have 1 to {MAX_COMPATIBILITY} characters; this has {len(compatibility)}"
    if "allowed-tools" in values and not isinstance(values["allowed-tools"], str):
        yield f"{SKILL_PATH}:allowed-tools must be one text with a space between tools, as in allowed-tools: Read Grep"
    metadata = values.get("metadata", {})
    if not isinstance(metadata, dict):
        yield f"{SKILL_PATH}:metadata must be a mapping: lines of key: value"
    else:
        for key, value in metadata.items():
            if not isinstance(value, str):
                yield f"{SKILL_PATH}:metadata.{shown_key(key)} must be text; put it in quotes"
    for path in uncertain:
        yield f"{SKILL_PATH}:{shown_key(path)} is not the same to every reader of YAML; put it in quotes"


def shown_key(key: str) -> str:
    """Return a key for use in a message: shortened, and printable."""
    short = key if len(key) <= _MAX_SHOWN else f"{key[:_MAX_SHOWN]}…"
    return short if short and short.isprintable() else ascii(short)
