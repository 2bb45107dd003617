"""What registries answer besides what the standard has: taken where it means the same, told the operator where not."""

from dataclasses import replace

import pytest
from tests.fake_registry.flavours import PLAIN
from tests.fake_registry.moods import (
    HangsUp,
    Lies,
    Mood,
    Redirects,
    Refuses,
    Restates,
    Says,
    SendsElsewhere,
)
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import REPOSITORY
from tests.integration.registry.evidence import asked, notes

from packyard.errors import RegistryUnavailable
from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.refusal import RegistryRefused


class TestSuccesses:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    @pytest.mark.parametrize(
        ("method", "path"), [("PUT", "/manifests/"), ("PUT", "/uploads/"), ("POST", "/uploads/")]
    )
    def test_any_2xx_is_one(
        self,
        *,
        status: int,
        method: str,
        path: str,
        fake: FakeRegistry,
        registry: DistributionRegistry,
        image: Image,
    ) -> None:
        """containers/image #381."""
        fake.moods.append(Restates(method=method, path=path, status=status))

        registry.push(REPOSITORY, image)
        registry.tag(REPOSITORY, "1.4.0", image.index)

        assert fake.shelves.repositories[REPOSITORY].tags == {"1.4.0": image.index.digest}

    @pytest.mark.parametrize(
        ("answers", "looks"), [({}, 0), ({"PUT": 202}, 0), ({"PUT": 202, "digest": 0}, 3), ({"digest": 0}, 0)]
    )
    def test_one_that_says_less_than_the_standard_asks_for_is_looked_at(
        self,
        *,
        answers: dict[str, int],
        looks: int,
        fake: FakeRegistry,
        registry: DistributionRegistry,
        image: Image,
    ) -> None:
        """201 says that it is stored; so does a digest. Another status without one may mean anything."""
        statuses = {("PUT", "manifests"): answers["PUT"]} if "PUT" in answers else {}
        fake.flavour = replace(PLAIN, statuses=statuses, names_digests="digest" not in answers)

        registry.push(REPOSITORY, image)

        assert asked(fake, "GET", "/manifests/") == looks

    def test_a_success_answer_that_stored_nothing_counts_as_a_failure(
        self, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        fake.moods.append(Says(method="PUT", status=202))

        with pytest.raises(RegistryUnavailable):
            registry.tag(REPOSITORY, "1.4.0", image.index)

    @pytest.mark.parametrize("stated", ["sha512:" + "0" * 128, "", "nonsense"])
    def test_a_digest_of_another_kind_says_nothing(
        self, stated: str, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        registry.push(REPOSITORY, image)
        headers = (("Docker-Content-Digest", stated), ("Content-Type", "text/plain; charset=utf-8"))
        fake.moods.append(Says(method="GET", headers=headers, body=image.index.raw))

        registry.restore_tag(REPOSITORY, "1.4.0", image.index.digest)

        stored = fake.shelves.repositories[REPOSITORY].manifests[image.index.digest]
        assert stored.media_type == image.index.media_type

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_blob_that_lies_elsewhere_is_there(
        self, status: int, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        registry.push(REPOSITORY, image)
        fake.moods.append(
            Says(method="HEAD", status=status, headers=(("Location", "http://storage.invalid/x"),))
        )

        registry.push(REPOSITORY, image)

        assert asked(fake, "POST") == 3

    @pytest.mark.parametrize("status", [200, 202, 204, 404])
    def test_a_manifest_may_be_deleted_in_several_ways(
        self, status: int, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        registry.push(REPOSITORY, image)
        fake.moods.append(Restates(method="DELETE", status=status))

        assert registry.delete_image(REPOSITORY, image.digests)
        assert fake.shelves.repositories[REPOSITORY].manifests == {}


class TestUploads:
    @pytest.mark.parametrize(
        "spelling",
        [
            "{origin}/v2/{rest}",
            "HTTP://127.0.0.1:{port}/v2/{rest}",
            "//127.0.0.1:{port}/v2/{rest}",
            "/v2/{rest}",
            "http://127.0.0.1.:{port}/v2/{rest}",
            "http://127.0.0.1:0{port}/v2/{rest}",
            "./{session}",
            "../uploads/{session}",
            "{origin}/v2/{rest}#fragment",
        ],
    )
    def test_they_go_on_wherever_the_registry_says_on_its_own_origin(
        self, spelling: str, fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
    ) -> None:
        fake.flavour = replace(PLAIN, located=spelling)

        registry.push(REPOSITORY, image)

        assert layer.digest in fake.shelves.repositories[REPOSITORY].blobs

    @pytest.mark.parametrize(
        "base_url",
        [
            "http://registry.invalid",
            "https://127.0.0.1",
            "ftp://127.0.0.1",
            "http://a@127.0.0.1",
            "http://[x",
        ],
    )
    def test_they_do_not_continue_on_another_origin(
        self, base_url: str, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        fake.moods.append(SendsElsewhere(base_url=base_url, method="POST"))

        with pytest.raises(RegistryRefused) as refused:
            registry.push(REPOSITORY, image)

        assert "RegistryUrl" in notes(refused.value)
        assert "state=kept" not in notes(refused.value)
        assert asked(fake, "PUT") == 0

    def test_an_answer_without_a_location_counts_as_no_answer(
        self, fake: FakeRegistry, registry: DistributionRegistry, image: Image
    ) -> None:
        fake.moods.append(Says(method="POST", status=202))

        with pytest.raises(RegistryUnavailable):
            registry.push(REPOSITORY, image)

    @pytest.mark.parametrize(
        "mood",
        [
            Says(status=404, body=b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'),
            Says(status=404),
            Says(status=416),
            Says(status=400, body=b'{"errors":[{"code":"BLOB_UPLOAD_INVALID"}]}'),
            Says(status=400, body=b'{"errors":[{"code":"DIGEST_INVALID"}]}'),
            HangsUp(),
        ],
        ids=str,
    )
    def test_a_lost_upload_starts_again(
        self, mood: Mood, fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
    ) -> None:
        """Registries with more than one instance lose uploads (distribution #2225)."""
        fake.moods.append(replace(mood, method="PUT", path="/uploads/", times=1))

        registry.push(REPOSITORY, image)

        assert layer.digest in fake.shelves.repositories[REPOSITORY].blobs

    def test_a_minimum_chunk_length_does_not_affect_an_upload_in_one_piece(
        self, fake: FakeRegistry, registry: DistributionRegistry, image: Image, layer: Layer
    ) -> None:
        """distribution-spec, "Pushing a blob in chunks": OCI-Chunk-Min-Length."""
        fake.flavour = replace(PLAIN, least_chunk=1 << 30)

        with registry.begin_upload(REPOSITORY) as upload:
            for piece in layer.chunks():
                upload.write(piece)
            upload.end()
            registry.push(REPOSITORY, image, uploads={layer.digest: upload})

        assert layer.digest in fake.shelves.repositories[REPOSITORY].blobs


ADVICE = {
    "a login that is not taken": (Refuses(status=401), "RegistryLoginArn"),
    "rights that are missing": (Refuses(status=403), "RegistryLoginArn"),
    "a body that is too large": (Refuses(status=413, method="PUT"), "client_max_body_size"),
    "another address": (Redirects(base_url="https://registry.invalid"), "RegistryUrl"),
    "no such project": (Refuses(status=404, method="POST"), "RepositoryPrefix"),
    "anything else": (Refuses(status=418), "Its answer is above"),
}


@pytest.mark.parametrize(("mood", "word"), ADVICE.values(), ids=ADVICE)
def test_a_refusal_says_to_the_operator_what_helps(
    *, mood: Mood, word: str, fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    # A redirected HEAD would mean that the registry has the blob already.
    fake.moods += [Refuses(method="HEAD", path="/blobs/", status=404), replace(mood)]

    with pytest.raises(RegistryRefused) as refused:
        registry.push(REPOSITORY, image)

    assert word in notes(refused.value)
    assert word not in refused.value.message
    assert (refused.value.status, refused.value.code) == (502, "registry_unavailable")


def test_the_blob_is_looked_up_after_an_ambiguous_answer_to_a_mount(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    """A registry that answers 200 to everything has taken the blob over, or has begun an upload."""
    registry.push("packs/one", image)
    fake.moods.append(Restates(method="POST", status=200))
    config = image.configs[0]

    for repository, source in (("packs/two", "packs/one"), ("packs/three", "packs/none")):
        registry._client.push_blob(  # noqa: SLF001 - there is no other way to a single blob
            repository,
            digest=config.digest,
            size=config.size,
            chunks=lambda: (config.raw,),
            mount_from=source,
        )

        assert config.digest in fake.shelves.repositories[repository].blobs
    assert asked(fake, "PUT", "packs/two") == 0
    assert asked(fake, "PUT", "packs/three") == 1


def test_what_another_digest_is_stored_under_is_not_stored(
    fake: FakeRegistry, registry: DistributionRegistry, image: Image
) -> None:
    fake.moods.append(Lies(method="PUT"))

    with pytest.raises(RegistryUnavailable):
        registry.tag(REPOSITORY, "1.4.0", image.index)
