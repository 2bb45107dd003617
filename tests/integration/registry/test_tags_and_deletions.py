"""Tags that a registry keeps, and deletions that it answers in its own way."""

import pytest
from tests.fake_registry.moods import Refuses, Restates, Says
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import REPOSITORY
from tests.integration.registry.evidence import causes, notes

from packyard.errors import RegistryCleanupFailed
from packyard.oci.build.image import Image
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.refusal import RegistryRefused, TagKept

IMMUTABLE = {
    "harbor": (412, b'{"errors":[{"code":"PRECONDITION","message":"configured as immutable"}]}'),
    "ecr": (400, b'{"errors":[{"code":"TAG_INVALID","message":"the repository is immutable"}]}'),
    "docker hub": (403, b'{"errors":[{"code":"DENIED","message":"tag is immutable"}]}'),
    "nexus": (400, b'{"errors":[{"code":"UNKNOWN","message":"does not allow updating"}]}'),
    "acr": (405, b'{"errors":[{"code":"UNSUPPORTED","message":"locked"}]}'),
    "quay": (409, b"no"),
}


class TestImmutableTags:
    @pytest.mark.parametrize(("status", "body"), IMMUTABLE.values(), ids=IMMUTABLE)
    def test_one_that_names_the_image_already_is_set(
        self,
        *,
        status: int,
        body: bytes,
        fake: FakeRegistry,
        registry: DistributionRegistry,
        image: Image,
    ) -> None:
        """buildkit #3776, kots #5940, hub-feedback #2466."""
        registry.push(REPOSITORY, image)
        registry.tag(REPOSITORY, "1.4.0", image.index)
        fake.moods.append(Says(method="PUT", status=status, body=body))

        registry.tag(REPOSITORY, "1.4.0", image.index)
        registry.restore_tag(REPOSITORY, "1.4.0", image.index.digest)
        registry.push_manifest(REPOSITORY, image.index)

    @pytest.mark.parametrize(("status", "body"), IMMUTABLE.values(), ids=IMMUTABLE)
    def test_one_that_names_another_is_kept(
        self,
        *,
        status: int,
        body: bytes,
        fake: FakeRegistry,
        registry: DistributionRegistry,
        image: Image,
        other: Image,
    ) -> None:
        registry.push(REPOSITORY, other)
        registry.tag(REPOSITORY, "1.4.0", other.index)
        registry.push(REPOSITORY, image)
        fake.moods.append(Says(method="PUT", status=status, body=body))

        with pytest.raises(TagKept) as kept:
            registry.tag(REPOSITORY, "1.4.0", image.index)

        assert other.index.digest in notes(kept.value)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_tag_that_does_not_stand_is_not_kept(
        self, status: int, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        registry.push(REPOSITORY, image)
        fake.moods.append(Refuses(method="PUT", status=status))

        with pytest.raises(RegistryRefused) as refused:
            registry.tag(REPOSITORY, "1.4.0", image.index)

        assert not isinstance(refused.value, TagKept)


class TestDeleting:
    @pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 503])
    def test_what_is_gone_whatever_the_registry_says_of_it_is_gone(
        self, status: int, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        registry.push(REPOSITORY, image)
        fake.moods.append(Restates(method="DELETE", status=status))

        registry.delete_image(REPOSITORY, image.digests)

    def test_a_request_that_failed_may_still_be_on_its_way(
        self, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        registry.push(REPOSITORY, image)
        fake.moods.append(Restates(method="DELETE", status=500))

        assert not registry.delete_image(REPOSITORY, image.digests)

    def test_what_is_still_read_for_a_while_has_been_removed(
        self, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        """distribution #4685."""
        registry.push(REPOSITORY, image)
        fake.moods.append(Says(method="DELETE", status=202))

        registry.purge_repository(REPOSITORY, [image.index.digest])

        assert fake.shelves.repositories[REPOSITORY].manifests

    def test_a_registry_that_does_not_delete_is_named_to_the_operator(
        self, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        """Debian's answers so where deletion is off, Docker Hub always (hub-feedback #2360)."""
        registry.push(REPOSITORY, image)
        fake.moods.append(Says(method="DELETE", status=405, body=b'{"errors":[{"code":"UNSUPPORTED"}]}'))

        with pytest.raises(RegistryCleanupFailed) as failed:
            registry.purge_repository(REPOSITORY, [image.index.digest])

        assert "storage.delete.enabled" in causes(failed.value)
