"""`SKILL.md`: PyYAML's own loader reads the accepted frontmatter the same, and the manifest is fit for a pack."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import yaml
from tests.corpus import skills

from packyard.errors import InvalidRequest
from packyard.packs.skill.frontmatter import MAX_WARNINGS, frontmatter_yaml, read_frontmatter
from packyard.packs.skill.skill_manifest import parse_skill

_MAX_BYTES: Final = 4 << 10
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELD = re.compile(r"SKILL\.md(:(name|description))?")


def check(data: bytes) -> None:
    try:
        manifest = parse_skill(data, max_bytes=_MAX_BYTES, folder="pdf-tools")
    except InvalidRequest as refusal:
        _check_refusal(refusal.fields)
        return
    assert _SLUG.fullmatch(manifest.name)
    assert len(manifest.name) <= 64  # noqa: PLR2004 - the contract's number
    assert 1 <= len(manifest.display_name) <= 120  # noqa: PLR2004 - likewise
    assert manifest.description
    assert manifest.description.strip()
    assert len(manifest.warnings) <= MAX_WARNINGS
    json.dumps(manifest.warnings, ensure_ascii=False).encode()
    read = read_frontmatter(data, max_bytes=_MAX_BYTES)
    # PyYAML's own parser ends a plain text at a tab, and then refuses the tab.
    if not read.uncertain and not any("has a tab" in warning for warning in read.warnings):
        assert yaml.safe_load(frontmatter_yaml(data, max_bytes=_MAX_BYTES)) == read.values


def _check_refusal(fields: Mapping[str, str]) -> None:
    assert all(_FIELD.fullmatch(field) and reason for field, reason in fields.items())
    json.dumps(fields, ensure_ascii=False).encode()


def seeds() -> Iterator[bytes]:
    yield from skills.ACCEPT.values()
    yield from (content for content, *_ in (*skills.BROKEN.values(), *skills.REJECT.values()))
