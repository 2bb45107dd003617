"""What becomes of a push when the registry, or the way to it, does not do as it should."""

import itertools
import socket
import time
from dataclasses import replace

import pytest
from tests.fake_registry.moods import (
    CutsOff,
    Drips,
    Garbles,
    HangsUp,
    Lies,
    Mood,
    Redirects,
    Refuses,
    SendsElsewhere,
    Stalls,
)
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import REPOSITORY, Waiter
from tests.integration.registry.evidence import asked

from packyard.errors import PackyardError, RegistryCleanupFailed, RegistryUnavailable
from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer
from packyard.oci.digest import digest_of
from packyard.registry.credentials import Anonymous
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.refusal import RegistryRefused
from packyard.registry.own.transport import RETRY_DELAYS_SECONDS, Timeouts

ATTEMPTS = len(RETRY_DELAYS_SECONDS) + 1


@pytest.fixture
def waiter() -> Waiter:
    return Waiter(connect_seconds=0.5, read_seconds=0.2, total_seconds=0.5)


PASSING = {
    "an-outage": Refuses(status=503, times=2),
    "an-outage-while-it-receives-a-blob": Refuses(status=500, method="PUT", path="/blobs/", times=1),
    "an-outage-while-it-receives-a-manifest": Refuses(status=502, method="PUT", path="/manifests/", times=2),
    "throttling": Refuses(status=429, method="POST", times=2),
    "a-connection-closed-unheard": HangsUp(times=2),
    "a-connection-closed-in-the-middle-of-a-blob": HangsUp(method="PUT", path="/blobs/", times=1),
    "a-long-silence": Stalls(seconds=5, method="PUT", path="/manifests/", times=1),
    "a-digest-of-something-else": Lies(method="PUT", times=2),
}
LASTING = {
    "an-outage": Refuses(status=503),
    "throttling": Refuses(status=429, method="POST"),
    "connections-closed": HangsUp(method="PUT"),
    "silence": Stalls(seconds=5, method="HEAD"),
    "a-digest-of-something-else": Lies(method="PUT", path="/manifests/"),
    "uploads-sent-to-another-host": SendsElsewhere(base_url="http://registry.invalid", method="POST"),
    "uploads-sent-to-another-port": SendsElsewhere(base_url="http://127.0.0.1:1", method="POST"),
    "uploads-sent-to-a-host-that-looks-alike": SendsElsewhere(base_url="//127.0.0.1", method="POST"),
}


