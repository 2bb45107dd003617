"""When an ECR repository is created, what a client is told when it cannot be, and that none stays behind empty."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from tests.engine.points import Point
from tests.engine.taps import Killed
from tests.fake_registry.moods import HangsUp, Refuses
from tests.fake_registry.shelves import Repository
from tests.gateway import Answer, Request, multipart
from tests.reliability.deployment import Deployment, running_deployment
from tests.service import ACME, DEADLINE, PackArchive

NAME = f"packs/{ACME.org_id}/slack"


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with running_deployment() as running:
        yield running


class Calls:
    """A tap that notes what leaves, and lets one label be answered otherwise."""

    def __init__(self, label: str = "", answer: Any = None) -> None:
        self.labels: list[str] = []
        self._label = label
        self._answer = answer

    def __call__(self, point: Point) -> Any:
        self.labels.append(point.label)
        return self._answer(point) if point.label == self._label else point.deliver()

    def to_ecr(self) -> list[str]:
        return [label for label in self.labels if label.startswith("ecr.")]


def reupload(deployment: Deployment, pack: str) -> Answer:
    form, headers = multipart({"archive": PackArchive(version="1.5.0").build()})
    path = f"/packs/{pack}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=form, caller=ACME)
    return deployment.service.request("reupload_pack", request)


def fault(code: str) -> Any:
    body = json.dumps({"__type": code, "message": "no"})
    return lambda _sent: AWSResponse("", 400, {}, MockRawResponse(body))  # type: ignore[arg-type]


def test_the_first_push_of_a_name_creates_its_repository_and_no_later_one_does(
    deployment: Deployment,
) -> None:
    calls = deployment.wire.tap = Calls()

    assert deployment.service.upload(PackArchive().build()).status == 201
    assert calls.to_ecr().count("ecr.CreateRepository") == 1
    assert deployment.service.upload(PackArchive(name="other").build()).status == 201
    assert calls.to_ecr().count("ecr.CreateRepository") == 2
    pack = deployment.service.upload(PackArchive().build()).body["id"]
    assert reupload(deployment, pack).status == 200

    assert calls.to_ecr().count("ecr.CreateRepository") == 2


def test_a_clone_creates_the_repository_of_its_name(deployment: Deployment) -> None:
    pack = deployment.service.upload(PackArchive().build()).body["id"]
    deployment.wire.tap = calls = Calls()

    clone = deployment.service.send("clone_pack", "POST", f"/packs/{pack}/clone", json={"name": "cloned"})

    assert clone.status == 201
    assert calls.to_ecr() == ["ecr.CreateRepository"]
    assert deployment.service.registry.shelves.repositories[f"packs/{ACME.org_id}/cloned"].manifests


def test_a_registry_that_hangs_up_on_an_unknown_name_is_helped_too(deployment: Deployment) -> None:
    # aws/containers-roadmap #1970: ECR closed the connection on POST /v2/<name>/blobs/uploads/ of a name it had not.
    class HangsUpOnNewNames(HangsUp):
        def claims(self, method: str, path: str) -> bool:  # noqa: ARG002 - the mood's own signature
            return method == "POST" and NAME not in deployment.service.registry.shelves.repositories

    deployment.service.registry.moods.append(HangsUpOnNewNames())

    assert deployment.service.upload(PackArchive().build()).status == 201


def test_an_upload_is_not_repeated_to_a_registry_that_is_down(deployment: Deployment) -> None:
    deployment.service.registry.shelves.repositories[NAME] = Repository()
    deployment.service.registry.moods.append(HangsUp(method="POST"))
    deployment.wire.tap = calls = Calls()

    assert deployment.service.upload(PackArchive().build()).status == 502

    layer_and_configs, attempts = 3, 3
    posts = [label for label in calls.labels if label.startswith("POST ")]
    assert len(posts) == layer_and_configs * attempts


def test_no_repository_is_created_for_a_change_of_an_image(deployment: Deployment) -> None:
    pack = deployment.service.upload(PackArchive().build()).body["id"]
    deployment.service.registry.moods.append(HangsUp(method="POST"))
    deployment.wire.tap = calls = Calls()

    answer = deployment.service.request(
        "put_file",
        Request(
            method="PUT",
            resource="/packs/{id}/files/{path+}",
            path=f"/packs/{pack}/files/README.md",
            headers={"Content-Type": "application/octet-stream"},
            body=b"changed",
            caller=ACME,
        ),
    )

    assert answer.status == 502
    assert "ecr.CreateRepository" not in calls.to_ecr(), (
        "its function may not, and an image without its layers is none"
    )


def test_another_push_of_the_name_may_create_it_in_between(deployment: Deployment) -> None:
    def created_by_another(point: Point) -> Any:
        deployment.service.registry.shelves.repositories[NAME] = Repository()
        return point.deliver()

    deployment.wire.tap = Calls("ecr.CreateRepository", created_by_another)

    assert deployment.service.upload(PackArchive().build()).status == 201


def test_a_used_up_quota_is_an_outage_that_says_so(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    # ECR API reference, CreateRepository: LimitExceededException.
    deployment.wire.tap = Calls("ecr.CreateRepository", fault("LimitExceededException"))

    with caplog.at_level(logging.ERROR):
        refused = deployment.service.upload(PackArchive().build())

    assert (refused.status, refused.body["error"]["code"]) == (503, "service_unavailable")
    assert "quota" in refused.body["error"]["message"]
    assert refused.headers["Retry-After"] == "3600"
    assert any("Registered repositories" in record.getMessage() for record in caplog.records)
    deployment.wire.tap = Calls()
    deployment.settle()


def test_existing_packs_change_while_the_quota_is_used_up(deployment: Deployment) -> None:
    pack = deployment.service.upload(PackArchive().build()).body["id"]
    deployment.wire.tap = Calls("ecr.CreateRepository", fault("LimitExceededException"))

    assert reupload(deployment, pack).status == 200


def test_a_publish_that_fails_leaves_no_empty_repository(deployment: Deployment) -> None:
    deployment.service.registry.moods.append(Refuses(method="PUT", status=503))
    assert deployment.service.upload(PackArchive().build()).status == 502
    assert NAME in deployment.service.registry.shelves.repositories
    deployment.service.registry.moods.clear()

    deployment.settle()

    assert deployment.service.registry.shelves.repositories == {}


def test_a_publish_that_dies_after_the_creation_leaves_no_empty_repository(deployment: Deployment) -> None:
    def dies(point: Point) -> Any:
        point.deliver()
        raise Killed

    deployment.wire.tap = Calls("ecr.CreateRepository", dies)
    with pytest.raises(Killed):
        deployment.service.upload(PackArchive().build())
    assert NAME in deployment.service.registry.shelves.repositories
    deployment.wire.tap = Calls()
    deployment.new_process()

    deployment.settle()

    assert deployment.service.registry.shelves.repositories == {}


def test_the_repository_of_another_publisher_at_work_is_left_alone(deployment: Deployment) -> None:
    deployment.service.registry.moods.append(Refuses(method="PUT", status=503))
    deployment.service.upload(PackArchive().build())
    deployment.service.registry.moods.clear()
    deployment.collect()
    (cleanup_message,) = [body for body in deployment.inbox if "orphan_image" in body]
    deployment.service.clock.advance(DEADLINE + timedelta(seconds=1))
    settled: list[bool] = []

    def cleaned_up_in_between(point: Point) -> Any:
        if not settled:
            settled.append(False)
            with deployment.wire.tapped(), deployment.service.another_process():
                settled[:] = [not deployment.service.deliver_bodies([cleanup_message])]
            assert NAME in deployment.service.registry.shelves.repositories
        return point.deliver()

    deployment.wire.tap = lambda point: (
        cleaned_up_in_between(point) if point.label.startswith("POST ") else point.deliver()
    )
    assert deployment.service.upload(PackArchive().build()).status == 201
    assert settled
    deployment.wire.tap = Calls()
    deployment.settle()


def test_after_its_deadline_a_push_creates_nothing(deployment: Deployment) -> None:
    # Its cleanup message may have been settled already, and then nothing would remove the repository.
    def late(point: Point) -> Any:
        deployment.service.clock.advance(DEADLINE + timedelta(seconds=1))
        return point.deliver()

    deployment.wire.tap = lambda point: late(point) if point.label.startswith("POST ") else point.deliver()

    assert deployment.service.upload(PackArchive().build()).status == 503

    assert deployment.service.registry.shelves.repositories == {}
