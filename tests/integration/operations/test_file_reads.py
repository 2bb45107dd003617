"""What reading one file takes from a registry: requests and bytes, counted on the wire."""

import os
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from tests.aws import BUCKET
from tests.fake_registry.moods import KnowsNoRanges
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Request
from tests.registry_wire import Wire, wired
from tests.service import ACME, Service, running_service
from tests.third_party_images import Blob, ForeignImage, Member, gzipped, image, layer, tar

from packyard.oci.digest import Digest
from packyard.oci.read.checkpoints import Checkpoint
from packyard.oci.read.file_index import FileIndex
from packyard.operations.read import get_pack
from packyard.packs.pack import Visibility
from packyard.storage.file_indexes import index_key, windows_key

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
        services = self.service.services
        pack = get_pack(self.pack_id, caller=ACME, packs=services.packs)
        return services.files.content(services.files.find(pack, path, caller=ACME))


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


# Behind the noise of a gzip stream.
TAIL = {"tail/a.md": b"# Answer a message\n" * 3000, "tail/b-empty": b"", "tail/c.bin": os.urandom(50_000)}
# To read one of them takes what lies between two checkpoints, 1 MiB apart, and a block beyond the second.
BETWEEN_CHECKPOINTS = 1200 << 10


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
    return registered(
        running, *elsewhere, name="streamed", what=image(layer(*members("streamed"), *TAIL.items()))
    )


@pytest.fixture
def streamed_without_ranges(streamed: Shelf) -> Iterator[Shelf]:
    streamed.registry.moods.append(KnowsNoRanges(path="/blobs/"))
    yield streamed
    streamed.registry.moods.clear()


def index_of(shelf: Shelf) -> tuple[Digest, FileIndex]:
    """Return the index that is kept of the pack's image, and by what digest."""
    pack = get_pack(shelf.pack_id, caller=ACME, packs=shelf.service.services.packs)
    index = shelf.service.services.indexes.get(pack.image_digest, reader=ACME.org_id)
    assert index is not None
    return pack.image_digest, index


def key_of_windows(shelf: Shelf) -> str:
    windows = index_of(shelf)[1].layers[0].windows
    assert windows is not None
    return windows_key(windows, reader=ACME.org_id)


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


def test_the_start_of_a_gzip_stream_of_others_is_read_from_its_start(streamed: Shelf) -> None:
    assert streamed.read(FIRST) == FILES[FIRST]
    assert (streamed.wire.requests, streamed.wire.ranges) == (1, 0)
    assert streamed.wire.fetched < UNDERWAY < len(NOISE)


@pytest.mark.parametrize("path", TAIL)
def test_a_file_within_a_gzip_stream_takes_one_request_from_the_checkpoint_before_it(
    streamed: Shelf, path: str
) -> None:
    request = Request(
        method="GET",
        resource="/packs/{id}/files",
        path=f"/packs/{streamed.pack_id}/files/{path}",
        headers={"Accept": "*/*"},
        caller=ACME,
    )
    streamed.wire.reset()
    answer = streamed.service.invoke("get_file", request.event())

    body, requests = answer["body"] or "", 1 if TAIL[path] else 0
    assert answer["statusCode"] == 200
    assert (b64decode(body) if answer["isBase64Encoded"] else body.encode()) == TAIL[path]
    assert (streamed.wire.requests, streamed.wire.ranges) == (requests, requests)
    assert streamed.wire.fetched <= BETWEEN_CHECKPOINTS + HEADERS


def test_a_file_over_many_checkpoints_is_read_from_the_first_of_them(streamed: Shelf) -> None:
    assert streamed.read("data/z-noise.bin") == NOISE
    assert (streamed.wire.requests, streamed.wire.ranges) == (1, 0)


def test_of_a_registry_that_knows_no_ranges_a_gzip_stream_is_read_once(
    streamed_without_ranges: Shelf,
) -> None:
    for path, content in TAIL.items():
        assert streamed_without_ranges.read(path) == content
        assert streamed_without_ranges.wire.requests <= 1
        assert streamed_without_ranges.wire.fetched < sum(map(len, FILES.values())) * 1.01 + HEADERS


LOST: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "cut off": lambda windows: windows[: len(windows) // 2],
    "damaged": lambda windows: bytes(len(windows)),
}


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST.keys())
def test_without_a_window_a_gzip_stream_is_read_from_its_start(
    streamed: Shelf, lose: Callable[[bytes], bytes | None]
) -> None:
    s3 = streamed.service.aws.s3
    key = key_of_windows(streamed)
    windows = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    left = lose(windows)
    s3.delete_object(Bucket=BUCKET, Key=key)
    if left is not None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=left)

    content = streamed.read("tail/a.md")

    s3.put_object(Bucket=BUCKET, Key=key, Body=windows)
    assert content == TAIL["tail/a.md"]
    assert (streamed.wire.requests, streamed.wire.ranges) == (1, 0)


LIES: dict[str, Callable[[Checkpoint], Checkpoint]] = {
    "of other output": lambda checkpoint: checkpoint._replace(at=checkpoint.at - 1),
    "at another byte": lambda checkpoint: checkpoint._replace(offset=checkpoint.offset + 1),
    "at another bit": lambda checkpoint: checkpoint._replace(bits=(checkpoint.bits + 3) % 8),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_wrong_checkpoint_is_found_out_and_the_index_is_made_anew(
    streamed: Shelf, lie: Callable[[Checkpoint], Checkpoint]
) -> None:
    digest, truth = index_of(streamed)
    wrong = replace(truth.layers[0], checkpoints=tuple(map(lie, truth.layers[0].checkpoints)))
    indexes = streamed.service.services.indexes
    indexes.put(digest, replace(truth, layers=(wrong,)), reader=ACME.org_id)
    assert index_of(streamed)[1] != truth

    assert streamed.read("tail/c.bin") == TAIL["tail/c.bin"]

    assert index_of(streamed)[1] == truth


def test_windows_whose_index_was_not_kept_are_written_again(streamed: Shelf) -> None:
    """Between the two writes the reader may die."""
    digest, truth = index_of(streamed)
    key = index_key(digest, reader=ACME.org_id)
    streamed.service.aws.s3.delete_object(Bucket=BUCKET, Key=key)

    assert streamed.read("tail/a.md") == TAIL["tail/a.md"]

    assert index_of(streamed)[1] == truth


def test_windows_are_kept_for_the_organisation_that_has_read_the_image(streamed: Shelf) -> None:
    keys = [key for key in streamed.service.aws.objects() if "/windows/" in key]

    assert keys == [key_of_windows(streamed)]
    assert keys[0].startswith(f"indexes/{ACME.org_id}/")


def test_a_layer_that_we_have_built_has_no_checkpoints(built: Shelf) -> None:
    files = built.service.services.image_files
    pack = get_pack(built.pack_id, caller=ACME, packs=built.service.services.packs)

    assert files.read_index(pack, org_id=ACME.org_id).layers[0].checkpoints == ()
