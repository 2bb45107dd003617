"""What becomes of a read when the registry fails, lies, dawdles or never ends."""

import gc
import itertools
import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fake_registry.moods import (
    CutsOff,
    Drips,
    DripsHeaders,
    Garbles,
    HangsUp,
    Lies,
    Mood,
    NeverEnds,
    Redirects,
    Refuses,
    Says,
    Stalls,
)
from tests.fake_registry.server import FakeRegistry
from tests.image_sources import LIMITS, LOOPBACK, image_source, not_there, pull
from tests.third_party_images import image, layer, pack_image

from packyard.errors import InvalidRequest, PackyardError, RegistryUnavailable
from packyard.oci.media_types import DOCKER_MANIFEST, INDEX, MANIFEST
from packyard.registry.third_party.pull import PullLimits

SECONDS = 0.6
# What waits for the registry waits for longer than a busy machine takes to go on.
IN_TIME = 10 * SECONDS
HURRIED = PullLimits(seconds=SECONDS, compressed_bytes=LIMITS.compressed_bytes, layer=LIMITS.layer)
USER = {"username": "user", "password": "secret"}
MANIFESTS, BLOBS = "/manifests/", "/blobs/"


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Keep the garbage collector out: where JSON is nested as deep as Python goes, finalizers have no stack left."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def registry(fake: FakeRegistry) -> FakeRegistry:
    """A registry that has the image, and is about to misbehave."""
    pack_image().shelve(fake.shelves.repository("acme/slack", create=True), "latest")
    return fake


def outcome(registry: FakeRegistry, *, target: str = "", known: bool = False) -> PackyardError:
    """Return what the read failed with, which must be at once an error of ours and in time."""
    host = registry.url.removeprefix("http://")
    source = image_source(trusted=LOOPBACK, limits=HURRIED, secret={host: USER} if known else None)
    began = time.monotonic()
    with pytest.raises(PackyardError) as failed:
        pull(source, f"{host}/acme/slack{target}")
    assert time.monotonic() - began < IN_TIME
    return failed.value


def name(registry: FakeRegistry) -> str:
    return f"{registry.url.removeprefix('http://')}/acme/slack:latest"


def challenge(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("WWW-Authenticate", value) for value in values)


UNAVAILABLE: dict[str, Mood] = {
    **{f"answers-{status}": Refuses(status=status) for status in (408, 425, 429, 500, 502, 503, 504)},
    **{f"answers-{status}-for-a-blob": Refuses(status=status, path=BLOBS) for status in (429, 503)},
    "answers-204": Says(status=204),
    "answers-304": Says(status=304),
    "redirects-to-nowhere": Says(status=302),
    "hangs-up": HangsUp(),
    "hangs-up-on-a-blob": HangsUp(path=BLOBS),
    "says-nothing": Stalls(seconds=60),
    "says-nothing-of-a-blob": Stalls(seconds=60, path=BLOBS),
    "drips-a-manifest": Drips(seconds=0.05, path=MANIFESTS),
    "drips-a-blob": Drips(seconds=0.05, path=BLOBS),
    "drips-headers": DripsHeaders(seconds=0.02),
    "drips-a-blob-s-headers": DripsHeaders(seconds=0.02, path=BLOBS),
    "cuts-off-a-manifest": CutsOff(path=MANIFESTS),
    "cuts-off-a-blob": CutsOff(path=BLOBS),
    "sends-another-blob-of-the-same-length": Garbles(path=BLOBS),
    "sends-a-shorter-blob": Says(path=BLOBS, body=b"short"),
    "sends-a-longer-blob": Says(path=BLOBS, body=b"long" * 1000),
    "sends-a-blob-without-end": NeverEnds(path=BLOBS),
    "sends-a-broken-chunk": Says(headers=(("Transfer-Encoding", "chunked"),), body=b"zz\r\n"),
    "sends-two-lengths": Says(headers=(("Content-Length", "1"),), body=b"two"),
    "redirects-in-circles": Redirects(base_url=""),
    "sends-too-many-headers": Says(headers=(("X", "y"),) * 200),
    "sends-a-header-that-is-too-long": Says(headers=(("X", "y" * 100_000),)),
}


