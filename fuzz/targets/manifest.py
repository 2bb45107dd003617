"""`pack.yaml`: PyYAML's own loader reads an accepted document the same, and our text reads back to the same values."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import yaml
from tests.corpus import manifests

from packyard.errors import InvalidRequest
from packyard.packs.manifest.pack_manifest import MAX_CAPABILITIES_BYTES, MAX_FAULTS, parse_manifest
from packyard.packs.manifest.yaml_document import dump, load_mapping

_MAX_BYTES: Final = 8 << 10
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELD = re.compile(r"pack\.yaml(:.+)?", re.DOTALL)


def check(data: bytes) -> None:
    try:
        manifest = parse_manifest(data, max_bytes=_MAX_BYTES)
    except InvalidRequest as refusal:
        _check_refusal(refusal.fields)
        return
    assert len(data) <= _MAX_BYTES
    for slug in (manifest.name, *manifest.suggested_packs, *filter(None, [manifest.category])):
        assert _SLUG.fullmatch(slug)
        assert len(slug) <= 64  # noqa: PLR2004 - the contract's number
    assert 1 <= len(manifest.display_name) <= 120  # noqa: PLR2004 - likewise
    ours = load_mapping(data)
    assert yaml.safe_load(dump(ours)) == ours
    if manifest.capabilities_text is not None:
        assert len(manifest.capabilities_text.encode()) <= MAX_CAPABILITIES_BYTES
        assert yaml.safe_load(manifest.capabilities_text) == ours["capabilities"]


def _check_refusal(fields: Mapping[str, str]) -> None:
    assert 1 <= len(fields) <= MAX_FAULTS + 1
    assert all(_FIELD.fullmatch(field) and reason for field, reason in fields.items())
    json.dumps(fields, ensure_ascii=False).encode()


def seeds() -> Iterator[bytes]:
    yield from manifests.ACCEPT.values()
    yield from (content for content, _ in manifests.REJECT.values())
