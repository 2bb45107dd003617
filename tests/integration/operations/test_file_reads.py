"""What reading one file takes from a registry: requests and bytes, counted on the wire."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from tests.fake_registry.moods import KnowsNoRanges
from tests.fake_registry.server import FakeRegistry
from tests.registry_wire import Wire, wired
from tests.service import ACME, Service, running_service
from tests.third_party_images import Blob, ForeignImage, Member, gzipped, image, layer, tar

from packyard.packs.pack import Visibility

NOISE = os.urandom(24 << 20)
# In canonical order; the layer is as large as the last of them, about.
FILES = {
    "data/a-small.bin": os.urandom(50_000),
    "data/b-text.md": b"# Post a message\n" * 3000,
    "data/c-empty": b"",
    "data/d-large.bin": os.urandom(3 << 20),
    "data/z-noise.bin": NOISE,
}
FIRST, *_, LAST = FILES
# What a registry says before the bytes that were asked for.
HEADERS = 1024
# What is on its way, and in the buffers of sockets, when we hang up.
UNDERWAY = 12 << 20


@dataclass(frozen=True)
class Shelf:
    """A pack, and the way to the registry that has its image."""

    service: Service
    registry: FakeRegistry
    wire: Wire
    pack_id: str

    def read(self, path: str) -> bytes:
        """Return a file as its function reads it; the wire has counted that and nothing else."""
        self.wire.reset()
        files = self.service.services.files
        return files.content(files.find(self.pack_id, path, caller=ACME))


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with running_service() as service:
        yield service


@pytest.fixture(scope="module")
def built(running: Service) -> Iterator[Shelf]:
    """A pack that we have built."""
    with wired(urlsplit(running.registry.url).netloc) as wire:
        running.new_process(settings=replace(running.services.settings, registry_url=f"http://{wire.host}"))
        published = running.services.publisher.create(
            BytesIO(gzipped(tar(*members("built")))), visibility=Visibility.ORG, actor=ACME
        )
        yield Shelf(running, running.registry, wire, published.pack.id)


@pytest.fixture
def without_ranges(built: Shelf) -> Iterator[Shelf]:
    built.registry.moods.append(KnowsNoRanges(path="/blobs/"))
    yield built
    built.registry.moods.clear()


@pytest.mark.parametrize("path", FILES)
def test_a_file_takes_one_request_for_its_own_bytes_and_no_others(built: Shelf, path: str) -> None:
    content = built.read(path)

    requests = 1 if content else 0
    assert content == FILES[path]
    assert (built.wire.requests, built.wire.ranges) == (requests, requests)
    assert built.wire.fetched <= len(content) * 1.01 + HEADERS


def test_a_file_takes_the_same_each_time(built: Shelf) -> None:
    counted = []
    for _ in range(3):
        built.read(FIRST)
        counted.append((built.wire.requests, built.wire.ranges))

    assert counted == [(1, 1)] * 3


def test_a_registry_that_knows_no_ranges_is_hung_up_on_behind_the_file(without_ranges: Shelf) -> None:
    assert without_ranges.read(FIRST) == FILES[FIRST]
    assert without_ranges.wire.requests == 1
    assert without_ranges.wire.fetched < UNDERWAY < len(NOISE)


def test_of_a_registry_that_knows_no_ranges_the_last_file_takes_the_whole_layer_once(
    without_ranges: Shelf,
) -> None:
    assert without_ranges.read(LAST) == FILES[LAST]
    assert without_ranges.wire.requests == 1
    assert without_ranges.wire.fetched < sum(map(len, FILES.values())) * 1.01 + HEADERS


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[FakeRegistry, Wire]]:
    with FakeRegistry() as registry, wired(urlsplit(registry.url).netloc) as wire:
        yield registry, wire


@pytest.fixture(scope="module")
def plain(running: Service, elsewhere: tuple[FakeRegistry, Wire]) -> Shelf:
    """A pack of an image whose layer is a tar as it is."""
    blob = Blob(tar(*members("plain")), "application/vnd.oci.image.layer.v1.tar")
    return registered(running, *elsewhere, name="plain", what=image(blob))


@pytest.fixture(scope="module")
def streamed(running: Service, elsewhere: tuple[FakeRegistry, Wire]) -> Shelf:
    """A pack of an image whose layer is one gzip stream, as most are."""
    return registered(running, *elsewhere, name="streamed", what=image(layer(*members("streamed"))))


def members(name: str) -> list[Member]:
    return [("pack.yaml", f"name: {name}\nversion: 1.0.0\n".encode()), *FILES.items()]


def registered(
    running: Service, registry: FakeRegistry, wire: Wire, *, name: str, what: ForeignImage
) -> Shelf:
    what.shelve(registry.shelves.repository(f"team/{name}", create=True), "1")
    body = {"image_ref": f"{wire.host}/team/{name}:1"}
    created = running.send("create_pack", "POST", "/packs", json=body)
    assert created.status == 201, created.body
    shelf = Shelf(running, registry, wire, str(created.body["id"]))
    # The first read writes the index.
    shelf.read("pack.yaml")
    return shelf


@pytest.mark.parametrize("path", FILES)
def test_a_plain_layer_of_others_is_read_as_one_of_ours_is(plain: Shelf, path: str) -> None:
    content = plain.read(path)

    requests = 1 if content else 0
    assert content == FILES[path]
    assert (plain.wire.requests, plain.wire.ranges) == (requests, requests)
    assert plain.wire.fetched <= len(content) + HEADERS


def test_a_gzip_stream_of_others_is_read_once_and_as_far_as_the_file_goes(streamed: Shelf) -> None:
    assert streamed.read(FIRST) == FILES[FIRST]
    assert (streamed.wire.requests, streamed.wire.ranges) == (1, 0)
    assert streamed.wire.fetched < UNDERWAY < len(NOISE)
