"""POST /packs/{id}/upload, through its real handler."""

from dataclasses import replace
from typing import Any

import pytest
from tests.engine.taps import Killed, Log, crash_at, moments
from tests.fake_registry.moods import Refuses
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service, running_service

from packyard.packs.pack import ImageOrigin
from packyard.store.packs import PackStore
from packyard.tenants.caller import Caller

FIRST = PackArchive(fields={"description": "At first.", "category": "messaging"})
SECOND = PackArchive(version="2.0.0", files={"README.md": b"second"}, fields={"description": "Then."})
UNKNOWN = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"


def reupload(
    service: Service,
    pack_id: str,
    archive: bytes,
    caller: Caller | None = ACME,
    *,
    if_match: str | None = None,
    **parts: bytes,
) -> Answer:
    body, headers = multipart({"archive": archive} | parts)
    if if_match is not None:
        headers["If-Match"] = if_match
    return service.request(
        "reupload_pack",
        Request(
            method="POST",
            resource="/packs/{id}/upload",
            path=f"/packs/{pack_id}/upload",
            headers=headers,
            body=body,
            caller=caller,
        ),
    )


def tags(service: Service) -> dict[str, Any]:
    return dict(service.registry.shelves.repository(f"packs/{ACME.org_id}/slack").tags)


def put_row(service: Service, pack_id: str, **changes: Any) -> None:
    """Let a pack's row say something that no request of this test can bring about."""
    store = service.services.packs
    before = store.get(pack_id)
    assert before is not None
    store.change(before, replace(before, **changes), actor="test", operation="test")


def test_a_new_archive_replaces_everything_that_an_archive_decides_and_nothing_else(service: Service) -> None:
    first = service.upload(FIRST.build(), visibility="community").body

    answer = reupload(service, first["id"], SECOND.build())

    assert (answer.status, answer.headers["ETag"]) == (200, '"2"')
    assert answer.body == service.get(first["id"]).body
    assert {
        name for name in first.keys() | answer.body.keys() if first.get(name) != answer.body.get(name)
    } == {
        "version",
        "description",
        "category",
        "image_ref",
        "image_digest",
        "content_digest",
        "size_bytes",
    }
    assert answer.body["version"] == "2.0.0"
    assert answer.body["visibility"] == "community"
    assert "category" not in answer.body
    assert tags(service) == {"1.4.0": first["image_digest"], "2.0.0": answer.body["image_digest"]}


def test_every_image_that_a_pack_has_had_stays(service: Service) -> None:
    first = service.upload(FIRST.build()).body
    second = reupload(service, first["id"], SECOND.build()).body

    service.settle()

    kept = service.images()[f"packs/{ACME.org_id}/slack"]
    assert {first["image_digest"], second["image_digest"]} <= kept
    assert service.aws.staged() == []


def test_the_same_version_with_other_content_moves_its_tag(service: Service) -> None:
    first = service.upload(FIRST.build()).body

    second = reupload(service, first["id"], replace(FIRST, files={"README.md": b"mended"}).build()).body

    assert second["image_ref"] == first["image_ref"]
    assert tags(service) == {"1.4.0": second["image_digest"]}


def test_an_older_version_is_as_good_as_any(service: Service) -> None:
    pack = service.upload(SECOND.build()).body

    assert reupload(service, pack["id"], FIRST.build()).body["version"] == "1.4.0"


def test_what_the_pack_holds_already_changes_nothing(service: Service) -> None:
    first = service.upload(FIRST.build())
    service.registry.requests.clear()

    again = reupload(service, first.body["id"], replace(FIRST, wrapper="w/", backwards=True).build())

    assert (again.status, again.body, again.headers["ETag"]) == (200, first.body, '"1"')
    # The index and its manifests are there, and so are the configs and the layer.
    assert [request.method for request in service.registry.requests] == ["GET"] * 3 + ["HEAD"] * 3


def test_uploading_the_same_archive_pushes_again_an_image_that_the_registry_has_lost(
    service: Service,
) -> None:
    first = service.upload(FIRST.build())
    (repository,) = service.registry.shelves.repositories.values()
    repository.manifests.clear()

    again = reupload(service, first.body["id"], FIRST.build())

    assert (again.status, again.headers["ETag"]) == (200, '"2"')
    assert again.body["image_digest"] == first.body["image_digest"]
    assert first.body["image_digest"] in repository.manifests


