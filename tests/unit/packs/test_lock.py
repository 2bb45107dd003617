"""The lock document is what its published schema and test vectors say."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest
from openapi_schema_validator import OAS31Validator

from packyard.oci.digest import Digest
from packyard.packs.lock import LockedFile, LockedPack, lock_document
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Layer
from packyard.packs.role import Pin

FOLDER: Final = Path(__file__).parents[3] / "docs" / "lock"
VECTORS: Final = json.loads((FOLDER / "vectors.json").read_text())
SCHEMA: Final = json.loads((FOLDER / "schema.json").read_text())
EACH = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


def locked(pack: dict[str, Any]) -> LockedPack:
    pin = Pin(
        pack_id=pack["id"],
        org_id="org_01jq2v7n3t5w8xabcdefghjkmn",
        owner=pack["owner"],
        name=PackName(pack["name"]),
        version=Version(pack["version"]),
        revision=pack["revision"],
        image_ref=pack["image_ref"],
        image_digest=Digest(pack["image_digest"]),
        content_digest=pack.get("content_digest"),
        alias=pack.get("alias"),
    )
    files = [LockedFile(**file) for file in pack["files"]] if "files" in pack else None
    return LockedPack(pin, [Layer(**layer) for layer in pack["layers"]], pack.get("capabilities"), files)


@EACH
def test_a_role_of_the_vectors_has_the_document_of_the_vectors(vector: dict[str, Any]) -> None:
    role = vector["role"]

    made = lock_document(role["role_id"], role["revision"], [locked(pack) for pack in role["packs"]])

    assert made.decode() == vector["document"]
    assert hashlib.sha256(made).hexdigest() == vector["sha256"]


@EACH
def test_the_document_is_valid_and_canonical(vector: dict[str, Any]) -> None:
    document = json.loads(vector["document"])

    assert list(OAS31Validator(SCHEMA).iter_errors(document)) == []
    assert canonical(document) == vector["document"]


@EACH
def test_the_set_digest_is_that_of_ids_and_images_alone(vector: dict[str, Any]) -> None:
    packs = json.loads(vector["document"])["packs"]
    lines = b"".join(
        pack["id"].encode() + b"\0" + pack["image_digest"].encode() + b"\n"
        for pack in sorted(packs, key=lambda pack: str(pack["id"]))
    )

    assert json.loads(vector["document"])["set_digest"] == f"sha256:{hashlib.sha256(lines).hexdigest()}"


def canonical(value: Any) -> str:
    """Return JSON as RFC 8785 has it, written anew after sections 3.2.2 and 3.2.3."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(member)}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int):
        assert 0 <= value < 2**53
        return str(value)
    short = {8: r"\b", 9: r"\t", 10: r"\n", 12: r"\f", 13: r"\r", 34: r"\"", 92: r"\\"}
    return (
        '"'
        + "".join(
            short.get(ord(character), rf"\u{ord(character):04x}" if ord(character) < 0x20 else character)
            for character in value
        )
        + '"'
    )
