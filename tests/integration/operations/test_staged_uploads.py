"""POST and GET /packs/uploads and the build queue's consumer, through their real handlers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.aws import BUCKET
from tests.fake_registry.moods import Refuses
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service, running_service
from tests.staged_uploads import arrive, deliver, look, start, upload

from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.pack import ImageOrigin

ARCHIVE = PackArchive().build()
SECOND = PackArchive(version="2.0.0", files={"README.md": b"second"}).build()
UNKNOWN_PACK = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"
FORM_TIME = timedelta(minutes=15)
ARRIVAL_TIME = timedelta(minutes=45)
BUILD_TIME = 4 * DEADLINE
MOMENT = timedelta(seconds=1)


def test_an_upload_waits_for_its_archive(service: Service) -> None:
    started = start(service)

    assert started.status == 201
    body = started.body
    form = {name: body.pop(name) for name in ("url", "fields", "max_bytes")}
    assert body == {
        "upload_id": body["upload_id"],
        "status": "awaiting_archive",
        "expires_at": "2026-03-01T12:15:00.000Z",
    }
    assert form["url"].startswith("https://")
    assert form["fields"]["key"] == f"uploads/{body['upload_id']}.tar.gz"
    assert form["max_bytes"] == 268_435_456
    assert look(service, body["upload_id"]).body == body


def test_an_archive_that_arrives_becomes_a_pack(service: Service) -> None:
    done = upload(service, ARCHIVE, visibility="community", size_bytes=len(ARCHIVE))

    assert (done.status, done.body["status"]) == (200, "done")
    pack = service.get(done.body["pack_id"], GLOBEX).body
    assert (pack["name"], pack["version"], pack["visibility"]) == ("slack", "1.4.0", "community")
    assert done.body["expires_at"] == "2026-03-08T12:00:00.000Z"


def test_it_becomes_the_same_image_as_by_the_inline_way(service: Service) -> None:
    inline = service.upload(ARCHIVE, GLOBEX).body

    staged = service.get(upload(service, ARCHIVE).body["pack_id"]).body

    assert staged["image_digest"] == inline["image_digest"]


def test_the_history_names_who_started_the_upload(service: Service) -> None:
    pack_id = upload(service, ARCHIVE).body["pack_id"]

    entry = service.aws.table.get({"PK": f"PACK#{pack_id}", "SK": "REV#0000000001"}) or {}
    assert (entry["operation"], entry["actor"]) == ("upload", ACME.principal)


def test_an_archive_can_replace_what_a_pack_holds(service: Service) -> None:
    pack = service.upload(ARCHIVE).body
    started = start(service, pack_id=pack["id"])
    assert started.body["pack_id"] == pack["id"]

    deliver(service, arrive(service, started.body["upload_id"], SECOND))

    assert look(service, started.body["upload_id"]).body["status"] == "done"
    now = service.get(pack["id"])
    assert (now.body["version"], now.headers["ETag"]) == ("2.0.0", '"2"')


class TestIfMatch:
    """The condition of a write that takes place when its archive has arrived."""

    @pytest.mark.parametrize("if_match", ['"1"', '"7", "1"', "*"])
    def test_an_archive_for_the_revision_that_was_seen_is_built(
        self, service: Service, if_match: str
    ) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]
        started = start(service, if_match=if_match, pack_id=pack_id)

        deliver(service, arrive(service, started.body["upload_id"], SECOND))

        assert look(service, started.body["upload_id"]).body["status"] == "done"

    def test_one_that_was_overtaken_fails_with_412_and_changes_nothing(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]
        started = start(service, if_match='"1"', pack_id=pack_id)
        service.update(pack_id, "community")

        deliver(service, arrive(service, started.body["upload_id"], SECOND))

        ended = look(service, started.body["upload_id"]).body
        assert (ended["status"], ended["error"]["code"]) == ("failed", "precondition_failed")
        assert ended["error"]["details"] == {"revision": 2}
        assert service.get(pack_id).body["version"] == "1.4.0"

    def test_one_that_comes_too_late_already_is_refused_at_once(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        refused = start(service, if_match='"7"', pack_id=pack_id)

        assert (refused.status, refused.error["details"]) == (412, {"revision": 1})

    def test_a_new_pack_has_no_revision_to_name(self, service: Service) -> None:
        refused = start(service, if_match='"1"')

        assert (refused.status, refused.error["code"]) == (412, "precondition_failed")
        assert "pack_id" in refused.error["message"]


@pytest.mark.parametrize("fields", [{}, {"pack_id": True}], ids=["a new pack", "a pack that stands"])
def test_an_archive_that_changes_nothing_is_done_with_the_existing_pack(
    service: Service, fields: dict[str, Any]
) -> None:
    pack = service.upload(ARCHIVE)
    named = {"pack_id": pack.body["id"]} if fields else {}

    done = upload(service, ARCHIVE, **named).body

    assert (done["status"], done["pack_id"]) == ("done", pack.body["id"])
    assert service.get(pack.body["id"]).headers["ETag"] == '"1"'


def test_the_staged_archive_is_removed_when_nothing_can_need_it_any_more(service: Service) -> None:
    upload(service, ARCHIVE)

    service.settle()
    assert len(service.aws.staged()) == 1
    service.clock.advance(ARRIVAL_TIME + BUILD_TIME)
    service.deliver()

    assert service.aws.staged() == []
    assert service.aws.queued() == []


class TestWhoMayStart:
    @pytest.mark.parametrize(
        ("caller", "status", "code"),
        [
            pytest.param(None, 401, "unauthenticated", id="no caller"),
            pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
            pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="a lapsed tenant"),
        ],
    )
    def test_a_missing_right_to_create_is_reported_first(
        self, service: Service, caller: Any, status: int, code: str
    ) -> None:
        answer = start(service, caller, nonsense=1)

        assert (answer.status, answer.error["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"visibility": "public"}, {"visibility"}),
            ({"visibility": 1}, {"visibility"}),
            ({"visibility": None}, {"visibility"}),
            ({"pack_id": 7}, {"pack_id"}),
            ({"pack_id": None}, {"pack_id"}),
            ({"pack_id": UNKNOWN_PACK, "visibility": "org"}, {"visibility"}),
            ({"size_bytes": 0}, {"size_bytes"}),
            ({"size_bytes": "12"}, {"size_bytes"}),
            ({"size_bytes": True}, {"size_bytes"}),
            ({"size_bytes": 1.5}, {"size_bytes"}),
            ({"size": 5}, {"size"}),
            ({"size_bytes": -1, "visibility": "x"}, {"size_bytes", "visibility"}),
        ],
        ids=lambda given: str(sorted(given)),
    )
    def test_every_field_that_is_wrong_is_named(
        self, service: Service, fields: dict[str, Any], wrong: set[str]
    ) -> None:
        answer = start(service, **fields)

        assert answer.status == 400
        assert answer.fields.keys() == wrong

    def test_an_archive_over_the_limit_is_refused_before_it_is_sent(self) -> None:
        with running_service(limits=ArchiveLimits(compressed_bytes=1000)) as service:
            assert start(service, size_bytes=1000.0).status == 201
            assert start(service, size_bytes=1000).body["max_bytes"] == 1000
            refused = start(service, size_bytes=1001)

        assert (refused.status, refused.error["code"]) == (413, "payload_too_large")

    @pytest.mark.parametrize("pack_id", [UNKNOWN_PACK, "x"])
    def test_a_pack_that_is_not_there_is_404(self, service: Service, pack_id: str) -> None:
        assert start(service, pack_id=pack_id).error["code"] == "pack_not_found"

    def test_another_organisations_pack_is_as_good_as_none(self, service: Service) -> None:
        pack = service.upload(ARCHIVE, GLOBEX, visibility="community").body

        assert start(service, pack_id=pack["id"]).status == 404

    def test_a_pack_that_was_not_uploaded_takes_no_archive(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]
        before = service.services.packs.get(pack_id)
        assert before is not None
        clone = before.revised(at=service.clock(), image_origin=ImageOrigin.CLONE)
        service.services.packs.change(before, clone, actor="test", operation="test")

        assert start(service, pack_id=pack_id).fields.keys() == {"pack_id"}

    def test_a_refused_start_leaves_nothing(self, service: Service) -> None:
        start(service, pack_id=UNKNOWN_PACK)

        assert service.aws.queued() == []


class TestWhoMayLook:
    @pytest.mark.parametrize("upload_id", ["upl_01HZZZZZZZZZZZZZZZZZZZZZZZ", "upl_1", "x"])
    def test_an_upload_that_is_not_there_is_404(self, service: Service, upload_id: str) -> None:
        answer = look(service, upload_id)

        assert (answer.status, answer.error["code"]) == (404, "upload_not_found")

    def test_another_organisations_upload_is_as_good_as_none(self, service: Service) -> None:
        upload_id = start(service, GLOBEX).body["upload_id"]

        assert look(service, upload_id).status == 404

    def test_reading_needs_no_scope_and_no_active_billing(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]

        assert look(service, upload_id, replace(ACME, scopes=frozenset(), may_create=False)).status == 200

    def test_an_upload_is_forgotten_after_a_week(self, service: Service) -> None:
        upload_id = upload(service, ARCHIVE).body["upload_id"]
        service.clock.advance(timedelta(days=7))
        assert look(service, upload_id).status == 200
        service.clock.advance(MOMENT)

        assert look(service, upload_id).status == 404


class TestRefusals:
    @pytest.mark.parametrize(
        "archive",
        [
            pytest.param(b"not gzip", id="not gzip"),
            pytest.param(
                PackArchive(version="one", files={"../evil": b"", "bin/x": b""}).build(),
                id="a hostile archive",
            ),
            pytest.param(
                PackArchive(files={f"guides/{n}": b"" for n in range(5)}).build(), id="too many members"
            ),
        ],
    )
    def test_a_refusal_has_the_words_of_the_inline_upload(self, archive: bytes) -> None:
        with running_service(limits=ArchiveLimits(members=5)) as service:
            inline = service.upload(archive).error
            failed = upload(service, archive).body

        assert failed["status"] == "failed"
        assert failed["error"] == inline | {"request_id": failed["upload_id"]}

    def test_an_archive_over_the_limit_fails(self) -> None:
        with running_service(limits=ArchiveLimits(compressed_bytes=100)) as service:
            assert upload(service, ARCHIVE).body["error"]["code"] == "payload_too_large"

    def test_a_taken_name_names_its_holder(self, service: Service) -> None:
        pack = service.upload(ARCHIVE).body

        error = upload(service, SECOND).body["error"]

        assert (error["code"], error["details"]) == ("pack_name_taken", {"pack_id": pack["id"]})

    def test_a_pack_that_goes_while_the_archive_is_on_its_way_is_not_found(self, service: Service) -> None:
        pack = service.upload(ARCHIVE).body
        upload_id = start(service, pack_id=pack["id"]).body["upload_id"]
        assert service.delete(pack["id"]).status == 200

        deliver(service, arrive(service, upload_id, SECOND))

        assert look(service, upload_id).body["error"]["code"] == "pack_not_found"
        assert service.list_packs().body == {"packs": []}

    def test_the_name_of_a_pack_stays(self, service: Service) -> None:
        pack = service.upload(ARCHIVE).body

        error = upload(service, PackArchive(name="jira").build(), pack_id=pack["id"]).body["error"]

        assert error["details"]["fields"].keys() == {"pack.yaml:name"}

    def test_an_upload_is_for_one_archive(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        deliver(service, arrive(service, upload_id, b"not gzip"))
        failed = look(service, upload_id).body

        assert deliver(service, arrive(service, upload_id, ARCHIVE)) == []

        assert look(service, upload_id).body == failed
        assert service.list_packs().body == {"packs": []}


class TestDeadlines:
    def test_without_an_archive_an_upload_expires(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        service.clock.advance(ARRIVAL_TIME)
        assert look(service, upload_id).body["status"] == "awaiting_archive"
        service.clock.advance(MOMENT)

        expired = look(service, upload_id).body
        assert expired == {
            "upload_id": upload_id,
            "status": "expired",
            "expires_at": "2026-03-08T12:00:00.000Z",
        }

    def test_what_has_expired_is_not_built(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        message = arrive(service, upload_id, ARCHIVE)
        service.clock.advance(ARRIVAL_TIME + MOMENT)

        assert deliver(service, message) == []

        assert look(service, upload_id).body["status"] == "expired"
        assert service.list_packs().body == {"packs": []}

    def test_an_archive_sent_at_the_last_moment_is_built_when_its_news_comes_late(
        self, service: Service
    ) -> None:
        upload_id = start(service).body["upload_id"]
        service.clock.advance(ARRIVAL_TIME)

        deliver(service, arrive(service, upload_id, ARCHIVE))

        assert look(service, upload_id).body["status"] == "done"

    def test_a_registry_that_fails_for_a_while_is_waited_for(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        message = arrive(service, upload_id, ARCHIVE)
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=503))
        assert deliver(service, message) == ["0"]
        during = look(service, upload_id).body
        service.registry.moods.clear()

        assert deliver(service, message) == []

        assert during == {
            "upload_id": upload_id,
            "status": "building",
            "expires_at": "2026-03-01T12:08:00.000Z",
        }
        assert look(service, upload_id).body["status"] == "done"

    def test_an_upload_fails_with_a_reason_when_the_registry_never_recovers(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        message = arrive(service, upload_id, ARCHIVE)
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=503))
        deliver(service, message)
        service.clock.advance(BUILD_TIME + MOMENT)

        failed = look(service, upload_id).body

        assert failed["status"] == "failed"
        assert failed["error"]["code"] == "registry_unavailable"
        assert failed["error"]["request_id"] == upload_id
        service.registry.moods.clear()
        assert deliver(service, message) == ["0"], "it belongs with the dead letters"
        assert look(service, upload_id).body == failed
        assert service.list_packs().body == {"packs": []}

    def test_an_object_that_cannot_be_read_is_our_own_fault(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        message = arrive(service, upload_id, ARCHIVE)
        service.aws.s3.delete_object(Bucket=BUCKET, Key=f"uploads/{upload_id}.tar.gz")
        assert deliver(service, message) == ["0"]
        service.clock.advance(BUILD_TIME + MOMENT)

        assert look(service, upload_id).body["error"]["code"] == "internal_error"


class TestDeliveries:
    def test_a_message_delivered_twice_builds_once(self, service: Service) -> None:
        upload_id = start(service).body["upload_id"]
        message = arrive(service, upload_id, ARCHIVE)

        assert deliver(service, message, message) == []

        assert len(service.list_packs().body["packs"]) == 1

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{}",
            "[]",
            "null",
            '{"Records": [{}]}',
            '{"Records": [{"s3": {"object": {"key": "inline/01HZZZZZZZZZZZZZZZZZZZZZZZ.tar.gz"}}}]}',
            '{"Records": [{"s3": {"object": {"key": "uploads/upl_1.tar.gz"}}}]}',
            '{"Records": [{"s3": {"object": {"key": 5}}}]}',
            "[" * 3000,
            "x" * 100_000,
        ],
        ids=lambda body: body[:40] or "nothing",
    )
    def test_a_message_that_s3_does_not_send_goes_back_and_so_to_the_dead_letters(
        self, service: Service, body: str
    ) -> None:
        assert deliver(service, body) == ["0"]

    def test_the_message_that_tries_the_queue_out_is_let_go(self, service: Service) -> None:
        assert deliver(service, '{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}') == []

    def test_a_message_about_an_unknown_upload_is_settled(self, service: Service) -> None:
        message = arrive(service, "upl_01HZZZZZZZZZZZZZZZZZZZZZZZ", ARCHIVE)

        assert deliver(service, message) == []