class TestConditions:
    def test_if_match_lets_the_revision_that_was_seen_through(self, service: Service) -> None:
        pack = service.upload(FIRST.build()).body

        assert reupload(service, pack["id"], SECOND.build(), if_match='"1"').status == 200

    def test_if_match_refuses_any_other_revision(self, service: Service) -> None:
        pack = service.upload(FIRST.build()).body

        refused = reupload(service, pack["id"], SECOND.build(), if_match='"7"')

        assert (refused.status, refused.error["code"]) == (412, "precondition_failed")
        assert service.get(pack["id"]).body == pack

    @pytest.mark.parametrize(
        ("if_match", "status", "code"),
        [
            pytest.param(None, 409, "pack_modified", id="without If-Match"),
            pytest.param('"1"', 412, "precondition_failed", id="with the revision that was read"),
            pytest.param("*", 409, "pack_modified", id="with any revision"),
        ],
    )
    def test_of_two_concurrent_changes_the_later_is_refused_and_leaves_nothing(
        self, service: Service, if_match: str | None, status: int, code: str
    ) -> None:
        pack = service.upload(FIRST.build()).body
        other = replace(SECOND, version="3.0.0").build()
        overtaken = Overtaken(service, lambda: reupload(service, pack["id"], other))
        service.new_process(parts={"packs": overtaken})

        refused = reupload(service, pack["id"], SECOND.build(), if_match=if_match)
        service.settle()

        assert overtaken.by is not None
        assert overtaken.by.status == 200
        assert (refused.status, refused.error["code"]) == (status, code)
        assert service.get(pack["id"]).body == overtaken.by.body
        assert tags(service).keys() == {"1.4.0", "3.0.0"}


class Overtaken:
    """A pack store whose next change is overtaken by somebody else's."""

    def __init__(self, service: Service, overtake: Any) -> None:
        self._store = service.services.packs
        self._overtake = overtake
        self.by: Answer | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def change(self, *args: Any, **kwargs: Any) -> None:
        if self._overtake is not None:
            overtake, self._overtake = self._overtake, None
            self.by = overtake()
        self._store.change(*args, **kwargs)


class TestRefusals:
    @pytest.mark.parametrize(
        ("caller", "status", "code"),
        [
            pytest.param(None, 401, "unauthenticated", id="no caller"),
            pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
            pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="a lapsed tenant"),
        ],
    )
    def test_a_missing_write_scope_is_reported_first(
        self, service: Service, caller: Caller | None, status: int, code: str
    ) -> None:
        answer = reupload(service, UNKNOWN, b"not gzip", caller)

        assert (answer.status, answer.error["code"]) == (status, code)

    @pytest.mark.parametrize("visibility", ["org", "community"])
    def test_another_organisations_pack_is_as_good_as_none(self, service: Service, visibility: str) -> None:
        pack = service.upload(FIRST.build(), GLOBEX, visibility=visibility).body

        refused = reupload(service, pack["id"], SECOND.build())

        assert (refused.status, refused.error["code"]) == (404, "pack_not_found")
        assert service.get(pack["id"], GLOBEX).body == pack

    @pytest.mark.parametrize("pack_id", [UNKNOWN, "pack_1", "x"])
    def test_a_pack_that_is_not_there_is_404(self, service: Service, pack_id: str) -> None:
        assert reupload(service, pack_id, FIRST.build()).status == 404

    def test_a_bad_archive_is_reported_before_anything_about_the_pack(self, service: Service) -> None:
        assert reupload(service, UNKNOWN, PackArchive(version="one").build()).fields.keys() == {
            "pack.yaml:version"
        }

    def test_the_name_stays(self, service: Service) -> None:
        pack = service.upload(FIRST.build()).body

        refused = reupload(service, pack["id"], replace(SECOND, name="jira").build())

        assert refused.status == 400
        assert refused.fields.keys() == {"pack.yaml:name"}

    @pytest.mark.parametrize("origin", [ImageOrigin.CLONE, ImageOrigin.IMAGE_REF])
    def test_only_a_pack_that_was_uploaded_takes_an_archive(
        self, service: Service, origin: ImageOrigin
    ) -> None:
        pack = service.upload(FIRST.build()).body
        put_row(service, pack["id"], image_origin=origin, revision=2)

        refused = reupload(service, pack["id"], SECOND.build())

        assert refused.status == 400
        assert refused.fields.keys() == {"id"}

    @pytest.mark.parametrize(
        ("headers", "status", "field"),
        [
            pytest.param({"Content-Type": "application/json"}, 415, None, id="not a form"),
            pytest.param({"If-Match": "1"}, 400, "If-Match", id="If-Match without quotes"),
        ],
    )
    def test_a_request_of_the_wrong_shape_is_refused(
        self, service: Service, headers: dict[str, str], status: int, field: str | None
    ) -> None:
        body, form = multipart({"archive": FIRST.build()})
        request = Request(
            method="POST",
            resource="/packs/{id}/upload",
            path=f"/packs/{UNKNOWN}/upload",
            headers=form | headers,
            body=body,
            caller=ACME,
        )

        answer = service.request("reupload_pack", request)

        assert answer.status == status
        assert list(answer.fields) == ([field] if field else [])

    def test_visibility_is_not_a_part_of_this_form(self, service: Service) -> None:
        pack = service.upload(FIRST.build()).body

        assert reupload(service, pack["id"], SECOND.build(), visibility=b"community").fields.keys() == {
            "visibility"
        }

    def test_a_body_over_the_gateways_limit_is_413(self, service: Service) -> None:
        assert reupload(service, UNKNOWN, b"x" * 4_718_593).status == 413

    def test_a_registry_that_fails_leaves_the_pack_as_it_was(self, service: Service) -> None:
        pack = service.upload(FIRST.build()).body
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=503))

        answer = reupload(service, pack["id"], SECOND.build())

        assert (answer.status, answer.error["code"]) == (502, "registry_unavailable")
        assert service.get(pack["id"]).body == pack
        service.registry.moods.clear()
        service.settle()
        assert tags(service) == {"1.4.0": pack["image_digest"]}


