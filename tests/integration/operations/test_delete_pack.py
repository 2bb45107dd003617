"""DELETE /packs/{id}, through its real handler."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.aws import TABLE
from tests.fake_registry.moods import Meanwhile, Refuses
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service

from packyard.operations.delete import PURGE_LEASE
from packyard.packs.pack import ImageOrigin
from packyard.store.keys import pack_key, pack_partition, reference_key
from packyard.store.pack_items import to_item
from packyard.store.table import Put, Query, Update

ARCHIVE = PackArchive().build()
OTHER_VERSION = PackArchive(version="2.0.0").build()
NOBODY = "pack_01HZ0000000000000000009999"


def row(service: Service, pack_id: str) -> dict[str, Any]:
    item = service.services.table.get(pack_key(pack_id))
    assert item is not None
    return item


def history(service: Service, pack_id: str) -> list[dict[str, Any]]:
    query = Query(
        condition="PK = :pack AND begins_with(SK, :rev)",
        values={":pack": pack_partition(pack_id), ":rev": "REV#"},
    )
    return service.services.table.query(query).items


def reference(service: Service, pack_id: str, role_id: str, *, org_id: str = ACME.org_id) -> None:
    """Let a role reference a pack, as the store keeps that."""
    counter = "own_refs" if org_id == ACME.org_id else "foreign_refs"
    table = service.services.table
    key = reference_key(pack_id, org_id, role_id)
    table.put(Put(item={**key}, condition="attribute_not_exists(PK)"))
    table.update(
        Update(
            key=pack_key(pack_id),
            change=f"SET {counter} = if_not_exists({counter}, :zero) + :one",
            condition="attribute_exists(PK)",
            values={":zero": 0, ":one": 1},
        )
    )


def reupload(service: Service, pack_id: str, archive: bytes) -> Answer:
    body, headers = multipart({"archive": archive})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return service.request("reupload_pack", request)


class TestWhatIsGone:
    def test_the_pack_its_images_and_its_name_go(self, service: Service) -> None:
        pack = service.upload(ARCHIVE).body

        answer = service.delete(pack["id"])

        assert (answer.status, answer.body) == (200, {"status": "deleted"})
        assert service.get(pack["id"]).status == 404
        assert service.list_packs().body["packs"] == []
        assert service.images() == {}
        assert service.upload(OTHER_VERSION).status == 201

    def test_the_next_pack_of_the_name_has_another_id(self, service: Service) -> None:
        first = service.upload(ARCHIVE).body["id"]
        service.delete(first)

        second = service.upload(ARCHIVE)

        assert (second.status, second.body["id"] == first) == (201, False)
        assert service.get(first).status == 404
        service.settle()
        assert service.images()[f"packs/{ACME.org_id}/slack"] >= {second.body["image_digest"]}

    def test_a_community_pack_is_gone_for_everyone(self, service: Service) -> None:
        pack = service.upload(ARCHIVE, visibility="community").body
        assert service.get(pack["id"], GLOBEX).status == 200

        service.delete(pack["id"])

        assert service.get(pack["id"], GLOBEX).status == 404
        assert service.list_packs(GLOBEX).body["packs"] == []

    def test_its_namesake_of_another_organisation_stays(self, service: Service) -> None:
        ours, theirs = service.upload(ARCHIVE).body, service.upload(ARCHIVE, GLOBEX).body

        service.delete(ours["id"])

        assert service.get(theirs["id"], GLOBEX).status == 200
        assert theirs["image_digest"] in service.images()[f"packs/{GLOBEX.org_id}/slack"]

    def test_the_row_stays_for_a_month_and_the_history_for_good(self, service: Service) -> None:
        pack = service.upload(ARCHIVE).body

        service.delete(pack["id"])

        buried = row(service, pack["id"])
        assert (buried["status"], buried["revision"]) == ("deleted", 2)
        assert buried["expires_at"] == (service.clock() + timedelta(days=30)).timestamp()
        assert not [name for name in buried if name.startswith("GSI")]
        assert [(entry["revision"], entry["operation"]) for entry in history(service, pack["id"])] == [
            (1, "upload"),
            (2, "delete"),
        ]
        assert not [entry for entry in history(service, pack["id"]) if "expires_at" in entry]

    def test_the_image_behind_a_reference_is_not_ours_to_delete(self, service: Service) -> None:
        made = service.upload(ARCHIVE).body
        pack = service.services.packs.get(made["id"])
        assert pack is not None
        referring = replace(pack, image_origin=ImageOrigin.IMAGE_REF)
        service.aws.dynamodb.delete_item(
            TableName=TABLE, Key={"PK": {"S": pack_partition(pack.id)}, "SK": {"S": "PACK"}}
        )
        service.services.table.put(Put(item=to_item(referring), condition="attribute_not_exists(PK)"))
        service.registry.requests.clear()

        assert service.delete(made["id"]).status == 200

        assert service.registry.requests == []
        assert service.get(made["id"]).status == 404
        assert service.upload(OTHER_VERSION).status == 201


class TestRepeats:
    def test_a_repeat_confirms(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        answers = [service.delete(pack_id) for _ in range(3)]

        assert [(answer.status, answer.body) for answer in answers] == [(200, {"status": "deleted"})] * 3
        assert len(history(service, pack_id)) == 2

    def test_a_repeat_with_the_revision_that_was_deleted_confirms(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        assert service.delete(pack_id, if_match='"1"').status == 200
        assert service.delete(pack_id, if_match='"1"').status == 200

    def test_a_repeat_does_not_touch_the_next_pack_of_the_name(self, service: Service) -> None:
        first = service.upload(ARCHIVE).body["id"]
        service.delete(first)
        second = service.upload(ARCHIVE).body

        assert service.delete(first).status == 200
        service.settle()

        assert service.get(second["id"]).status == 200
        assert second["image_digest"] in service.images()[f"packs/{ACME.org_id}/slack"]

    def test_another_organisation_is_not_told_of_a_pack_that_was(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE, visibility="community").body["id"]
        service.delete(pack_id)

        assert service.delete(pack_id, GLOBEX).status == 404


class TestRefusals:
    @pytest.mark.parametrize(
        "pack_id",
        [
            pytest.param(NOBODY, id="never was"),
            pytest.param("slack", id="not an id"),
            pytest.param("pack_" + "A" * 3000, id="longer than any id"),
        ],
    )
    def test_what_is_not_there_is_404(self, service: Service, pack_id: str) -> None:
        answer = service.delete(pack_id)

        assert (answer.status, answer.error["code"]) == (404, "pack_not_found")

    @pytest.mark.parametrize("visibility", ["org", "community"])
    def test_someone_else_s_pack_is_404_seen_or_not(self, service: Service, visibility: str) -> None:
        pack = service.upload(ARCHIVE, GLOBEX, visibility=visibility).body

        answer = service.delete(pack["id"])

        assert (answer.status, answer.error["code"]) == (404, "pack_not_found")
        service.settle()
        assert service.get(pack["id"], GLOBEX).status == 200
        assert pack["image_digest"] in service.images()[f"packs/{GLOBEX.org_id}/slack"]

    def test_a_pack_in_use_is_409_with_our_roles_and_the_number_of_others(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE, visibility="community").body["id"]
        for role in ("writer", "editor"):
            reference(service, pack_id, role)
        reference(service, pack_id, "secret-role", org_id=GLOBEX.org_id)

        answer = service.delete(pack_id)

        assert (answer.status, answer.error["code"]) == (409, "pack_in_use")
        assert answer.error["details"] == {
            "references": {"role_ids": ["editor", "writer"], "other_organisations": 1}
        }
        service.settle()
        assert service.get(pack_id).status == 200

    def test_a_pack_that_only_others_use_is_409(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE, visibility="community").body["id"]
        reference(service, pack_id, "theirs", org_id=GLOBEX.org_id)

        answer = service.delete(pack_id)

        assert answer.status == 409
        assert answer.error["details"]["references"] == {"role_ids": [], "other_organisations": 1}

    def test_only_the_first_of_many_roles_are_named(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]
        for number in range(25):
            reference(service, pack_id, f"role-{number:02d}")

        roles = service.delete(pack_id).error["details"]["references"]["role_ids"]

        assert roles == [f"role-{number:02d}" for number in range(20)]

    @pytest.mark.parametrize("if_match", ['"2"', '"0"', 'W/"1"', '"01"', '"one"', '"5", "6"'])
    def test_another_revision_is_412(self, service: Service, if_match: str) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        answer = service.delete(pack_id, if_match=if_match)

        assert (answer.status, answer.error["code"]) == (412, "precondition_failed")
        service.settle()
        assert service.get(pack_id).status == 200

    @pytest.mark.parametrize(
        "if_match",
        [
            '"1"',
            '"1@attested"',
            '"1@withdrawn.attested"',
            "*",
            '"7", "1"',
            ", ".join(f'"{n}"' for n in range(150, 0, -1)),
        ],
    )
    def test_the_current_revision_passes(self, service: Service, if_match: str) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        assert service.delete(pack_id, if_match=if_match).status == 200

    def test_a_condition_that_is_none_is_400(self, service: Service) -> None:
        answer = service.delete(service.upload(ARCHIVE).body["id"], if_match="1")

        assert (answer.status, list(answer.fields)) == (400, ["If-Match"])

    def test_without_the_scope_it_is_403(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        answer = service.delete(pack_id, replace(ACME, scopes=frozenset()))

        assert (answer.status, answer.error["code"]) == (403, "permission_denied")

    def test_an_organisation_that_has_not_paid_may_still_delete(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]

        assert service.delete(pack_id, replace(ACME, may_create=False)).status == 200

    def test_no_caller_is_401(self, service: Service) -> None:
        request = Request(method="DELETE", resource="/packs/{id}", path=f"/packs/{NOBODY}")

        assert service.request("delete_pack", request).status == 401


class TestARegistryThatFails:
    @pytest.fixture
    def stuck(self, service: Service) -> str:
        """A pack whose images the registry would not let go of."""
        pack_id: str = service.upload(ARCHIVE).body["id"]
        service.registry.moods.append(Refuses(method="DELETE", status=503))
        answer = service.delete(pack_id)
        assert (answer.status, answer.error["code"]) == (502, "registry_cleanup_failed")
        return pack_id

    def test_the_row_and_the_name_stay(self, service: Service, stuck: str) -> None:
        assert service.get(stuck).status == 200
        assert row(service, stuck)["status"] == "deleting"
        assert service.upload(OTHER_VERSION).error["code"] == "pack_name_taken"
        assert [entry["operation"] for entry in history(service, stuck)] == ["upload"]

    def test_nothing_of_it_can_be_changed(self, service: Service, stuck: str) -> None:
        answer = service.update(stuck, "community")

        assert (answer.status, answer.error["code"]) == (409, "pack_deleting")

    def test_uploading_it_again_is_a_conflict_and_no_repeat(self, service: Service, stuck: str) -> None:
        answer = service.upload(ARCHIVE)

        assert (answer.status, answer.error["details"]) == (409, {"pack_id": stuck})

    def test_the_operator_s_repeat_finishes_once_the_registry_works(
        self, service: Service, stuck: str
    ) -> None:
        assert service.delete(stuck).status == 502
        service.registry.moods.clear()

        assert service.delete(stuck, if_match='"1"').status == 200

        assert service.images() == {}
        assert service.get(stuck).status == 404
        # What the registry did not answer properly it may yet carry out; the name waits for that.
        assert service.upload(ARCHIVE).status == 503
        service.clock.advance(PURGE_LEASE + timedelta(seconds=1))
        assert service.upload(ARCHIVE).status == 201

    def test_the_operator_s_repeat_confirms_what_the_background_has_finished(
        self, service: Service, stuck: str
    ) -> None:
        service.registry.moods.clear()
        service.settle()
        assert service.get(stuck).status == 404

        assert service.delete(stuck).status == 200

    def test_the_history_says_who_asked_first_and_when(self, service: Service, stuck: str) -> None:
        asked_at = "2026-03-01T12:00:00.000Z"
        service.registry.moods.clear()
        service.clock.advance(timedelta(hours=3))

        service.delete(stuck, replace(ACME, principal="key:another"))

        (entry,) = history(service, stuck)[1:]
        assert (entry["actor"], entry["at"]) == (ACME.principal, asked_at)

    def test_a_purge_that_takes_too_long_is_left_for_the_next_attempt(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]
        for version in ("1.5.0", "1.6.0"):
            assert reupload(service, pack_id, PackArchive(version=version).build()).status == 200
        service.time_passes()
        takes = Meanwhile(act=lambda: service.clock.advance(timedelta(seconds=7)), method="DELETE")
        service.registry.moods.append(takes)

        answers = [service.delete(pack_id).status for _ in range(3)]

        assert answers == [502, 502, 200]
        assert service.images() == {}

    def test_what_it_says_holds_no_secret(self, service: Service, stuck: str) -> None:
        answer = service.delete(stuck)

        assert answer.error.keys() == {"code", "message", "request_id"}
        assert "packs/" not in answer.error["message"]


class TestCost:
    def test_a_deletion_makes_these_calls(self, service: Service) -> None:
        pack_id = service.upload(ARCHIVE).body["id"]
        calls: list[str] = []
        for client in (service.aws.dynamodb, service.aws.sqs):
            client.meta.events.register(
                "before-call", lambda model, **_: calls.append(model.name), unique_id="count"
            )

        service.delete(pack_id)

        assert calls == [
            *("SendMessage", "UpdateItem", "UpdateItem"),
            # The images that there were, their statements, what was found in them, and what doors had of them.
            *("Query", "Query", "Query", "Query"),
            "TransactWriteItems",
        ]
