"""GET /packs/{id}/revisions/{n}, through its real handler."""

from datetime import timedelta

import pytest
from tests.changes import change
from tests.gateway import Answer
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.tables import being_deleted

from packyard.store.keys import revision_key
from packyard.store.wire import to_wire
from packyard.tenants.caller import Caller


def read(service: Service, identity: str, number: object, caller: Caller = ACME) -> Answer:
    return service.send("list_revisions", "GET", f"/packs/{identity}/revisions/{number}", caller=caller)


@pytest.fixture
def pack(service: Service) -> str:
    """A pack of three revisions: made, shared, described otherwise."""
    identity: str = service.upload(PackArchive(version="1.0.0").build()).body["id"]
    service.clock.advance(timedelta(hours=1))
    assert service.update(identity, "community").status == 200
    service.clock.advance(timedelta(hours=1))
    manifest = b"name: slack\nversion: 1.1.0\ndescription: Chat.\n"
    assert change(service, identity, {"pack.yaml": manifest}).status == 200
    return identity


def test_a_revision_is_the_pack_as_it_was_with_what_the_history_says_of_it(
    service: Service, pack: str
) -> None:
    now = service.get(pack).body
    # That is of the present image; the statements about any are read by themselves.
    del now["attestations"]

    first, second, third = (read(service, pack, number) for number in (1, 2, 3))

    assert third.body == now | {
        "revision": 3,
        "operation": "changes",
        "status": "active",
        "actor": "key:acme",
    }
    assert first.body == {
        **{name: value for name, value in third.body.items() if name != "description"},
        **{name: second.body[name] for name in ("content_digest", "image_digest", "image_ref", "size_bytes")},
        "version": "1.0.0",
        "visibility": "org",
        "updated_at": now["created_at"],
        "revision": 1,
        "operation": "upload",
    }
    assert (second.body["visibility"], second.body["operation"]) == ("community", "update")
    assert "description" not in second.body


def test_others_see_the_revisions_since_the_pack_was_shared_without_who_wrote_them(
    service: Service, pack: str
) -> None:
    answers = [read(service, pack, number, GLOBEX) for number in (1, 2, 3)]

    assert [answer.status for answer in answers] == [404, 200, 200]
    assert answers[0].error["code"] == "revision_not_found"
    for answer in answers[1:]:
        assert answer.body["owned"] is False
        assert not {"actor", "org_id"} & answer.body.keys()


@pytest.mark.parametrize("number", [4, 99, 9_999_999_999])
def test_a_revision_that_never_was_is_404(service: Service, pack: str, number: int) -> None:
    answer = read(service, pack, number)

    assert (answer.status, answer.error["code"]) == (404, "revision_not_found")


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "one", "01" * 6, "%31", "\u0661"])
def test_what_is_no_number_is_refused_by_name(service: Service, pack: str, number: str) -> None:
    answer = read(service, pack, number)

    assert (answer.status, list(answer.fields)) == (400, ["n"])


@pytest.mark.parametrize("identity", [pack_id(404), "slack", "upl_1"])
def test_of_a_pack_that_is_not_there_no_revision_is(service: Service, identity: str) -> None:
    answer = read(service, identity, 1)

    assert (answer.status, answer.error["code"]) == (404, "pack_not_found")


def test_a_pack_that_is_being_deleted_still_has_its_revisions_and_a_deleted_one_has_none(
    service: Service, pack: str
) -> None:
    being_deleted(service, pack)
    assert read(service, pack, 1).status == 200

    service.clock.advance(timedelta(hours=1))
    assert service.delete(pack).status == 200

    assert read(service, pack, 1).error["code"] == "pack_not_found"


def test_a_revision_from_before_revisions_had_their_pack_says_which_can_be_read(
    service: Service, pack: str
) -> None:
    key = to_wire(revision_key(pack, 1))
    table = service.services.settings.table
    service.aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE image_ref")

    answer = read(service, pack, 1)

    assert (answer.status, list(answer.fields)) == (400, ["n"])
    assert "take 3, or a later one" in answer.fields["n"]