@pytest.mark.parametrize("mood", UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_a_registry_that_does_not_answer_as_it_must_is_unavailable(
    registry: FakeRegistry, mood: Mood
) -> None:
    registry.moods.append(mood)

    assert isinstance(outcome(registry), RegistryUnavailable)


def test_a_manifest_with_another_digest_than_requested_is_the_registry_s_fault(
    registry: FakeRegistry,
) -> None:
    digest = pack_image(b"another").manifest.digest
    registry.moods.append(
        Says(headers=(("Content-Type", MANIFEST),), body=pack_image().manifest.raw, path=MANIFESTS)
    )

    assert isinstance(outcome(registry, target=f"@{digest}"), RegistryUnavailable)


def test_what_a_registry_says_of_the_digest_does_not_matter(registry: FakeRegistry) -> None:
    registry.moods.append(Lies())

    pulled = pull(image_source(trusted=LOOPBACK), f"{registry.url.removeprefix('http://')}/acme/slack")

    assert pulled.digest == pack_image().manifest.digest


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 410, 451])
@pytest.mark.parametrize("path", [MANIFESTS, BLOBS])
def test_an_image_that_the_registry_will_not_give_does_not_exist(
    registry: FakeRegistry, status: int, path: str
) -> None:
    registry.moods.append(Refuses(status=status, path=path))

    failed = outcome(registry, known=True)

    assert isinstance(failed, InvalidRequest)
    if (status, path) == (404, BLOBS):
        assert "which its registry does not hold" in failed.fields["image_ref"]
        return
    assert failed.fields == not_there(name(registry))


REFUSED: dict[str, tuple[Mood, str]] = {
    "a-manifest-without-end": (NeverEnds(path=MANIFESTS), "over 4194304 bytes"),
    "a-page-for-people": (Says(headers=(("Content-Type", "text/html"),), body=b"<html>"), "cannot be read"),
    "a-type-that-is-another-s": (
        Says(headers=(("Content-Type", INDEX),), body=pack_image().manifest.raw),
        "another type",
    ),
    "nothing": (Says(headers=(("Content-Type", MANIFEST),)), "cannot be read"),
    "deep-json": (Says(headers=(("Content-Type", MANIFEST),), body=b"[" * 1_000_000), "cannot be read"),
    "many-values": (Says(headers=(("Content-Type", INDEX),), body=b"[" + b"{}," * 900_000), "cannot be read"),
    "schema-1": (
        Says(headers=(("Content-Type", DOCKER_MANIFEST),), body=b'{"schemaVersion":1,"fsLayers":[]}'),
        "outdated schema 1",
    ),
}


@pytest.mark.parametrize(("mood", "said"), REFUSED.values(), ids=REFUSED)
def test_a_document_that_is_not_a_manifest_is_the_image_s_fault(
    registry: FakeRegistry, mood: Mood, said: str
) -> None:
    registry.moods.append(mood)

    failed = outcome(registry)

    assert isinstance(failed, InvalidRequest)
    assert said in failed.fields["image_ref"]


def test_an_answer_without_end_is_not_kept(registry: FakeRegistry) -> None:
    registry.moods.append(NeverEnds())
    tracemalloc.start()
    try:
        outcome(registry)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 << 20


def test_a_broken_transfer_is_not_taken_for_a_broken_image(registry: FakeRegistry) -> None:
    shelf = registry.shelves.repository("acme/slack")
    broken = image(layer(("pack.yaml", b"x"), states={"digest": f"sha256:{'0' * 64}"}))
    broken.shelve(shelf, "latest")
    shelf.blobs[broken.layers[0].descriptor()["digest"]] = (
        b"\x1f\x8b\x08 no gzip that inflates, nor of this digest"
    )

    assert isinstance(outcome(registry), RegistryUnavailable)


