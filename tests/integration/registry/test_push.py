"""Pushing, tagging and deleting images, against every kind of registry that we can run."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from local.docker_registry import docker_registry
from tests.fake_registry.server import FakeRegistry
from tests.trees import lay

from packyard.errors import RegistryCleanupFailed
from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.document import Document
from packyard.registry.credentials import Anonymous, Basic
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.refusal import RegistryRefused
from packyard.registry.own.transport import Timeouts

TIMEOUTS = Timeouts(sleep=time.sleep, monotonic=time.monotonic)
# `open sesame` under bcrypt, at its lowest cost.
HTPASSWD = "Aladdin:$2b$04$pOx0GLap3Tr0arIN1XYeyuZMOqF6vh7bz5oxRqCHIvoWtutc9NcHO\n"


@pytest.fixture
def image(layer: Layer) -> Image:
    return build_image(layers=[layer], title="slack", version="1.4.0", description="Post and read messages.")


@pytest.fixture
def registry(every_registry_url: str) -> DistributionRegistry:
    return distribution_registry(url=every_registry_url, credential=Anonymous(), timeouts=TIMEOUTS)


def read(registry: DistributionRegistry, repository: str, document: Document, reference: str) -> bytes | None:
    """Return what a client that accepts such a document finds, or None."""
    answer = urllib3.PoolManager().request(
        "GET",
        f"http://{registry.host}/v2/{repository}/manifests/{reference}",
        headers={"Accept": document.media_type},
    )
    return answer.data if answer.status == 200 else None


def test_all_of_a_pushed_image_can_be_pulled_by_digest(
    registry: DistributionRegistry, repository: str, image: Image, layer: Layer
) -> None:
    registry.create_repository(repository)
    registry.push(repository, image)

    for document in (image.index, *image.manifests):
        assert read(registry, repository, document, document.digest) == document.raw
    blobs = {config.digest: config.raw for config in image.configs} | {layer.digest: b"".join(layer.chunks())}
    for digest, content in blobs.items():
        answer = urllib3.PoolManager().request(
            "GET", f"http://{registry.host}/v2/{repository}/blobs/{digest}"
        )
        assert answer.data == content


def test_a_push_moves_no_tag(registry: DistributionRegistry, repository: str, image: Image) -> None:
    registry.push(repository, image)

    assert read(registry, repository, image.index, "1.4.0") is None


def test_a_tag_names_the_index_and_moves(
    registry: DistributionRegistry, repository: str, image: Image, layer: Layer
) -> None:
    other = build_image(layers=[layer], title="slack", version="1.4.0", description="Reworded.")
    registry.push(repository, image)
    registry.push(repository, other)

    registry.tag(repository, "1.4.0", image.index)
    registry.tag(repository, "1.4.0", other.index)

    assert read(registry, repository, other.index, "1.4.0") == other.index.raw


def test_a_tag_that_was_lost_can_be_set_again_by_digest(
    registry: DistributionRegistry, repository: str, image: Image
) -> None:
    registry.push(repository, image)

    registry.restore_tag(repository, "1.4.0", image.index.digest)

    assert read(registry, repository, image.index, "1.4.0") == image.index.raw


def test_pushing_again_changes_nothing(registry: DistributionRegistry, repository: str, image: Image) -> None:
    registry.push(repository, image)
    registry.push(repository, image)

    assert read(registry, repository, image.index, image.index.digest) == image.index.raw


def test_a_layer_of_many_pieces_arrives_whole(registry: DistributionRegistry, repository: str) -> None:
    with LayerSpool() as spool:
        layer = lay(spool, {f"data/{number}": number.to_bytes(2) * 300_000 for number in range(40)})
        image = build_image(layers=[layer], title="slack", version="1.4.0")

        registry.push(repository, image)

        answer = urllib3.PoolManager().request(
            "GET", f"http://{registry.host}/v2/{repository}/blobs/{layer.digest}"
        )
        assert (answer.status, len(answer.data)) == (200, layer.size)


def test_a_deleted_image_is_gone_with_its_tags(
    registry: DistributionRegistry, repository: str, image: Image
) -> None:
    registry.push(repository, image)
    registry.tag(repository, "1.4.0", image.index)

    registry.delete_image(repository, image.digests)

    assert read(registry, repository, image.index, "1.4.0") is None
    for document in (image.index, *image.manifests):
        assert read(registry, repository, document, document.digest) is None


def test_deleting_what_a_crash_left_over_converges(
    registry: DistributionRegistry, repository: str, image: Image
) -> None:
    registry.push(repository, image)
    registry.delete_image(repository, image.digests[:1])

    registry.delete_image(repository, image.digests)
    registry.delete_image(repository, image.digests)

    assert read(registry, repository, image.manifests[1], image.manifests[1].digest) is None


def test_deleting_from_a_repository_that_never_was_is_done_already(
    registry: DistributionRegistry, repository: str, image: Image
) -> None:
    registry.delete_image(repository, image.digests)


def test_an_image_that_shares_the_layer_survives_the_other_s_deletion(
    registry: DistributionRegistry, repository: str, image: Image, layer: Layer
) -> None:
    other = build_image(layers=[layer], title="slack", version="1.4.1")
    registry.push(repository, image)
    registry.push(repository, other)

    registry.delete_image(repository, image.digests)

    for document in (other.index, *other.manifests):
        assert read(registry, repository, document, document.digest) == document.raw


def test_the_host_is_what_an_image_reference_starts_with() -> None:
    registry = distribution_registry(
        url="http://registry.example:5000", credential=Anonymous(), timeouts=TIMEOUTS
    )

    assert registry.host == "registry.example:5000"


class TestCredentials:
    @pytest.fixture(params=["fake", "docker-registry"])
    def guarded_url(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
        """Registries that ask for a user and a password."""
        if request.param == "fake":
            with FakeRegistry() as fake:
                fake.basic = "Aladdin:open sesame"
                yield fake.url
        else:
            with docker_registry(tmp_path, htpasswd=HTPASSWD) as url:
                yield url

    def test_the_right_ones_open(self, guarded_url: str, image: Image) -> None:
        credential = Basic(user="Aladdin", password="open sesame")
        registry = distribution_registry(url=guarded_url, credential=credential, timeouts=TIMEOUTS)

        registry.push("packs/slack", image)
        registry.tag("packs/slack", "1.4.0", image.index)

    @pytest.mark.parametrize("credential", [Anonymous(), Basic(user="Aladdin", password="close")])
    def test_others_do_not(self, guarded_url: str, credential: Anonymous | Basic, image: Image) -> None:
        registry = distribution_registry(url=guarded_url, credential=credential, timeouts=TIMEOUTS)

        with pytest.raises(RegistryRefused) as refused:
            registry.push("packs/slack", image)
        assert refused.value.answered == 401
        with pytest.raises(RegistryCleanupFailed):
            registry.delete_image("packs/slack", image.digests)
