"""ECR: its own API under moto, its `/v2/` played by the fake registry, which asks for moto's token."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from tests.fake_registry.moods import Refuses
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import REPOSITORY

from packyard.errors import RegistryCleanupFailed, ServiceUnavailable
from packyard.oci.build.image import Image
from packyard.registry.own.ecr import EcrRegistry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


@pytest.fixture
def registry(registry_on_ecr: EcrRegistry) -> EcrRegistry:
    return registry_on_ecr


@pytest.fixture
def pushed(registry: EcrRegistry, image: Image) -> Image:
    registry.push(REPOSITORY, image)
    return image


def store(ecr: "ECRClient", image: Image) -> None:
    """Let moto know the image's documents, as ECR does from a push to its `/v2/`."""
    for document in (*image.manifests, image.index):
        ecr.put_image(
            repositoryName=REPOSITORY,
            imageManifest=document.raw.decode(),
            imageManifestMediaType=document.media_type,
            imageDigest=document.digest,
        )


def stored(ecr: "ECRClient") -> set[str]:
    return {image["imageDigest"] for image in ecr.list_images(repositoryName=REPOSITORY)["imageIds"]}


def ids(*digests: str) -> dict[str, Any]:
    return {"repositoryName": REPOSITORY, "imageIds": [{"imageDigest": digest} for digest in digests]}


def test_a_repository_is_created_once_and_its_tags_may_move(ecr: "ECRClient", registry: EcrRegistry) -> None:
    registry.create_repository(REPOSITORY)
    registry.create_repository(REPOSITORY)

    (described,) = ecr.describe_repositories()["repositories"]
    assert (described["repositoryName"], described["imageTagMutability"]) == (REPOSITORY, "MUTABLE")


def test_when_ecr_is_down_no_repository_is_promised(ecr: "ECRClient", registry: EcrRegistry) -> None:
    with Stubber(ecr) as stubber:
        stubber.add_client_error("create_repository", "ServerException", http_status_code=500)

        with pytest.raises(ServiceUnavailable):
            registry.create_repository(REPOSITORY)


def test_a_push_shows_the_account_s_token(
    ecr: "ECRClient", registry: EcrRegistry, fake: FakeRegistry, image: Image
) -> None:
    granted = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    fake.basic = b64decode(granted).decode()

    registry.push(REPOSITORY, image)
    registry.tag(REPOSITORY, "1.4.0", image.index)

    assert fake.shelves.repositories[REPOSITORY].tags == {"1.4.0": image.index.digest}


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_replaced_once(
    status: int, fake: FakeRegistry, pushed: Image, ecr: "ECRClient", registry: EcrRegistry
) -> None:
    fake.requests.clear()
    fake.moods.append(Refuses(status=status, times=1))
    fake.basic = "AWS:second"
    with Stubber(ecr) as stubber:
        for token in (b"AWS:first", b"AWS:second"):
            granted = {
                "authorizationToken": b64encode(token).decode(),
                "expiresAt": datetime(2026, 3, 2, tzinfo=UTC),
            }
            stubber.add_response("get_authorization_token", {"authorizationData": [granted]})

        registry.tag(REPOSITORY, "1.4.0", pushed.index)

    shown = [request.headers["Authorization"].removeprefix("Basic ") for request in fake.requests]
    assert [b64decode(token) for token in shown] == [b"AWS:first", b"AWS:second"]


def test_a_deleted_image_is_gone(ecr: "ECRClient", registry: EcrRegistry, image: Image) -> None:
    registry.create_repository(REPOSITORY)
    store(ecr, image)
    assert stored(ecr) == set(image.digests)

    registry.delete_image(REPOSITORY, image.digests)

    assert stored(ecr) == set()


def test_deleting_what_a_crash_left_over_converges(
    ecr: "ECRClient", registry: EcrRegistry, image: Image
) -> None:
    registry.create_repository(REPOSITORY)
    store(ecr, image)
    registry.delete_image(REPOSITORY, image.digests[:2])

    registry.delete_image(REPOSITORY, image.digests)
    registry.delete_image(REPOSITORY, image.digests)

    assert stored(ecr) == set()


def test_deleting_from_a_repository_that_is_gone_is_done_already(registry: EcrRegistry, image: Image) -> None:
    registry.delete_image(REPOSITORY, image.digests)


def test_the_index_goes_in_a_call_of_its_own_before_what_it_names(
    ecr: "ECRClient", registry: EcrRegistry, image: Image
) -> None:
    index, *manifests = image.digests
    with Stubber(ecr) as stubber:
        stubber.add_response("batch_delete_image", {"failures": []}, ids(index))
        stubber.add_response("batch_delete_image", {"failures": []}, ids(*manifests))

        registry.delete_image(REPOSITORY, image.digests)

        stubber.assert_no_pending_responses()


def test_a_manifest_without_an_index_goes_in_one_call(
    ecr: "ECRClient", registry: EcrRegistry, image: Image
) -> None:
    with Stubber(ecr) as stubber:
        stubber.add_response("batch_delete_image", {"failures": []}, ids(image.digests[1]))

        registry.delete_image(REPOSITORY, image.digests[1:2])

        stubber.assert_no_pending_responses()


def test_an_item_that_fails_in_a_call_that_succeeds_is_a_failure(
    ecr: "ECRClient", registry: EcrRegistry, image: Image
) -> None:
    index, *manifests = image.digests
    gone = {"imageId": {"imageDigest": manifests[0]}, "failureCode": "ImageNotFound"}
    held = {"imageId": {"imageDigest": manifests[1]}, "failureCode": "ImageReferencedByManifestList"}
    with Stubber(ecr) as stubber:
        stubber.add_response("batch_delete_image", {"failures": []}, ids(index))
        stubber.add_response("batch_delete_image", {"failures": [gone, held]}, ids(*manifests))

        with pytest.raises(RegistryCleanupFailed) as failed:
            registry.delete_image(REPOSITORY, image.digests)

    assert "ImageReferencedByManifestList" in failed.value.__notes__[0]
    assert REPOSITORY not in failed.value.message


def test_manifests_are_not_deleted_while_their_index_exists(
    ecr: "ECRClient", registry: EcrRegistry, image: Image
) -> None:
    failure = {"imageId": {"imageDigest": image.index.digest}, "failureCode": "KmsError"}
    with Stubber(ecr) as stubber:
        stubber.add_response("batch_delete_image", {"failures": [failure]}, ids(image.index.digest))

        with pytest.raises(RegistryCleanupFailed):
            registry.delete_image(REPOSITORY, image.digests)


@pytest.mark.parametrize(("code", "status"), [("ServerException", 500), ("AccessDeniedException", 400)])
def test_a_deletion_that_ecr_does_not_do_has_failed(
    code: str, status: int, ecr: "ECRClient", registry: EcrRegistry, image: Image
) -> None:
    with Stubber(ecr) as stubber:
        stubber.add_client_error("batch_delete_image", code, http_status_code=status)

        with pytest.raises(RegistryCleanupFailed):
            registry.delete_image(REPOSITORY, image.digests)
