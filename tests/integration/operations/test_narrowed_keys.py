"""What a caller may do that is narrowed to one pack: that pack and nothing else, in every operation."""

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import pytest
from api.operations import OPERATIONS
from tests.changes import changes_form
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.staged_uploads import arrive, deliver, look, start

from packyard.http.caller import to_context

NARROWED: Final = replace(
    ACME,
    principal="key:narrow",
    pack_name="slack",
    scopes=frozenset({"caps:write", "keys:write", "policy:write"}),
)
# By function, and by route where it has several: a request about a pack. The functions that are not here refuse such
# callers altogether.
ABOUT_A_PACK: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "get_pack": ("GET", "", {}),
    "list_revisions": ("GET", "/revisions", {}),
    "list_revisions: one": ("GET", "/revisions/1", {}),
    "list_revisions: references": ("GET", "/references", {}),
    "get_diff": ("GET", "/diff", {"query": {"from": "1"}}),
    "list_files": ("GET", "/files", {}),
    "get_file": ("GET", "/files/pack.yaml", {}),
    "download_pack": ("GET", "/download", {}),
    "put_file": ("PUT", "/files/README.md", {"body": b"# New\n"}),
    "change_pack": ("POST", "/changes", {"form": changes_form({"LICENSE": b"free"}, ())}),
    "reupload_pack": ("POST", "/upload", {}),
    "replace_pack": ("PUT", "", {"json": {}}),
    "update_pack": ("PATCH", "", {"json": {"visibility": "community"}}),
    "delete_pack": ("DELETE", "", {}),
    "withdraw_revision": ("POST", "/revisions/1/withdrawal", {"json": {"reason": "It has a password."}}),
    "retention": ("PUT", "/retention", {"json": {"keep": 5}}),
    "pack_scan": ("GET", "/scan", {}),
    "list_attestations": ("GET", "/attestations", {}),
}
OTHERWISE: Final = {
    *("create_pack", "upload_pack", "list_packs", "clone_pack", "start_upload", "get_upload"),
    "keys",
    # Those of its pack (`test_trusted_publishers`).
    "trusted_publishers",
    # What it needs is another revision than the present one (`test_delete_revision`).
    "delete_revision",
}
REFUSING: Final = sorted(
    {operation.function for operation in OPERATIONS if operation.signed_in}
    - {case.partition(":")[0] for case in ABOUT_A_PACK}
    - OTHERWISE
)


@dataclass(frozen=True)
class Packs:
    """The packs that there are: two own ones and another organisation's community pack."""

    service: Service
    slack: str
    jira: str
    shared: str


@pytest.fixture
def packs(service: Service) -> Packs:
    def made(answer: Answer) -> str:
        assert answer.status == 201, answer.body
        pack_id: str = answer.body["id"]
        return pack_id

    return Packs(
        service,
        slack=made(service.upload(PackArchive(name="slack").build())),
        jira=made(service.upload(PackArchive(name="jira").build())),
        shared=made(service.upload(PackArchive(name="slack").build(), GLOBEX, visibility="community")),
    )


def ask(packs: Packs, case: str, pack_id: str, name: str) -> int:
    """Ask for something about a pack, and return the status."""
    method, tail, more = ABOUT_A_PACK[case]
    function = case.partition(":")[0]
    path = f"/packs/{pack_id}{tail}"
    headers: dict[str, str] = {}
    body: bytes | None = more.get("body")
    if function == "reupload_pack":
        body, headers = multipart({"archive": PackArchive(name=name, version="2.0.0").build()})
    elif function == "replace_pack":
        host = packs.service.registry.url.partition("://")[2]
        body = json.dumps({"image_ref": f"{host}/packs/{ACME.org_id}/{name}:1.4.0"}).encode()
        headers = {"Content-Type": "application/json"}
    elif "json" in more:
        body, headers = json.dumps(more["json"]).encode(), {"Content-Type": "application/json"}
    elif "form" in more:
        body, headers = more["form"]
    request = Request(
        method=method,
        resource=path,
        path=path,
        query=more.get("query", {}),
        headers=headers,
        body=body,
        caller=NARROWED,
    )
    status: int = packs.service.invoke(function, request.event())["statusCode"]
    return status


@pytest.mark.parametrize("case", ABOUT_A_PACK)
def test_its_own_pack_a_key_for_one_pack_may_use(packs: Packs, case: str) -> None:
    assert ask(packs, case, packs.slack, "slack") == 200


@pytest.mark.parametrize("case", ABOUT_A_PACK)
@pytest.mark.parametrize("which", ["jira", "shared"])
def test_every_other_pack_is_as_if_it_were_not_there(packs: Packs, case: str, which: str) -> None:
    before = packs.service.get(packs.jira).body, packs.service.get(packs.shared).body

    assert ask(packs, case, getattr(packs, which), which) == 404

    assert (packs.service.get(packs.jira).body, packs.service.get(packs.shared).body) == before


@pytest.mark.parametrize("function", REFUSING)
def test_what_concerns_more_than_one_pack_is_refused(packs: Packs, function: str) -> None:
    operation = next(one for one in OPERATIONS if one.function == function)
    path = operation.path.replace("{id}", packs.slack)

    request = Request(method=operation.method.upper(), resource=path, path=path, caller=NARROWED)
    answer = packs.service.invoke(function, request.event())

    assert answer["statusCode"] == 403
    assert "for the pack slack only" in answer["body"]


