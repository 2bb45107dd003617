"""The field `version` of the operations that take an archive: of an Agent Skill that states none."""

from collections.abc import Mapping
from typing import Any, Final

from packyard.http.fields import Field
from packyard.http.multipart import Part
from packyard.packs.manifest.unstated_version import FIELD
from packyard.packs.manifest.version import MAX_LENGTH, VERSION_PATTERN, Version

VERSION: Final = Field(
    name=FIELD,
    pattern=VERSION_PATTERN,
    max_length=MAX_LENGTH,
    example="1.4.0",
    description="SemVer, for an Agent Skill whose `SKILL.md` states none in `metadata.version`. Without it, a new pack "
    "gets 0.1.0, and new content the next patch.",
)


def parse_version_field(value: Any, faults: dict[str, str]) -> Version | None:
    """Return the version that a request gives; when it is wrong, None, and the fault is added to `faults`."""
    if not isinstance(value, str):
        faults[FIELD] = f'must be text, as in "{VERSION.example}"'
        return None
    # Imported here because few requests give a version.
    from packyard.packs.manifest.version_text import parse_version  # noqa: PLC0415

    try:
        return parse_version(value)
    except ValueError as fault:
        faults[FIELD] = str(fault)
        return None


def version_of_form(parts: Mapping[str, Part], faults: dict[str, str]) -> Version | None:
    """Return the version that a form gives, as `parse_version_field`; None if it gives none."""
    part = parts.get(FIELD)
    return None if part is None else parse_version_field(part.content.decode("utf-8", "replace"), faults)
