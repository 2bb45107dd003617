"""GET /packs/{id}, through its real handler."""

import pytest
from tests.gateway import Request
from tests.service import ACME, GLOBEX, PackArchive, Service


def test_a_pack_reads_back_as_it_was_answered_when_made(service: Service) -> None:
    made = service.upload(PackArchive().build())

    read = service.get(made.body["id"])

    assert (read.status, read.body) == (200, made.body)
    assert read.headers["ETag"] == made.headers["ETag"]


def counted_calls(service: Service) -> list[str]:
    calls: list[str] = []
    service.aws.dynamodb.meta.events.register(
        "before-call", lambda model, **_: calls.append(model.name), unique_id="count"
    )
    return calls


@pytest.mark.parametrize(
    "pack_id",
    [
        pytest.param("pack_01HZ0000000000000000009999", id="never was"),
        pytest.param("slack", id="not an id"),
        pytest.param("pack_" + "A" * 3000, id="longer than any id, and than a key may be"),
        pytest.param("pack_%00", id="a control character"),
        pytest.param("päck", id="not ASCII"),
    ],
)
def test_what_is_not_there_is_404(service: Service, pack_id: str) -> None:
    answer = service.get(pack_id)

    assert (answer.status, answer.error["code"]) == (404, "pack_not_found")


def test_what_cannot_be_an_id_is_not_looked_for(service: Service) -> None:
    calls = counted_calls(service)

    service.get("pack_" + "A" * 3000)

    assert calls == []


def test_another_organisations_pack_looks_like_an_absent_one(service: Service) -> None:
    theirs = service.upload(PackArchive().build(), GLOBEX).body["id"]

    hidden = service.get(theirs)
    absent = service.get("pack_01HZ0000000000000000009999")

    assert hidden.status == absent.status == 404
    assert hidden.error | {"request_id": ""} == absent.error | {"request_id": ""}


def test_a_read_makes_one_aws_call(service: Service) -> None:
    pack_id = service.upload(PackArchive().build()).body["id"]
    calls = counted_calls(service)

    service.get(pack_id)

    assert calls == ["GetItem"]


def test_no_caller_is_401(service: Service) -> None:
    request = Request(method="GET", resource="/packs/{id}", path="/packs/pack_1")

    assert service.request("get_pack", request).status == 401


def test_the_base_path_of_a_custom_domain_changes_nothing(service: Service) -> None:
    pack_id = service.upload(PackArchive().build()).body["id"]
    request = Request(method="GET", resource="/packs/{id}", path=f"/v1/packs/{pack_id}", caller=ACME)

    assert service.request("get_pack", request).status == 200


def test_a_path_of_another_operation_is_route_not_found(service: Service) -> None:
    request = Request(method="GET", resource="/nowhere", path="/nowhere", caller=ACME)

    answer = service.request("get_pack", request)

    assert (answer.status, answer.error["code"]) == (404, "route_not_found")
