"""POST and PUT /packs of images whose root holds an Agent Skill, from another registry."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer
from tests.service import Service
from tests.third_party_images import PACK_YAML, Blob, image, index, layer, shelve

HEAD = b"---\nname: pdf-tools\ndescription: Work with PDF files.\n"
SKILL = layer(("SKILL.md", HEAD + b"effort: high\n---\n"), ("references/a.md", b"a"))
VERSION = "org.opencontainers.image.version"


@pytest.fixture
def third_party() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def shelved(registry: FakeRegistry, tag: str, *layers: Blob, **annotations: str) -> str:
    """Put an image into a registry, under an index that has annotations, and return its reference."""
    repository = registry.shelves.repository("team/pdf", create=True)
    found = image(*layers)
    found.shelve(repository)
    shelve(repository, index((found.manifest, "linux/amd64"), annotations=annotations), tag)
    return f"{urlsplit(registry.url).netloc}/team/pdf:{tag}"


def create(service: Service, reference: str) -> Answer:
    return service.send("create_pack", "POST", "/packs", json={"image_ref": reference})


@pytest.mark.parametrize(
    ("stated", "version"), [({VERSION: "2.1.0"}, "2.1.0"), ({VERSION: "latest"}, "0.1.0"), ({}, "0.1.0")]
)
def test_a_skill_in_an_image_is_a_pack_of_the_version_that_the_image_states(
    service: Service, third_party: FakeRegistry, stated: dict[str, Any], version: str
) -> None:
    answer = create(service, shelved(third_party, "1", SKILL, **stated))

    assert answer.status == 201, answer.body
    assert (answer.body["name"], answer.body["version"]) == ("pdf-tools", version)
    assert [warning.partition(" ")[0] for warning in answer.body["warnings"]] == ["SKILL.md:effort"]
    repeat = create(service, answer.body["image_ref"])
    assert (repeat.status, repeat.body["warnings"]) == (200, answer.body["warnings"])


def test_another_image_without_a_version_is_the_next_patch(
    service: Service, third_party: FakeRegistry
) -> None:
    pack = create(service, shelved(third_party, "1", SKILL, **{VERSION: "2.1.0"})).body
    other = shelved(third_party, "2", SKILL, layer(("b.md", b"b")))

    moved = service.send("replace_pack", "PUT", f"/packs/{pack['id']}", json={"image_ref": other})

    assert (moved.status, moved.body["version"], len(moved.body["warnings"])) == (200, "2.1.1", 1)


def test_a_pack_yaml_decides_where_an_image_has_both(service: Service, third_party: FakeRegistry) -> None:
    answer = create(service, shelved(third_party, "1", layer(("pack.yaml", PACK_YAML)), SKILL))

    assert (answer.status, answer.body["name"], "warnings" in answer.body) == (201, "slack", False)


def test_an_image_with_neither_file_is_refused_as_before(service: Service, third_party: FakeRegistry) -> None:
    fields = create(service, shelved(third_party, "1", layer(("README.md", b"x")))).fields

    assert fields["image_ref"] == "has no pack.yaml at its root (/pack.yaml), where it has to be"


def test_a_skill_that_a_layer_above_removes_is_none(service: Service, third_party: FakeRegistry) -> None:
    reference = shelved(third_party, "1", SKILL, layer((".wh.SKILL.md", b"")))

    assert create(service, reference).fields.keys() == {"image_ref"}