@pytest.mark.parametrize("mood", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for(
    mood: Mood, fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
) -> None:
    fake.moods.append(replace(mood))

    registry.push(REPOSITORY, image)

    repository = fake.shelves.repositories[REPOSITORY]
    assert repository.manifests.keys() == set(image.digests)
    assert repository.blobs.keys() == {layer.digest, *(config.digest for config in image.configs)}


@pytest.mark.parametrize("mood", LASTING.values(), ids=LASTING)
def test_what_does_not_pass_is_an_unavailable_registry_and_no_index(
    mood: Mood, fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    fake.moods.append(replace(mood))

    with pytest.raises(RegistryUnavailable):
        registry.push(REPOSITORY, image)

    repository = fake.shelves.repositories.get(REPOSITORY)
    assert repository is None or image.index.digest not in repository.manifests


def test_attempts_are_few_and_the_waits_between_them_grow(
    fake: FakeRegistry, registry: DistributionRegistry, waiter: Waiter, image: Image
) -> None:
    fake.moods.append(Refuses(status=503))

    with pytest.raises(RegistryUnavailable):
        registry.tag(REPOSITORY, "1.4.0", image.index)

    assert asked(fake, "PUT") == ATTEMPTS
    assert waiter.waited == list(RETRY_DELAYS_SECONDS)


def test_a_refusal_is_final(
    fake: FakeRegistry, registry: DistributionRegistry, waiter: Waiter, image: Image
) -> None:
    fake.moods.append(Refuses(status=400))

    with pytest.raises(RegistryRefused) as refused:
        registry.tag(REPOSITORY, "1.4.0", image.index)

    assert refused.value.answered == 400
    assert asked(fake, "PUT") == 1
    assert waiter.waited == []


def test_a_redirect_is_not_followed(fake: FakeRegistry, registry: DistributionRegistry, image: Image) -> None:
    with FakeRegistry() as other:
        fake.moods.append(Redirects(base_url=other.url))

        with pytest.raises(RegistryRefused):
            registry.tag(REPOSITORY, "1.4.0", image.index)

        assert other.requests == []


@pytest.mark.parametrize("suffix", ["@registry.invalid", ".registry.invalid", "0"])
def test_an_upload_goes_to_no_host_whose_name_merely_begins_alike(
    suffix: str, fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    fake.moods.append(SendsElsewhere(base_url=fake.url + suffix, method="POST"))

    with pytest.raises(RegistryUnavailable):
        registry.push(REPOSITORY, image)

    assert asked(fake, "PUT") == 0


def test_a_blob_that_lies_behind_a_redirect_is_there(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
) -> None:
    registry.push(REPOSITORY, image)
    fake.moods.append(Redirects(base_url="http://storage.invalid", method="HEAD"))

    registry.push(REPOSITORY, image)

    assert asked(fake, "POST") == len({layer.digest, *image.configs})


def test_what_is_there_is_not_sent_again(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    registry.push(REPOSITORY, image)
    registry.push(REPOSITORY, image)

    assert asked(fake, "PUT", "/blobs/") == 3


def test_a_blob_takes_one_post_and_one_put(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    registry.push(REPOSITORY, image)

    assert asked(fake, "HEAD") == asked(fake, "POST") == asked(fake, "PUT", "/blobs/") == 3
    assert asked(fake, "PUT", "/manifests/") == 3
    assert len(fake.requests) == 12


def test_an_index_goes_last(fake: FakeRegistry, registry: DistributionRegistry, image: Image) -> None:
    registry.push(REPOSITORY, image)

    assert fake.requests[-1].path.endswith(image.index.digest)


def test_an_index_that_comes_back_changed_gets_no_tag(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    registry.push(REPOSITORY, image)
    fake.moods.append(Garbles(method="GET"))

    with pytest.raises(RegistryUnavailable):
        registry.restore_tag(REPOSITORY, "1.4.0", image.index.digest)

    assert fake.shelves.repositories[REPOSITORY].tags == {}


def test_an_index_longer_than_registries_need_take_is_not_read_to_its_end(
    fake: FakeRegistry, registry: DistributionRegistry, layer: Layer
) -> None:
    image = build_image(layers=[layer], title="slack", version="1.4.0", description="long" * (1 << 20))
    registry.push(REPOSITORY, image)

    with pytest.raises(RegistryUnavailable):
        registry.restore_tag(REPOSITORY, "1.4.0", image.index.digest)

    assert fake.shelves.repositories[REPOSITORY].tags == {}


def test_a_body_that_never_ends_is_given_up(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    fake.moods += [Drips(seconds=0.05, method="PUT")]
    fake.basic = "nobody:nothing"

    with pytest.raises(RegistryUnavailable):
        registry.tag(REPOSITORY, "1.4.0", image.index)


def test_a_truncated_answer_counts_as_no_answer(
    fake: FakeRegistry, registry: DistributionRegistry, waiter: Waiter, image: Image
) -> None:
    fake.basic = "nobody:nothing"
    fake.moods.append(CutsOff(method="PUT"))

    with pytest.raises(RegistryUnavailable):
        registry.tag(REPOSITORY, "1.4.0", image.index)

    assert len(waiter.waited) == len(RETRY_DELAYS_SECONDS)


def test_a_port_where_nobody_listens_is_an_unavailable_registry(waiter: Waiter, image: Image) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    registry = waiter.registry(f"http://127.0.0.1:{port}")

    with pytest.raises(RegistryUnavailable):
        registry.tag(REPOSITORY, "1.4.0", image.index)


def test_what_the_registry_said_is_for_the_log_alone(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    fake.moods.append(Refuses(status=503))

    with pytest.raises(PackyardError) as failed:
        registry.tag(REPOSITORY, "1.4.0", image.index)

    assert "not today" not in failed.value.message
    assert REPOSITORY not in failed.value.message
    assert any("not today" in note for note in failed.value.__notes__)


@pytest.mark.parametrize("mood", [Refuses(status=503), Refuses(status=405), HangsUp()], ids=str)
def test_a_deletion_that_fails_says_so(
    mood: Mood, fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    registry.push(REPOSITORY, image)
    fake.moods.append(replace(mood, method="DELETE"))

    with pytest.raises(RegistryCleanupFailed):
        registry.delete_image(REPOSITORY, image.digests)


@pytest.mark.parametrize("left", [0.0, 0.6], ids=["none", "little"])
def test_a_silent_registry_is_not_waited_for_longer_than_there_is_time(
    left: float, fake: FakeRegistry
) -> None:
    fake.moods.append(Stalls(seconds=30))
    begun = time.monotonic()
    timeouts = Timeouts(
        sleep=time.sleep,
        monotonic=time.monotonic,
        time_left=lambda: max(0.0, begun + left - time.monotonic()),
    )
    registry = distribution_registry(url=fake.url, credential=Anonymous(), timeouts=timeouts)

    with pytest.raises(RegistryUnavailable):
        registry.has_image(REPOSITORY, digest_of(b"an image"))

    assert time.monotonic() - begun < left + 5
    assert (fake.requests == []) == (left == 0)


def test_an_upload_that_takes_too_long_is_given_up(fake: FakeRegistry, image: Image) -> None:
    minutes = itertools.count(step=60.0)
    timeouts = Timeouts(sleep=lambda _: None, monotonic=lambda: next(minutes), total_seconds=59)
    registry = distribution_registry(url=fake.url, credential=Anonymous(), timeouts=timeouts)

    with pytest.raises(RegistryUnavailable):
        registry.push(REPOSITORY, image)

    assert fake.shelves.repositories[REPOSITORY].blobs == {}