def prepared(service: Service) -> str:
    """Return the id of a pack at revision 1, with nothing left to settle."""
    pack_id: str = service.upload(FIRST.build()).body["id"]
    service.settle()
    return pack_id


def points_of_a_reupload() -> Log:
    with running_service() as service:
        pack_id = prepared(service)
        log = Log()
        with service.wire.tapped(log):
            assert reupload(service, pack_id, SECOND.build()).status == 200
    return log


REUPLOAD = points_of_a_reupload()


def test_a_reupload_takes_these_steps_in_this_order() -> None:
    assert REUPLOAD.calls == [
        "sqs.SendMessage",
        "s3.PutObject",
        "dynamodb.GetItem",
        "dynamodb.UpdateItem",
        "s3.PutObject",
        "sqs.SendMessage",
        "registry",
        "dynamodb.TransactWriteItems",
        "registry",
    ]


def assert_only_what_the_history_names_is_kept(service: Service, pack_id: str) -> None:
    pack = service.get(pack_id).body
    digests = history_digests(service.services.packs, pack_id)
    repository = service.registry.shelves.repository(f"packs/{ACME.org_id}/slack")
    indexes = {digest for digest, kept in repository.manifests.items() if b'"manifests"' in kept.raw}
    assert indexes == digests
    assert repository.tags[pack["version"]] == pack["image_digest"]
    assert service.aws.staged() == []
    assert service.aws.queued() == []


def history_digests(packs: PackStore, pack_id: str) -> set[str]:
    pack = packs.get(pack_id)
    assert pack is not None
    return {digest for digest in KNOWN_DIGESTS if packs.uses_digest(pack_id, digest)}


def digests_of_both() -> set[Any]:
    with running_service() as service:
        pack = service.upload(FIRST.build()).body
        return {pack["image_digest"], reupload(service, pack["id"], SECOND.build()).body["image_digest"]}


KNOWN_DIGESTS = digests_of_both()


@pytest.mark.parametrize("moment", moments(REUPLOAD.passed))
def test_a_reupload_killed_at_any_moment_leaves_the_old_pack_or_the_new_one_and_a_retry_succeeds(
    moment: int,
) -> None:
    with running_service() as service:
        pack_id = prepared(service)
        crash = crash_at(moment, len(REUPLOAD.passed))
        with pytest.raises(Killed), service.wire.tapped(crash):
            reupload(service, pack_id, SECOND.build())
        service.new_process()

        service.settle()
        service.clock.advance(DEADLINE)
        assert_only_what_the_history_names_is_kept(service, pack_id)

        retried = reupload(service, pack_id, SECOND.build())
        assert (retried.status, retried.body["version"], retried.headers["ETag"]) == (200, "2.0.0", '"2"')
        service.settle()
        assert_only_what_the_history_names_is_kept(service, pack_id)
