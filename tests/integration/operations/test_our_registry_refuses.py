"""What clients are answered, and the operator reads, when our own registry does not do as it is asked."""

import json
from dataclasses import replace

import pytest
from tests.fake_registry.moods import Mood, Refuses, Says
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, DEADLINE, PackArchive, Service

REPOSITORY = f"packs/{ACME.org_id}/slack"
IMMUTABLE = Says(
    method="PUT",
    path="/manifests/1.4.0",
    status=412,
    body=b'{"errors":[{"code":"PRECONDITION","message":"configured as immutable"}]}',
)


def reupload(service: Service, pack_id: str, archive: bytes) -> Answer:
    body, headers = multipart({"archive": archive})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return service.request("reupload_pack", request)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 405, 409, 412, 413, 418])
def test_a_refusal_is_a_502_and_its_reason_is_in_the_log(
    status: int, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=status))

    answer = service.upload(PackArchive().build())

    assert (answer.status, answer.error["code"]) == (502, "registry_unavailable")
    assert "not today" not in json.dumps(answer.body)
    assert f"answered {status}: b'not today'" in caplog.text
    assert "unforeseen failure" not in caplog.text
    assert service.list_packs().body["packs"] == []


def test_a_throttling_registry_is_a_503_with_retry_after(service: Service) -> None:
    service.registry.moods.append(Says(status=429, headers=(("Retry-After", "120"),)))

    answer = service.upload(PackArchive().build())

    assert (answer.status, answer.error["code"]) == (503, "service_unavailable")
    assert answer.headers["Retry-After"] == "120"


class TestImmutableTags:
    def test_the_same_version_again_with_other_content_succeeds_and_the_operator_is_told(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = service.upload(PackArchive().build()).body
        service.settle()
        service.registry.moods.append(replace(IMMUTABLE))

        again = reupload(service, first["id"], PackArchive(files={"README.md": b"# New\n"}).build())

        assert again.status == 200
        assert again.body["image_digest"] != first["image_digest"]
        assert "immutable or protected" in caplog.text
        assert service.registry.shelves.repository(REPOSITORY).tags == {"1.4.0": first["image_digest"]}

    def test_the_cleanup_reports_it_too_and_settles_the_message(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = service.upload(PackArchive().build()).body
        service.registry.moods.append(replace(IMMUTABLE))
        again = reupload(service, first["id"], PackArchive(files={"README.md": b"# New\n"}).build())
        caplog.clear()

        service.settle()

        assert "immutable or protected" in caplog.text
        assert again.body["image_digest"] in service.images()[REPOSITORY]

    def test_a_kept_tag_on_the_same_image_is_not_reported(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.upload(PackArchive().build())
        service.registry.moods.append(replace(IMMUTABLE))

        service.settle()

        assert "immutable" not in caplog.text


@pytest.mark.parametrize(
    "mood", [Says(method="DELETE", status=405, body=b'{"errors":[{"code":"UNSUPPORTED"}]}')], ids=["405"]
)
def test_a_registry_that_does_not_delete_says_so_in_the_log_at_each_attempt(
    mood: Mood, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    pack = service.upload(PackArchive().build()).body
    service.registry.moods.append(mood)

    answer = service.delete(pack["id"])

    assert (answer.status, answer.error["code"]) == (502, "registry_cleanup_failed")
    assert "storage.delete.enabled" in caplog.text
    caplog.clear()
    service.clock.advance(DEADLINE)
    assert service.deliver() != []
    assert "storage.delete.enabled" in caplog.text
