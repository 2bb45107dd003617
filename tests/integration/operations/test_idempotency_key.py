"""The `Idempotency-Key` header, through the real handlers of operations that take it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.engine.taps import Killed, Log, crash_at, moments
from tests.fake_registry.moods import Refuses
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.third_party_images import pack_image

from packyard.tenants.caller import Caller

ARCHIVE = PackArchive().build()
OTHER = PackArchive(name="jira").build()
A_DAY = timedelta(hours=24)
FUNCTION_TIME = timedelta(seconds=29)
MARGIN = timedelta(seconds=5)


def upload(
    service: Service,
    key: str | None = "k1",
    *,
    archive: bytes = ARCHIVE,
    boundary: str = "frontier",
    caller: Caller = ACME,
    visibility: str = "org",
) -> Answer:
    body, headers = multipart({"archive": archive, "visibility": visibility.encode()}, boundary)
    if key is not None:
        headers["Idempotency-Key"] = key
    request = Request(method="POST", resource="/packs/upload", headers=headers, body=body, caller=caller)
    return service.request("upload_pack", request)


def start(service: Service, key: str = "k1", **fields: Any) -> Answer:
    headers = {"Idempotency-Key": key}
    return service.send("start_upload", "POST", "/packs/uploads", json=fields, headers=headers)


def clone(service: Service, pack_id: str, key: str = "k1") -> Answer:
    headers = {"Idempotency-Key": key}
    return service.send("clone_pack", "POST", f"/packs/{pack_id}/clone", json={}, headers=headers)


def create(service: Service, image_ref: str, key: str = "k1") -> Answer:
    headers = {"Idempotency-Key": key}
    return service.send("create_pack", "POST", "/packs", json={"image_ref": image_ref}, headers=headers)


def reupload(
    service: Service, pack_id: str, archive: bytes, key: str = "k1", *, if_match: str | None = None
) -> Answer:
    body, headers = multipart({"archive": archive})
    request = Request(
        method="POST",
        resource="/packs/{id}/upload",
        path=f"/packs/{pack_id}/upload",
        headers=headers | {"Idempotency-Key": key} | ({"If-Match": if_match} if if_match else {}),
        body=body,
        caller=ACME,
    )
    return service.request("reupload_pack", request)


def without_request_id(answer: Answer) -> tuple[int, dict[str, str], Any]:
    return answer.status, {k: v for k, v in answer.headers.items() if k != "X-Request-Id"}, answer.body


class TestRepeats:
    def test_a_repeat_gets_the_first_answer(self, service: Service) -> None:
        first = upload(service)
        service.registry.requests.clear()
        again = upload(service, boundary="another")

        assert first.status == 201
        assert without_request_id(again) == without_request_id(first)
        assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
        assert service.registry.requests == []

    def test_even_when_it_is_not_so_any_more(self, service: Service) -> None:
        first = upload(service)
        assert service.delete(first.body["id"]).status == 200

        assert upload(service).body == first.body
        assert service.get(first.body["id"]).status == 404

    def test_a_started_upload_is_the_same_one(self, service: Service) -> None:
        assert start(service).body == start(service).body
        assert start(service, "k2").body["upload_id"] != start(service).body["upload_id"]

    def test_a_new_archive_for_a_pack_is_one_revision(self, service: Service) -> None:
        pack_id = upload(service, None).body["id"]
        second, third = (PackArchive(version=version).build() for version in ("2.0.0", "3.0.0"))
        first = reupload(service, pack_id, second)
        reupload(service, pack_id, third, "k2")

        again = reupload(service, pack_id, second)

        assert without_request_id(again) == without_request_id(first)
        assert service.get(pack_id).body["version"] == "3.0.0"

    def test_a_refusal_of_what_the_request_holds_is_kept_and_names_the_request_that_it_answers(
        self, service: Service
    ) -> None:
        broken = PackArchive(version="one").build()
        first = upload(service, archive=broken)
        assert len(service.aws.queued()) == 1
        assert (first.status, list(first.fields)) == (400, ["pack.yaml:version"])

        again = upload(service, archive=broken)

        assert again.status == 400
        assert again.error["request_id"] == again.headers["X-Request-Id"]
        assert again.error["request_id"] != first.error["request_id"]
        assert again.error["details"] == first.error["details"]
        assert service.aws.queued() == [], "the archive is not looked at again"
        assert upload(service).fields.keys() == {"Idempotency-Key"}

    def test_a_name_that_is_taken_may_be_free_at_the_next_attempt(self, service: Service) -> None:
        holder = upload(service, None, visibility="community").body["id"]
        assert upload(service).error["code"] == "pack_name_taken"
        assert service.delete(holder).status == 200

        assert upload(service).status == 201

    def test_a_pack_that_cannot_be_seen_may_be_shown_by_the_next_attempt(self, service: Service) -> None:
        hidden = upload(service, None, caller=GLOBEX).body["id"]
        assert clone(service, hidden).status == 404
        assert service.update(hidden, "community", GLOBEX).status == 200

        assert clone(service, hidden).status == 201

    def test_an_image_that_is_missing_may_be_there_at_the_next_attempt(self, service: Service) -> None:
        with FakeRegistry() as third_party:
            reference = f"{urlsplit(third_party.url).netloc}/team/slack:1.4.0"
            assert create(service, reference).fields.keys() == {"image_ref"}
            repository = third_party.shelves.repository("team/slack", create=True)
            pack_image(b"name: slack\nversion: 1.4.0\n").shelve(repository, "1.4.0")

            assert create(service, reference).status == 201

    def test_an_outdated_revision_does_not_use_up_the_key(self, service: Service) -> None:
        pack_id = upload(service, None).body["id"]
        second = PackArchive(version="2.0.0").build()
        assert reupload(service, pack_id, second, if_match='"9"').status == 412

        assert reupload(service, pack_id, second, if_match='"1"').status == 200

    def test_the_same_key_is_accepted_after_the_bill_is_paid(self, service: Service) -> None:
        assert upload(service, caller=replace(ACME, may_create=False)).status == 423

        assert upload(service).status == 201

    def test_a_failure_of_ours_is_not_kept(self, service: Service) -> None:
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=503))
        assert upload(service).status == 502
        service.registry.moods.clear()

        assert upload(service).status == 201

    def test_after_a_day_a_key_is_new(self, service: Service) -> None:
        first = start(service)
        service.clock.advance(A_DAY - timedelta(seconds=1))
        assert start(service).body == first.body
        service.clock.advance(timedelta(seconds=1))

        assert start(service).body["upload_id"] != first.body["upload_id"]
        assert start(service, size_bytes=5).fields.keys() == {"Idempotency-Key"}


class TestScope:
    @pytest.mark.parametrize(
        "change",
        [{"archive": OTHER}, {"visibility": "community"}],
        ids=["another archive", "another visibility"],
    )
    def test_another_request_of_the_same_key_is_refused(
        self, service: Service, change: dict[str, Any]
    ) -> None:
        upload(service)

        refused = upload(service, **change)

        assert (refused.status, refused.error["code"]) == (400, "validation_error")
        assert refused.fields.keys() == {"Idempotency-Key"}

    def test_a_key_is_the_organisation_s_own(self, service: Service) -> None:
        upload(service)

        assert upload(service, archive=OTHER, caller=GLOBEX).status == 201

    def test_a_key_is_the_operation_s_own(self, service: Service) -> None:
        upload(service)

        assert start(service).status == 201

    def test_a_caller_without_the_write_scope_does_not_get_the_kept_answer(self, service: Service) -> None:
        upload(service)

        assert upload(service, caller=replace(ACME, scopes=frozenset())).status == 403
        assert upload(service, caller=replace(ACME, may_create=False)).status == 423

    def test_a_request_that_cannot_be_read_leaves_the_key_unused(self, service: Service) -> None:
        assert start(service, size=1).status == 400

        assert start(service).status == 201

    @pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "é", "k" * 256, "\x7f"])
    def test_a_key_is_of_visible_ascii(self, service: Service, key: str) -> None:
        assert upload(service, key).fields.keys() == {"Idempotency-Key"}
        assert service.list_packs().body == {"packs": []}

    @pytest.mark.parametrize("key", ["1", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~!#"])
    def test_any_other_key_is_taken(self, service: Service, key: str) -> None:
        assert upload(service, key).status == 201

    def test_one_key_is_enough(self, service: Service) -> None:
        body, headers = multipart({"archive": ARCHIVE})
        request = Request(
            method="POST",
            resource="/packs/upload",
            headers=headers | {"Idempotency-Key": "k1"},
            body=body,
            caller=ACME,
        )
        event = request.event()
        event["multiValueHeaders"]["Idempotency-Key"] = ["k1", "k2"]

        assert Answer.of(service.invoke("upload_pack", event)).fields.keys() == {"Idempotency-Key"}


class TestWhileAnotherIsAtWork:
    def test_the_second_is_asked_to_retry(self, service: Service) -> None:
        seconds: list[Answer] = []
        while_publishing(service, lambda: seconds.append(upload(service)))

        first = upload(service)

        assert first.status == 201
        assert (seconds[0].status, seconds[0].error["code"]) == (503, "service_unavailable")
        assert seconds[0].headers["Retry-After"] == "1"
        assert "Idempotency-Key" in seconds[0].error["message"]
        assert upload(service).body == first.body

    def test_one_that_wants_something_else_is_refused_at_once(self, service: Service) -> None:
        seconds: list[Answer] = []
        while_publishing(service, lambda: seconds.append(upload(service, archive=OTHER)))

        upload(service)

        assert seconds[0].fields.keys() == {"Idempotency-Key"}

    def test_one_that_outlives_its_time_keeps_no_answer_over_its_successor_s(self, service: Service) -> None:
        seconds: list[Answer] = []

        def stand_still() -> None:
            service.clock.advance(FUNCTION_TIME + MARGIN + timedelta(seconds=1))
            seconds.append(upload(service))

        while_publishing(service, stand_still)

        first = upload(service)

        assert (seconds[0].status, first.status) == (201, 200)
        assert upload(service).status == 201, "the successor's answer"


def while_publishing(service: Service, interlude: Callable[[], None]) -> None:
    """Let something happen once, in the middle of the next publish."""
    images = service.services.built_images

    class Interrupted:
        def __getattr__(self, name: str) -> Any:
            return getattr(images, name)

        def push(self, *args: Any, **kwargs: Any) -> None:
            service.new_process()
            interlude()
            images.push(*args, **kwargs)

    service.new_process(parts={"built_images": Interrupted()})


def points_of_an_upload(key: str | None = "k1") -> Log:
    log = Log()
    with running_service() as service, service.wire.tapped(log):
        assert upload(service, key).status == 201
    return log


UPLOAD = points_of_an_upload()


class TestCrashes:
    def test_the_key_is_taken_first_and_the_answer_kept_last(self) -> None:
        without = points_of_an_upload(None).calls

        assert ["dynamodb.UpdateItem", *without, "dynamodb.UpdateItem"] == UPLOAD.calls

    @pytest.mark.parametrize("moment", moments(UPLOAD.passed))
    def test_a_request_killed_at_any_moment_can_be_repeated_when_its_time_is_over(self, moment: int) -> None:
        with running_service() as service:
            crash = crash_at(moment, len(UPLOAD.passed))
            with pytest.raises(Killed), service.wire.tapped(crash):
                upload(service)
            service.new_process()
            service.clock.advance(FUNCTION_TIME + MARGIN + timedelta(seconds=1))

            repeated = upload(service)

            assert repeated.status in (200, 201)
            assert [pack["id"] for pack in service.list_packs().body["packs"]] == [repeated.body["id"]]

    def test_an_answer_that_cannot_be_kept_is_given_all_the_same(self, service: Service) -> None:
        with OutOfReach(service, "UpdateItem", number=3):
            assert upload(service).status == 201

        service.clock.advance(FUNCTION_TIME + MARGIN + timedelta(seconds=1))
        assert upload(service).status == 200

    def test_a_key_that_cannot_be_taken_is_503_and_nothing_is_done(self, service: Service) -> None:
        with OutOfReach(service, "UpdateItem", number=1):
            assert upload(service).status == 503

        assert service.list_packs().body == {"packs": []}
        assert service.aws.queued() == []


class OutOfReach:
    """DynamoDB is out of reach for an operation, from its `number`th call on, while the context lasts."""

    def __init__(self, service: Service, operation: str, *, number: int) -> None:
        self._events = service.aws.dynamodb.meta.events
        self._name = f"before-call.dynamodb.{operation}"
        self._left = number

    def __enter__(self) -> None:
        self._events.register(self._name, self._fail, unique_id="out-of-reach")

    def __exit__(self, *_: object) -> None:
        self._events.unregister(self._name, unique_id="out-of-reach")

    def _fail(self, **_: Any) -> None:
        self._left -= 1
        if self._left <= 0:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")


def test_without_the_header_nothing_of_it_is_imported() -> None:
    """Measured in a process of its own: other tests have imported everything here."""
    code = (
        "import sys\n"
        "import functions.upload_pack.app, functions.start_upload.app, functions.reupload_pack.app\n"
        "assert not [name for name in sys.modules if 'utilities.idempotency' in name]\n"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, check=True, env={"PYTHONPATH": ":".join(sys.path)})  # noqa: S603 - our own code