def test_roles_are_among_what_is_refused() -> None:
    assert {"get_role_packs", "set_role_packs"} <= set(REFUSING)


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({}, True),
        ({"owned": "true"}, True),
        ({"q": "sla"}, True),
        ({"q": "slack"}, True),
        ({"name": "slack"}, True),
        ({"name": "slack-two"}, False),
        ({"search": "sla"}, True),
        ({"search": "slack two"}, False),
        ({"tier": "community"}, True),
        ({"limit": "1"}, True),
        ({"owned": "false"}, False),
        ({"q": "jira"}, False),
        ({"category": "chat"}, False),
    ],
)
def test_the_list_has_that_pack_and_no_other(packs: Packs, query: dict[str, str], listed: bool) -> None:
    packs.service.upload(PackArchive(name="slack-two").build())

    answer = packs.service.list_packs(NARROWED, **query)

    assert [pack["id"] for pack in answer.body["packs"]] == ([packs.slack] if listed else [])
    assert "next_cursor" not in answer.body


def test_a_pack_of_that_name_is_made_and_no_other(service: Service) -> None:
    refused = service.upload(PackArchive(name="jira").build(), NARROWED)

    assert refused.status == 403
    assert "this is the pack jira" in refused.error["message"]
    assert service.images() == {}
    assert service.upload(PackArchive(name="slack").build(), NARROWED).status == 201


@pytest.mark.parametrize("onto", [None, "slack"])
def test_of_a_large_archive_of_another_name_nothing_is_sent_to_the_registry(
    packs: Packs, onto: str | None
) -> None:
    noise = Random(1).randbytes(9 << 20)  # noqa: S311 - content that does not shrink
    fields: dict[str, Any] = {} if onto is None else {"pack_id": packs.slack}
    upload_id = start(packs.service, NARROWED, **fields).body["upload_id"]
    packs.service.registry.requests.clear()

    archive = PackArchive(name="other", files={"data/noise": noise}).build()
    deliver(packs.service, arrive(packs.service, upload_id, archive))

    assert look(packs.service, upload_id, NARROWED).body["error"]["code"] == "permission_denied"
    assert packs.service.registry.requests == []


def test_an_image_of_another_pack_is_not_read(packs: Packs) -> None:
    host = packs.service.registry.url.partition("://")[2]
    packs.service.registry.requests.clear()

    body = {"image_ref": f"{host}/packs/{ACME.org_id}/jira:1.4.0"}
    answer = packs.service.send("create_pack", "POST", "/packs", caller=NARROWED, json=body)

    assert answer.status == 400
    assert "which goes with the name slack" in answer.fields["image_ref"]
    assert packs.service.registry.requests == []


@pytest.mark.parametrize(
    ("source", "name", "status"),
    [("slack", "other", 403), ("slack", "slack", 409), ("jira", "slack", 404), ("shared", "slack", 404)],
)
def test_a_clone_would_be_another_pack(packs: Packs, source: str, name: str, status: int) -> None:
    assert packs.service.clone(getattr(packs, source), NARROWED, name=name).status == status


# -- staged uploads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("slack", "done"), ("jira", "failed")])
def test_a_staged_archive_is_held_to_the_pack_of_the_key_that_started_it(
    service: Service, name: str, status: str
) -> None:
    upload_id = start(service, NARROWED).body["upload_id"]

    deliver(service, arrive(service, upload_id, PackArchive(name=name).build()))

    upload = look(service, upload_id, NARROWED).body
    assert upload["status"] == status
    assert upload.get("error", {}).get("code") == (None if status == "done" else "permission_denied")


def test_an_upload_for_another_pack_is_not_started(packs: Packs) -> None:
    assert start(packs.service, NARROWED, pack_id=packs.jira).status == 404
    assert start(packs.service, NARROWED, pack_id=packs.slack).status == 201


def test_uploads_of_others_are_not_shown(service: Service) -> None:
    colleague = start(service).body["upload_id"]
    other_pack = start(service, replace(NARROWED, pack_name="jira")).body["upload_id"]
    own = start(service, NARROWED).body["upload_id"]

    assert look(service, colleague, NARROWED).status == 404
    assert look(service, other_pack, NARROWED).status == 404
    assert look(service, own, NARROWED).status == 200
    assert look(service, own, ACME).status == 200


def test_an_answer_to_somebody_else_is_not_repeated_to_a_key_for_one_pack(service: Service) -> None:
    body, headers = multipart({"archive": PackArchive(name="jira").build()})

    def upload(caller: Any) -> int:
        request = Request(
            method="POST",
            resource="/packs/upload",
            headers=headers | {"Idempotency-Key": "k1"},
            body=body,
            caller=caller,
        )
        return service.request("upload_pack", request).status

    assert upload(ACME) == 201
    assert upload(NARROWED) == 403


def test_a_function_of_an_earlier_release_finds_no_scopes_of_such_a_caller() -> None:
    assert "scopes" not in to_context(NARROWED)
    assert "scopes" in to_context(ACME)
