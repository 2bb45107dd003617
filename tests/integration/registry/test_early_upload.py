"""A layer that is sent while it is hashed: it arrives once it is closed, and nothing depends on whether it could be."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import urllib3
from tests.fake_registry.moods import (
    HangsUp,
    Lies,
    Mood,
    Refuses,
    Restates,
    SendsElsewhere,
    Stalls,
    TakesNothing,
)
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import REPOSITORY
from tests.integration.registry.evidence import asked
from tests.trees import lay

from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.registry.credentials import Anonymous
from packyard.registry.own.client import RegistryClient
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.port import BlobUpload
from packyard.registry.own.transport import Exchange, Timeouts, Transport


def large_tree() -> dict[str, bytes]:
    """Return files that are longer than a connection's buffers, so that a receiver that does not read blocks."""
    data = {f"data/{number}": number.to_bytes(2, "big") * (1 << 20) for number in range(12)}
    noise = (
        b"".join(hash((number, n)).to_bytes(8, "big", signed=True) for n in range(60_000))
        for number in range(24)
    )
    return data | {f"noise/{number}": content for number, content in enumerate(noise)}


@pytest.fixture(scope="module")
def layer() -> Iterator[Layer]:
    with LayerSpool() as spool:
        yield lay(spool, large_tree())


@pytest.fixture
def registry(fake: FakeRegistry) -> DistributionRegistry:
    return distribution_registry(url=fake.url, credential=Anonymous(), timeouts=short_timeouts(0.5))


def short_timeouts(seconds: float) -> Timeouts:
    """Without pauses between attempts."""
    return Timeouts(
        sleep=lambda _: None,
        monotonic=time.monotonic,
        connect_seconds=seconds,
        read_seconds=seconds,
        total_seconds=10,
    )


def send(upload: BlobUpload, layer: Layer) -> None:
    for piece in layer.chunks():
        upload.write(piece)
    upload.end()


def push_early(registry: DistributionRegistry, repository: str, image: Image, layer: Layer) -> None:
    with registry.begin_upload(repository) as upload:
        send(upload, layer)
        registry.push(repository, image, uploads={layer.digest: upload})


def uploads(fake: FakeRegistry, method: str) -> int:
    return asked(fake, method, "/blobs/uploads/")


def test_the_same_bytes_arrive_in_every_registry(
    every_registry_url: str, repository: str, image: Image, layer: Layer
) -> None:
    registry = distribution_registry(
        url=every_registry_url, credential=Anonymous(), timeouts=short_timeouts(10)
    )

    push_early(registry, repository, image, layer)

    got = urllib3.PoolManager().request("GET", f"{every_registry_url}/v2/{repository}/blobs/{layer.digest}")
    assert (got.status, got.data) == (200, b"".join(layer.chunks()))


def test_what_is_there_early_is_not_sent_again(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
) -> None:
    push_early(registry, REPOSITORY, image, layer)

    # The other two of each are the configs.
    assert (uploads(fake, "POST"), uploads(fake, "PATCH"), uploads(fake, "PUT")) == (3, 1, 3)
    assert uploads(fake, "DELETE") == 0
    assert fake.shelves.repositories[REPOSITORY].uploads == {}


def test_no_request_is_sent_before_the_first_piece(
    fake: FakeRegistry, registry: DistributionRegistry
) -> None:
    before = threading.active_count()

    with registry.begin_upload(REPOSITORY):
        assert threading.active_count() == before

    assert fake.requests == []


def test_a_layer_is_no_blob_before_its_push_and_an_upload_that_is_not_closed_is_cancelled(
    fake: FakeRegistry, registry: DistributionRegistry, layer: Layer
) -> None:
    with registry.begin_upload(REPOSITORY) as upload:
        send(upload, layer)
        assert upload.finish() is not None
        assert fake.shelves.repositories[REPOSITORY].blobs == {}
    with registry.begin_upload(REPOSITORY) as upload:
        send(upload, layer)

    assert fake.shelves.repositories[REPOSITORY].blobs == {}
    # The caller that closes it has the first URL already.
    assert len(fake.shelves.repositories[REPOSITORY].uploads) == 1
    assert uploads(fake, "DELETE") == 1


