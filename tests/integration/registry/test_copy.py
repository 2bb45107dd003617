"""Copying whole images into our registry: out of its own repositories, and out of other registries."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from http import HTTPStatus

import pytest
import urllib3
from tests.fake_registry.moods import CutsOff, Garbles, Redirects, Refuses
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.shelves import Repository
from tests.image_sources import LOOPBACK, image_source
from tests.integration.registry.clients import NO_PAUSES
from tests.third_party_images import Blob, ForeignImage, image, index, layer, pack_image, shelve
from tests.trees import SMALL_TREE, lay

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.media_types import MANIFEST
from packyard.oci.read.image_tree import ImageTree
from packyard.oci.reference import parse_reference
from packyard.registry.credentials import Anonymous
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.factory import distribution_registry
from packyard.registry.third_party.image_documents import read_tree
from packyard.registry.third_party.repository import ThirdPartyRepository

PLATFORMS = ("linux/amd64", "linux/arm64", "unknown/unknown")
PACK = pack_image()
OTHER = pack_image(b"name: slack\nversion: 2.0.0\n")
ATTESTATION = image(Blob(b'{"_type":"statement"}', "application/vnd.in-toto+json"))


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    """A registry that is not ours."""
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def shelf(elsewhere: FakeRegistry) -> Repository:
    return elsewhere.shelves.repository("team/slack", create=True)


@pytest.fixture
def registry(registry_url: str) -> DistributionRegistry:
    return distribution_registry(url=registry_url, credential=Anonymous(), timeouts=NO_PAUSES)


@pytest.fixture
def ours(fake: FakeRegistry) -> DistributionRegistry:
    return distribution_registry(url=fake.url, credential=Anonymous(), timeouts=NO_PAUSES)


@pytest.fixture
def built_layer() -> Iterator[Layer]:
    with LayerSpool() as spool:
        yield lay(spool, SMALL_TREE)


@pytest.fixture
def built(built_layer: Layer) -> Image:
    return build_image(layers=[built_layer], title="slack", version="1.4.0")


def shelve_all(shelf: Repository, *images: ForeignImage) -> Document:
    """Shelve images and the index of them, and return the index."""
    for made in images:
        made.shelve(shelf)
    top = index(*((made.manifest, at) for made, at in zip(images, PLATFORMS, strict=False)))
    shelve(shelf, top)
    return top


def opened(
    host: str, digest: Digest, name: str = "team/slack"
) -> AbstractContextManager[ThirdPartyRepository]:
    return image_source(trusted=LOOPBACK).opened(
        parse_reference(f"{host}/{name}@{digest}"), org_id="org_test"
    )


def tree(registry: FakeRegistry, digest: Digest, *, most: int = 32) -> ImageTree:
    with opened(f"127.0.0.1:{registry.port}", digest) as source:
        return read_tree(source, digest, max_documents=most)


def copy(
    registry: DistributionRegistry,
    repository: str,
    source: ThirdPartyRepository,
    digest: Digest,
    mount_from: str | None,
) -> ImageTree:
    whole = read_tree(source, digest, max_documents=32)
    for blob in whole.blobs:
        registry.copy_blob(repository, blob, chunks=partial(source.content, blob), mount_from=mount_from)
    for document in whole.documents:
        registry.push_manifest(repository, document)
    return whole


def pulled(registry: DistributionRegistry, repository: str, whole: ImageTree) -> bool:
    """Tell whether everything of an image is there, byte for byte."""
    http, base = urllib3.PoolManager(), f"http://{registry.host}/v2/{repository}"
    blobs = [http.request("GET", f"{base}/blobs/{blob.digest}") for blob in whole.blobs]
    manifests = [
        http.request("GET", f"{base}/manifests/{document.digest}", headers={"Accept": document.media_type})
        for document in whole.documents
    ]
    return {answer.status for answer in blobs} == {HTTPStatus.OK} and [
        (answer.data, answer.headers.get("Content-Type")) for answer in manifests
    ] == [(document.raw, document.media_type) for document in whole.documents]


class TestReading:
    def test_every_platform_of_an_index_is_found_and_each_blob_once(
        self, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        top = shelve_all(shelf, PACK, OTHER, ATTESTATION)

        whole = tree(elsewhere, top.digest)

        assert whole.top == top
        assert whole.digests[0] == top.digest
        assert set(whole.digests[1:]) == {made.manifest.digest for made in (PACK, OTHER, ATTESTATION)}
        assert {blob.digest for blob in whole.blobs} == set(shelf.blobs)
        assert whole.blob_bytes == sum(len(content) for content in shelf.blobs.values())

    def test_what_is_named_is_stored_before_what_names_it_and_deleted_after(
        self, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        inner = shelve_all(shelf, PACK, OTHER)
        top = index((inner, None), (PACK.manifest, None), (inner, None))
        shelve(shelf, top)

        whole = tree(elsewhere, top.digest)

        order = [document.digest for document in whole.documents]
        assert order == [PACK.manifest.digest, OTHER.manifest.digest, inner.digest, top.digest]
        assert list(whole.digests) == order[::-1]

    def test_one_platform_alone_is_an_image_too(self, elsewhere: FakeRegistry, shelf: Repository) -> None:
        digest = PACK.shelve(shelf)

        assert tree(elsewhere, digest).digests == (digest,)

    def test_more_manifests_than_we_can_enqueue_are_refused(
        self, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        top = shelve_all(shelf, PACK, OTHER, ATTESTATION)

        assert len(tree(elsewhere, top.digest, most=4).digests) == 4
        elsewhere.requests.clear()
        with pytest.raises(InvalidRequest, match="more than 3 manifests"):
            tree(elsewhere, top.digest, most=3)
        assert len(elsewhere.requests) == 1, "it is refused at the index already"

    @pytest.mark.parametrize(
        ("inner", "wrong"),
        [
            pytest.param(
                Document.of("application/vnd.example+json", {}),
                "something else than manifests",
                id="unknown type",
            ),
            pytest.param(
                image(
                    layer(media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
                ).manifest,
                "does not hold",
                id="a foreign layer",
            ),
            pytest.param(
                image(*(layer((str(number), b"")) for number in range(512))).manifest,
                "more than 512 layers",
                id="many layers",
            ),
            pytest.param(
                Document.of(MANIFEST, {"schemaVersion": 2, "layers": []}), "cannot be read", id="no config"
            ),
        ],
    )
    def test_what_cannot_be_copied_whole_is_refused(
        self, elsewhere: FakeRegistry, shelf: Repository, inner: Document, wrong: str
    ) -> None:
        shelve(shelf, inner)
        top = shelve(shelf, index((inner, None)))

        with pytest.raises(InvalidRequest, match=wrong):
            tree(elsewhere, top)

    def test_indexes_nested_without_end_are_refused(self, elsewhere: FakeRegistry, shelf: Repository) -> None:
        top = PACK.manifest
        for _ in range(4):
            shelve(shelf, top)
            top = index((top, None))
        shelve(shelf, top)

        with pytest.raises(InvalidRequest, match="nested too deeply"):
            tree(elsewhere, top.digest)

    def test_manifests_are_read_within_bounds_of_all_of_them_together(
        self, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        padding = [{"x": "y" * (3 << 20), "n": number} for number in range(3)]
        manifests = [index(annotations=words) for words in padding]
        for document in manifests:
            shelve(shelf, document)
        top = shelve(shelf, index(*((document, None) for document in manifests)))

        with pytest.raises(InvalidRequest, match="bytes together"):
            tree(elsewhere, top)


class TestCopying:
    @pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
    def test_an_image_from_elsewhere_comes_over_byte_for_byte(
        self,
        registry: DistributionRegistry,
        repository: str,
        elsewhere: FakeRegistry,
        shelf: Repository,
        docker: bool,
    ) -> None:
        made = image(layer(("pack.yaml", b"name: slack\nversion: 1.4.0\n")), docker=docker)
        made.shelve(shelf)
        top = index((made.manifest, "linux/amd64"), docker=docker)
        shelve(shelf, top)

        with opened(f"127.0.0.1:{elsewhere.port}", top.digest) as source:
            whole = copy(registry, repository, source, top.digest, None)

        assert pulled(registry, repository, whole)
        registry.tag(repository, "1.4.0", whole.top)
        registry.restore_tag(repository, "1.4.1", top.digest)
        registry.purge_repository(repository, [])
        assert not pulled(registry, repository, whole)

    def test_within_one_registry_nothing_is_sent(
        self, registry: DistributionRegistry, repository: str, built: Image
    ) -> None:
        registry.push(repository, built)
        clone = f"{repository}-clone"

        with opened(registry.host, built.index.digest, repository) as source:
            whole = read_tree(source, built.index.digest, max_documents=32)
            for blob in whole.blobs:
                registry.copy_blob(clone, blob, chunks=_nothing_to_send, mount_from=repository)
        for document in whole.documents:
            registry.push_manifest(clone, document)

        assert pulled(registry, clone, whole)

    def test_a_copy_outlives_what_it_was_made_of(
        self, registry: DistributionRegistry, repository: str, built: Image
    ) -> None:
        registry.push(repository, built)
        clone = f"{repository}-clone"
        with opened(registry.host, built.index.digest, repository) as source:
            whole = copy(registry, clone, source, built.index.digest, repository)

        registry.purge_repository(repository, [built.index.digest])

        assert not pulled(registry, repository, whole)
        assert pulled(registry, clone, whole)

    def test_indexes_in_indexes_go_with_all_that_is_below_them(
        self, registry: DistributionRegistry, repository: str, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        inner = shelve_all(shelf, PACK, OTHER)
        top = index((inner, None), (PACK.manifest, None))
        shelve(shelf, top)
        with opened(f"127.0.0.1:{elsewhere.port}", top.digest) as source:
            whole = copy(registry, repository, source, top.digest, None)
        assert pulled(registry, repository, whole)

        registry.purge_repository(repository, [top.digest])

        http, base = urllib3.PoolManager(), f"http://{registry.host}/v2/{repository}/manifests"
        for document in whole.documents:
            found = http.request("HEAD", f"{base}/{document.digest}", headers={"Accept": document.media_type})
            assert found.status == HTTPStatus.NOT_FOUND


def _nothing_to_send() -> Iterator[bytes]:
    raise AssertionError("nothing is to be sent")


class TestRegistriesThatDoNotMount:
    """The fake one, with its mounting switched off in every way that registries have been seen to."""

    @pytest.mark.parametrize("status", [400, 403, 404, 405, 415])
    def test_a_blob_is_sent_when_mounting_is_refused(
        self, fake: FakeRegistry, ours: DistributionRegistry, built: Image, status: int
    ) -> None:
        ours.push("packs/one", built)
        fake.moods.append(Refuses(method="POST", path="/packs/two/", status=status, times=1))

        with opened(ours.host, built.index.digest, "packs/one") as source:
            whole = copy(ours, "packs/two", source, built.index.digest, "packs/one")

        assert pulled(ours, "packs/two", whole)

    def test_an_upload_that_the_registry_began_instead_is_used(
        self, fake: FakeRegistry, ours: DistributionRegistry, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        digest = PACK.shelve(shelf)

        with opened(f"127.0.0.1:{elsewhere.port}", digest) as source:
            copy(ours, "packs/two", source, digest, "packs/absent")

        assert [request.method for request in fake.requests] == ["HEAD", "POST", "PUT"] * 2 + ["PUT"]
        assert fake.shelves.repository("packs/two").uploads == {}


class TestSourcesThatFail:
    @pytest.mark.parametrize(
        "mood",
        [
            pytest.param(CutsOff(path="/blobs/"), id="cut off"),
            pytest.param(Garbles(path="/blobs/"), id="other bytes"),
            pytest.param(Refuses(path="/blobs/", status=503), id="5xx"),
        ],
    )
    def test_a_blob_that_does_not_come_whole_is_not_stored(
        self,
        fake: FakeRegistry,
        ours: DistributionRegistry,
        elsewhere: FakeRegistry,
        shelf: Repository,
        mood: CutsOff,
    ) -> None:
        digest = PACK.shelve(shelf)
        elsewhere.moods.append(mood)

        with (
            pytest.raises(RegistryUnavailable),
            opened(f"127.0.0.1:{elsewhere.port}", digest) as source,
        ):
            copy(ours, "packs/two", source, digest, None)

        assert fake.shelves.repository("packs/two").blobs == {}

    def test_a_source_that_stumbles_once_is_asked_again(
        self, ours: DistributionRegistry, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        digest = PACK.shelve(shelf)
        elsewhere.moods.append(CutsOff(path="/blobs/", times=1))

        with opened(f"127.0.0.1:{elsewhere.port}", digest) as source:
            whole = copy(ours, "packs/two", source, digest, None)

        assert pulled(ours, "packs/two", whole)

    def test_a_wrong_size_in_a_manifest_is_the_image_s_fault(
        self, ours: DistributionRegistry, elsewhere: FakeRegistry, shelf: Repository
    ) -> None:
        digest = image(layer(("a", b"b"), states={"size": 100_000})).shelve(shelf)

        with (
            pytest.raises(InvalidRequest, match="wrong sizes"),
            opened(f"127.0.0.1:{elsewhere.port}", digest) as source,
        ):
            copy(ours, "packs/two", source, digest, None)

    def test_our_credential_is_not_shown_where_our_registry_sends_us(
        self, fake: FakeRegistry, elsewhere: FakeRegistry
    ) -> None:
        digest = PACK.shelve(fake.shelves.repository("packs/org_test/one", create=True))
        PACK.shelve(elsewhere.shelves.repository("packs/org_test/one", create=True))
        fake.basic = "AWS:token"
        fake.moods.append(Redirects(method="GET", path="/blobs/", base_url=elsewhere.url))
        source = image_source(own=fake.url, own_user="AWS:token", trusted=LOOPBACK)
        reference = parse_reference(f"127.0.0.1:{fake.port}/packs/org_test/one@{digest}")

        with source.opened(reference, org_id="org_test") as repository:
            whole = read_tree(repository, digest, max_documents=32)
            contents = [b"".join(repository.content(blob)) for blob in whole.blobs]

        assert contents == [PACK.config.content, PACK.layers[0].content]
        assert all("Authorization" not in request.headers for request in elsewhere.requests)
