"""Emptying a repository, against every kind of registry that we can run, and against a fake one's moods."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
import urllib3
from botocore.stub import Stubber
from tests.fake_registry.flavours import PLAIN, QUAY
from tests.fake_registry.moods import Garbles, Refuses, Says
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.shelves import Manifest, Repository
from tests.integration.registry.clients import NO_PAUSES, REPOSITORY

from packyard.errors import RegistryCleanupFailed
from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer
from packyard.oci.digest import Digest, digest_of
from packyard.registry.credentials import Anonymous
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.ecr import EcrRegistry
from packyard.registry.own.factory import distribution_registry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


@dataclass(kw_only=True)
class RefusesFrom(Refuses):
    """Refuses everything but the first few requests."""

    request: int

    def claims(self, method: str, path: str) -> bool:
        self.request -= 1
        return self.request < 0 and super().claims(method, path)


@pytest.fixture
def images(layer: Layer) -> list[Image]:
    """Three versions of one content."""
    return [build_image(layers=[layer], title="slack", version=f"1.{minor}.0") for minor in range(3)]


@pytest.fixture
def registry(every_registry_url: str) -> DistributionRegistry:
    return distribution_registry(url=every_registry_url, credential=Anonymous(), timeouts=NO_PAUSES)


def push(
    registry: DistributionRegistry, repository: str, images: list[Image], *, tagged: bool = True
) -> list[Digest]:
    """Push images, tag all but the first, and return what a history would know of them."""
    for number, image in enumerate(images):
        registry.push(repository, image)
        if tagged and number:
            registry.tag(repository, f"1.{number}.0", image.index)
    return [image.index.digest for image in images]


def left(registry: DistributionRegistry, repository: str, images: list[Image]) -> set[Digest]:
    """Return which of the images' manifests can still be pulled."""
    http = urllib3.PoolManager()
    return {
        document.digest
        for image in images
        for document in (image.index, *image.manifests)
        if http.request(
            "HEAD",
            f"http://{registry.host}/v2/{repository}/manifests/{document.digest}",
            headers={"Accept": document.media_type},
        ).status
        == HTTPStatus.OK
    }


class TestEveryRegistry:
    def test_every_version_goes_tagged_or_not(
        self, registry: DistributionRegistry, repository: str, images: list[Image]
    ) -> None:
        history = push(registry, repository, images)
        assert len(left(registry, repository, images)) == 9

        registry.purge_repository(repository, history)

        assert left(registry, repository, images) == set()

    def test_what_only_a_tag_names_goes_too(
        self, registry: DistributionRegistry, repository: str, images: list[Image]
    ) -> None:
        push(registry, repository, images[1:])
        registry.tag(repository, "stray", images[1].index)

        registry.purge_repository(repository, [])

        assert left(registry, repository, images) == set()

    def test_a_second_time_finds_nothing_to_do(
        self, registry: DistributionRegistry, repository: str, images: list[Image]
    ) -> None:
        history = push(registry, repository, images)

        registry.purge_repository(repository, history)
        registry.purge_repository(repository, history)

        assert left(registry, repository, images) == set()

    def test_a_repository_that_never_was_is_empty(
        self, registry: DistributionRegistry, repository: str, images: list[Image]
    ) -> None:
        registry.purge_repository(repository, [images[0].index.digest])

    def test_another_repository_keeps_its_images(
        self, registry: DistributionRegistry, repository: str, images: list[Image]
    ) -> None:
        history = push(registry, repository, images)
        push(registry, f"{repository}-other", images)

        registry.purge_repository(repository, history)

        assert len(left(registry, f"{repository}-other", images)) == 9

    def test_the_same_images_can_be_pushed_again(
        self, registry: DistributionRegistry, repository: str, images: list[Image]
    ) -> None:
        history = push(registry, repository, images)
        registry.purge_repository(repository, history)

        push(registry, repository, images)

        assert len(left(registry, repository, images)) == 9


