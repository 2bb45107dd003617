"""Reading a part of a blob from a registry of other people: RFC 9110, section 14."""

from collections.abc import Iterator

import pytest
from tests.fake_registry.moods import Says
from tests.fake_registry.server import FakeRegistry
from tests.image_sources import LOOPBACK, image_source
from tests.third_party_images import pack_image

from packyard.errors import RegistryUnavailable
from packyard.oci.reference import parse_reference
from packyard.registry.third_party.image_documents import read_tree

IMAGE = pack_image()


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as running:
        IMAGE.shelve(running.shelves.repository("team/slack", create=True), "1")
        yield running


def read(registry: FakeRegistry) -> bytes:
    """Return the bytes 2 to 6 of the image's last blob, its layer."""
    reference = parse_reference(f"127.0.0.1:{registry.port}/team/slack@{IMAGE.manifest.digest}")
    with image_source(trusted=LOOPBACK).opened(reference, org_id="org_test") as repository:
        blob = read_tree(repository, IMAGE.manifest.digest, max_documents=1).blobs[-1]
        with repository.part(blob, start=2, length=5) as chunks:
            return b"".join(chunks)


def test_a_part_has_the_bytes_that_were_asked_for(registry: FakeRegistry) -> None:
    assert read(registry) == IMAGE.layers[-1].content[2:7]


@pytest.mark.parametrize("stated", ["bytes 0-4/100", "bytes 2-7/100", "bytes */100", ""])
def test_another_part_is_refused(registry: FakeRegistry, stated: str) -> None:
    headers = (("Content-Range", stated),) if stated else ()
    registry.moods.append(Says(path="/blobs/", status=206, headers=headers, body=b"01234"))

    with pytest.raises(RegistryUnavailable, match="the part that it was asked for"):
        read(registry)