def test_an_upload_that_is_left_half_way_is_cancelled(
    fake: FakeRegistry, registry: DistributionRegistry, layer: Layer
) -> None:
    with registry.begin_upload(REPOSITORY) as upload:
        upload.write(next(layer.chunks()))

    assert fake.shelves.repositories[REPOSITORY].uploads == {}


def test_a_layer_that_is_there_already_is_neither_closed_nor_sent(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
) -> None:
    registry.push(REPOSITORY, image)
    fake.requests.clear()

    push_early(registry, REPOSITORY, image, layer)

    assert (uploads(fake, "PATCH"), uploads(fake, "PUT"), uploads(fake, "DELETE")) == (1, 0, 1)
    assert fake.shelves.repositories[REPOSITORY].uploads == {}


@pytest.mark.parametrize("status", [201, 202, 204])
def test_registries_differ_in_how_they_say_that_they_have_taken_it(
    status: int, fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
) -> None:
    fake.moods.append(Restates(status=status, method="PATCH"))

    push_early(registry, REPOSITORY, image, layer)

    assert layer.digest in fake.shelves.repositories[REPOSITORY].blobs
    assert uploads(fake, "PUT") == 3


FAULTS = {
    "no repository yet": Refuses(status=404, method="POST", times=1),
    "no answer to the POST": Refuses(status=503, method="POST", times=1),
    "a silent POST": Stalls(seconds=60, method="POST", times=1),
    "a POST that points elsewhere": SendsElsewhere(
        base_url="http://registry.invalid", method="POST", times=1
    ),
    "an outage while it takes": Refuses(status=503, method="PATCH"),
    "no PATCH at all": Refuses(status=405, method="PATCH"),
    "no leave to PATCH": Refuses(status=401, method="PATCH"),
    "a connection closed unread": HangsUp(method="PATCH"),
    "nothing taken": TakesNothing(seconds=60, method="PATCH"),
    "no answer to the PATCH": Stalls(seconds=60, method="PATCH"),
    "a session forgotten": Refuses(status=404, method="PUT", path="/blobs/uploads/", times=1),
    "a digest refused": Refuses(status=400, method="PUT", path="/blobs/uploads/", times=1),
    "an outage at the closing": Refuses(status=500, method="PUT", path="/blobs/uploads/", times=1),
    "another blob stored": Lies(method="PUT", path="/blobs/uploads/", times=1),
}


@pytest.mark.parametrize("mood", FAULTS.values(), ids=FAULTS)
def test_whatever_goes_wrong_early_the_push_brings_the_layer(
    mood: Mood, fake: FakeRegistry, layer: Layer
) -> None:
    fake.moods.append(replace(mood))
    timeouts = short_timeouts(0.5)
    exchange = Exchange(http=urllib3.PoolManager(), timeouts=timeouts)
    client = RegistryClient(
        Transport(exchange=exchange, base_url=fake.url, credential=Anonymous(), timeouts=timeouts)
    )
    started = time.monotonic()

    with client.begin_upload(REPOSITORY) as upload:
        send(upload, layer)
        client.push_blob(REPOSITORY, digest=layer.digest, size=layer.size, chunks=layer.chunks, upload=upload)

    assert fake.shelves.repositories[REPOSITORY].blobs[layer.digest] == b"".join(layer.chunks())
    assert time.monotonic() - started < 20, "a few times a timeout of half a second"
    alive = [thread.name for thread in threading.enumerate()]
    assert not [name for name in alive if name.startswith(("ThreadPoolExecutor", "early-upload"))]


def test_an_upload_that_cannot_be_cancelled_is_left_to_the_registry(
    fake: FakeRegistry, registry: DistributionRegistry, layer: Layer
) -> None:
    fake.moods.append(Refuses(status=503, method="DELETE"))

    with registry.begin_upload(REPOSITORY) as upload:
        send(upload, layer)

    assert uploads(fake, "DELETE") == 1