class TestChallenges:
    @pytest.mark.parametrize("known", [False, True], ids=["anonymous", "with-a-credential"])
    @pytest.mark.parametrize(
        "values",
        [
            (),
            ("",),
            ("Basic",),
            ("Negotiate", "Digest nonce=x"),
            ("Bearer",),
            ("Bearer service=x",),
            ("=,=,=",),
            ('Bearer realm="',),
            ("B" * 20_000,),
            *[("Basic realm=x",) * 50],
        ],
        ids=lambda values: str(values)[:30],
    )
    def test_no_way_in_ends_the_read_soon(
        self, registry: FakeRegistry, values: tuple[str, ...], *, known: bool
    ) -> None:
        registry.moods.append(Says(status=401, headers=challenge(*values)))

        failed = outcome(registry, known=known)

        assert isinstance(failed, InvalidRequest)
        assert failed.fields == not_there(name(registry))
        assert len(registry.requests) <= 2

    def test_a_token_that_is_always_refused_is_requested_once_for_each_scope(
        self, registry: FakeRegistry
    ) -> None:
        registry.bearer = "token"
        value = f"Bearer realm={json.dumps(registry.url + '/token')}"
        registry.moods.append(Says(status=401, path="/v2/", headers=challenge(value)))

        assert isinstance(outcome(registry), InvalidRequest)
        asked = [request.query.get("scope") for request in registry.requests if request.path == "/token"]
        assert asked == ["repository:acme/slack:pull", None]

    def test_a_credential_of_ours_is_shown_where_basic_is_one_of_many_ways(
        self, registry: FakeRegistry
    ) -> None:
        registry.basic = "user:secret"
        ways = challenge("Negotiate", "Digest nonce=x, Basic realm=x", "Bearer")
        registry.moods.append(Says(status=401, headers=ways, times=1))
        host = registry.url.removeprefix("http://")

        assert pull(image_source(trusted=LOOPBACK, secret={host: USER}), f"{host}/acme/slack")

    TOKENS: tuple[Any, ...] = ("", 1, None, ["t"], "a b", "a\r\nX-Evil: 1", "a\x00", "ü")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"token",
            b"[]",
            b"{}",
            b"[" * 60_000,
            b'{"token":"' + b"t" * 70_000 + b'"}',
            *(json.dumps({"token": token}).encode() for token in TOKENS),
        ],
        ids=lambda body: body.decode()[:30],
    )
    def test_an_answer_that_is_not_a_token_is_not_used(self, registry: FakeRegistry, body: bytes) -> None:
        registry.bearer = "token"
        registry.moods.append(Says(path="/token", body=body))

        assert isinstance(outcome(registry), RegistryUnavailable)
        assert [request.path for request in registry.requests][1:] == ["/token"]

    def test_a_token_may_be_called_an_access_token(self, registry: FakeRegistry) -> None:
        registry.bearer = "token"
        registry.moods.append(Says(path="/token", body=b'{"access_token":"token"}'))

        assert pull(
            image_source(trusted=LOOPBACK), f"{registry.url.removeprefix('http://')}/acme/slack"
        ).manifest

    @pytest.mark.parametrize(("status", "error"), [(401, InvalidRequest), (403, InvalidRequest)])
    def test_a_token_server_that_refuses_means_that_the_image_may_not_be_pulled(
        self, registry: FakeRegistry, status: int, error: type[PackyardError]
    ) -> None:
        registry.bearer = "token"
        registry.moods.append(Refuses(path="/token", status=status))

        assert isinstance(outcome(registry), error)

    @pytest.mark.parametrize(
        "mood",
        [
            *(Refuses(path="/token", status=status) for status in (408, 425, 429, 503)),
            HangsUp(path="/token"),
            Stalls(path="/token", seconds=60),
            Drips(path="/token", seconds=0.1),
            DripsHeaders(path="/token", seconds=0.02),
            NeverEnds(path="/token"),
            Redirects(path="/token", base_url=""),
        ],
        ids=lambda mood: f"{type(mood).__name__}-{getattr(mood, 'status', '')}",
    )
    def test_a_token_server_that_does_not_answer_makes_the_registry_unavailable(
        self, registry: FakeRegistry, mood: Mood
    ) -> None:
        registry.bearer = "token"
        registry.moods.append(mood)

        assert isinstance(outcome(registry), RegistryUnavailable)


def test_the_time_for_a_read_is_for_all_its_requests_together(registry: FakeRegistry) -> None:
    shelf = registry.shelves.repository("acme/slack")
    layers = [layer((f"file-{number}", b"")) for number in range(20)]
    image(*layers).shelve(shelf, "latest")
    registry.moods.append(Stalls(seconds=0.1, path=BLOBS))

    assert isinstance(outcome(registry), RegistryUnavailable)
    assert 2 < len(registry.requests) < 10


def test_it_is_counted_by_the_clock_that_we_are_given(registry: FakeRegistry) -> None:
    ticks = itertools.count(0, 10)
    host = registry.url.removeprefix("http://")
    source = image_source(trusted=LOOPBACK, monotonic=lambda: next(ticks))

    with pytest.raises(RegistryUnavailable):
        pull(source, f"{host}/acme/slack")
