"""No operation passes over a query parameter that it does not know (API contract, section 1)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.documented import DOCUMENT, is_of_another_protocol
from tests.engine.taps import Log
from tests.functions import function_of
from tests.gateway import Answer, Request
from tests.operator_view import OPERATOR
from tests.service import ACME, PackArchive, Service, running_service
from tests.tables import row_of

from packyard.tenants.caller import Caller

OPERATIONS = [
    pytest.param(method.upper(), path, details, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT()["paths"].items()
    for method, details in methods.items()
    if not is_of_another_protocol(path)
]
EACH = pytest.mark.parametrize(("method", "path", "details"), OPERATIONS)
PACK = "pack_01HZ0000000000000000009999"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


def ask(
    service: Service,
    method: str,
    path: str,
    query: dict[str, str | list[str]],
    caller: Caller | None = OPERATOR,
) -> Answer:
    """Send a request without a body to the function that the document names."""
    filled = path
    for name, value in {
        "id": PACK,
        "path": "a.md",
        "upload_id": "upl_x",
        "role_id": "support",
        "n": "1",
        "org": "acme",
    }.items():
        filled = filled.replace(f"{{{name}}}", value)
    operation: dict[str, Any] = DOCUMENT()["paths"][path][method.lower()]
    function = function_of(operation["operationId"])
    return service.request(
        function, Request(method=method, resource=path, path=filled, query=query, caller=caller)
    )


@EACH
def test_an_unknown_parameter_is_400_by_its_name_without_any_call(
    service: Service, method: str, path: str, details: dict[str, Any]
) -> None:
    log = Log()
    with service.wire.tapped(log):
        answer = ask(service, method, path, {"version": "1"})

    assert (answer.status, answer.error["code"]) == (400, "validation_error"), details["summary"]
    assert list(answer.fields) == ["version"]
    assert log.calls == []


@EACH
def test_a_documented_parameter_is_known_and_taken_once(
    service: Service, method: str, path: str, details: dict[str, Any]
) -> None:
    for parameter in details.get("parameters", []):
        if parameter["in"] == "query":
            once = ask(service, method, path, {parameter["name"]: ""})
            twice = ask(service, method, path, {parameter["name"]: ["", ""]})
            assert "is not a query parameter" not in str(once.body)
            assert twice.fields == {parameter["name"]: "is given 2 times; it takes one value"}


@EACH
def test_authorization_is_checked_before_the_parameters(
    service: Service, method: str, path: str, details: dict[str, Any]
) -> None:
    if details.get("security") == []:
        return
    query: dict[str, str | list[str]] = {"version": "1"}

    assert ask(service, method, path, query, caller=None).status == 401
    if "x-scope" in details:
        reads_only = replace(ACME, scopes=frozenset())
        assert ask(service, method, path, query, reads_only).status == 403
        lapsed = ask(service, method, path, query, replace(OPERATOR, may_create=False))
        assert lapsed.status == (423 if "423" in details["responses"] else 400)


def test_a_deletion_of_one_version_deletes_nothing(service: Service) -> None:
    pack_id = service.upload(PackArchive().build()).body["id"]

    answer = service.send(
        "delete_pack", "DELETE", f"/packs/{pack_id}", query={"version": "1.4.0", "force": "true"}
    )

    assert answer.status == 400
    assert answer.fields.keys() == {"version", "force"}
    assert row_of(service, pack_id)["status"] == "active"