class TestARegistryInAMood:
    @pytest.fixture
    def registry(self, fake: FakeRegistry) -> DistributionRegistry:
        return distribution_registry(url=fake.url, credential=Anonymous(), timeouts=NO_PAUSES)

    @pytest.mark.parametrize("request_number", range(13))
    def test_wherever_it_fails_the_next_attempt_finishes(
        self,
        fake: FakeRegistry,
        registry: DistributionRegistry,
        images: list[Image],
        request_number: int,
    ) -> None:
        """An index goes after what it lists, so that a half-way purge knows what is left."""
        history = push(registry, REPOSITORY, images)
        fake.moods.append(RefusesFrom(request=request_number, status=500))

        with pytest.raises(RegistryCleanupFailed):
            registry.purge_repository(REPOSITORY, history)
        fake.moods.clear()
        registry.purge_repository(REPOSITORY, history)

        assert left(registry, REPOSITORY, images) == set()

    def test_one_that_keeps_what_an_index_lists_loses_the_index_first(
        self, fake: FakeRegistry, registry: DistributionRegistry, images: list[Image]
    ) -> None:
        history = push(registry, REPOSITORY, images[:1])
        first = images[0].manifests[0].digest
        fake.moods.append(Refuses(method="DELETE", path=first, status=405, times=1))

        registry.purge_repository(REPOSITORY, history)

        assert left(registry, REPOSITORY, images) == set()

    @pytest.mark.parametrize("status", [403, 405, 429, 500])
    def test_one_that_does_not_delete_fails_the_purge(
        self,
        fake: FakeRegistry,
        registry: DistributionRegistry,
        images: list[Image],
        status: int,
    ) -> None:
        history = push(registry, REPOSITORY, images)
        fake.moods.append(Refuses(method="DELETE", status=status))

        with pytest.raises(RegistryCleanupFailed):
            registry.purge_repository(REPOSITORY, history)

    @pytest.mark.parametrize("path", ["/manifests/", "/tags/list"])
    def test_one_that_answers_nonsense_fails_the_purge(
        self, fake: FakeRegistry, registry: DistributionRegistry, images: list[Image], path: str
    ) -> None:
        history = push(registry, REPOSITORY, images)
        fake.moods.append(Garbles(method="GET", path=path))

        with pytest.raises(RegistryCleanupFailed):
            registry.purge_repository(REPOSITORY, history)

    @pytest.fixture
    def strays(self, fake: FakeRegistry, images: list[Image]) -> Iterator[Repository]:
        """A repository with tags that no history knows of: two hundred and fifty."""
        shelf = fake.shelves.repository(REPOSITORY, create=True)
        for number in range(250):
            stray = Manifest(images[0].manifests[0].media_type, b"{}" + b" " * number)
            shelf.manifests[stray.digest] = stray
            shelf.tags[f"stray-{number:03d}"] = stray.digest
        yield shelf
        assert not shelf.manifests

    @pytest.mark.usefixtures("strays")
    def test_tags_come_a_page_at_a_time_and_are_removed_when_all_are_known(
        self, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        registry.purge_repository(REPOSITORY, [])

        assert [request.query for request in fake.requests[:3]] == [
            {"n": "100"},
            {"n": "100", "last": "stray-099"},
            {"n": "100", "last": "stray-199"},
        ]
        assert not any(request.path.endswith("/tags/list") for request in fake.requests[3:])

    @pytest.mark.usefixtures("strays")
    def test_opaque_pages_are_followed(self, fake: FakeRegistry, registry: DistributionRegistry) -> None:
        """Quay before 2024 (regclient #272, docker_registry2 #56): pages of 50, `last` means nothing."""
        fake.flavour = QUAY

        registry.purge_repository(REPOSITORY, [])

        asked = [request.query for request in fake.requests if request.path.endswith("/tags/list")]
        # A hundred is refused (quay #2884).
        assert asked[:2] == [{"n": "100"}, {}]
        assert ["next_page" in query for query in asked[2:]] == [True] * 4

    @pytest.mark.usefixtures("strays")
    def test_without_a_link_the_next_page_is_requested_by_the_last_tag(
        self, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        fake.flavour = replace(PLAIN, links=False)

        registry.purge_repository(REPOSITORY, [])

        asked = [request.query for request in fake.requests if request.path.endswith("/tags/list")]
        assert [query.get("last") for query in asked] == [None, "stray-099", "stray-199", "stray-249"]

    @pytest.mark.usefixtures("strays")
    @pytest.mark.parametrize(
        "link",
        [
            '<{url}/v2/{repository}/tags/list?page=2>; rel="next"',
            "</v2/{repository}/tags/list?page=2>; rel=next",
            '</v2/{repository}/tags/list?page=2>; title="a, b; c"; rel="last next"',
            '</v2/{repository}/tags/list?page=1>; rel="prev", </v2/{repository}/tags/list?page=2>; REL=Next',
            "</v2/{repository}/tags/list?page=2>",
            '<?page=2>; rel="next"',
            '<list?page=2>;rel="next"',
        ],
    )
    def test_a_link_may_be_written_in_every_way_that_is_a_link(
        self, link: str, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        """RFC 8288, section 3; go-containerregistry takes it without a relation too."""
        value = link.format(url=fake.url, repository=REPOSITORY)
        fake.moods.append(
            Says(path="/tags/list", times=1, body=b'{"tags":["stray-001"]}', headers=(("Link", value),))
        )

        registry.purge_repository(REPOSITORY, [])

        asked = [request.query for request in fake.requests if request.path.endswith("/tags/list")]
        assert asked[1] == {"page": "2"}

    @pytest.mark.parametrize(
        "link",
        [
            '<http://registry.invalid/v2/x/tags/list?page=2>; rel="next"',
            '<//registry.invalid/v2/x/tags/list?page=2>; rel="next"',
            '<http://[/>; rel="next"',
        ],
    )
    def test_a_link_to_another_origin_fails_the_purge(
        self, link: str, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        fake.moods.append(Says(path="/tags/list", times=1, body=b'{"tags":["a"]}', headers=(("Link", link),)))

        with pytest.raises(RegistryCleanupFailed):
            registry.purge_repository(REPOSITORY, [])
        assert len(fake.requests) == 1

    def test_links_in_a_circle_are_followed_once(
        self, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        circle = (("Link", f'</v2/{REPOSITORY}/tags/list?n=100>; rel="next"'),)
        fake.moods.append(Says(path="/tags/list", body=b'{"tags":["a"]}', headers=circle))

        registry.purge_repository(REPOSITORY, [])

        assert sum(request.path.endswith("/tags/list") for request in fake.requests) == 2

    @pytest.mark.parametrize("listing", [b'{"name":"x","tags":null}', b'{"name":"x"}', b'{"tags":null}'])
    def test_a_repository_without_tags_is_empty(
        self, listing: bytes, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        """Go writes no list as `null`, or leaves it out (distribution #2434, zot)."""
        fake.moods.append(Says(path="/tags/list", body=listing))

        registry.purge_repository(REPOSITORY, [])

    def test_tags_that_name_nothing_are_passed_over(
        self, fake: FakeRegistry, registry: DistributionRegistry, images: list[Image]
    ) -> None:
        registry.push(REPOSITORY, images[0])
        fake.shelves.repositories[REPOSITORY].tags["dangling"] = digest_of(b"gone")

        registry.purge_repository(REPOSITORY, [images[0].index.digest])

        assert left(registry, REPOSITORY, images) == set()

    @pytest.mark.parametrize(
        "listing",
        [
            b"[]",
            b"{}",
            b'{"tags":5}',
            b'{"tags":"latest"}',
            b'{"tags":{"latest":1}}',
            b'{"tags":["../x"]}',
            b'{"tags":["a?b"]}',
            b'{"tags":[7]}',
            b"[" * 9999,
        ],
    )
    def test_a_list_of_something_else_than_tags_is_not_followed(
        self, fake: FakeRegistry, registry: DistributionRegistry, listing: bytes
    ) -> None:
        fake.moods.append(Says(path="/tags/list", body=listing))

        with pytest.raises(RegistryCleanupFailed):
            registry.purge_repository(REPOSITORY, [])

    def test_tags_without_end_are_left_for_the_next_attempt(
        self, fake: FakeRegistry, registry: DistributionRegistry
    ) -> None:
        fake.moods.extend(
            Says(path="/tags/list", body=b'{"tags":["t%d"]}' % number, times=1) for number in range(1000)
        )

        with pytest.raises(RegistryCleanupFailed):
            registry.purge_repository(REPOSITORY, [])
        assert sum(request.path.endswith("/tags/list") for request in fake.requests) == 100


class TestEcr:
    @pytest.fixture
    def registry(self, registry_on_ecr: EcrRegistry) -> EcrRegistry:
        return registry_on_ecr

    def test_the_repository_goes_with_all_that_is_in_it(
        self, ecr: "ECRClient", registry: EcrRegistry, images: list[Image]
    ) -> None:
        registry.create_repository(REPOSITORY)
        document = images[0].manifests[0]
        ecr.put_image(
            repositoryName=REPOSITORY,
            imageManifest=document.raw.decode(),
            imageManifestMediaType=document.media_type,
            imageDigest=document.digest,
        )

        registry.purge_repository(REPOSITORY, [])
        registry.purge_repository(REPOSITORY, [])

        assert ecr.describe_repositories()["repositories"] == []

    def test_ecr_need_not_be_told_what_it_has(self, registry: EcrRegistry) -> None:
        history = iter([digest_of(b"index")])

        registry.purge_repository(REPOSITORY, history)

        assert list(history) == [digest_of(b"index")]

    def test_the_next_pack_of_the_name_gets_a_repository_again(
        self, ecr: "ECRClient", registry: EcrRegistry
    ) -> None:
        registry.create_repository(REPOSITORY)
        registry.purge_repository(REPOSITORY, [])

        registry.create_repository(REPOSITORY)

        assert len(ecr.describe_repositories()["repositories"]) == 1

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("ServerException", 500),
            ("ThrottlingException", 400),
            ("AccessDeniedException", 400),
            ("KmsException", 400),
        ],
    )
    def test_what_ecr_does_not_do_has_failed(
        self, code: str, status: int, ecr: "ECRClient", registry: EcrRegistry
    ) -> None:
        with Stubber(ecr) as stubber:
            stubber.add_client_error("delete_repository", code, http_status_code=status)

            with pytest.raises(RegistryCleanupFailed):
                registry.purge_repository(REPOSITORY, [])
