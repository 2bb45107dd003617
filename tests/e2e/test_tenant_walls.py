"""A cross-section of the walls between organisations, through the deployed template: gateway, authorizer, functions.

All of them, with every place and every kind of thing: `tests/reliability/test_tenant_walls.py`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from local.stack import StackDescription
from tests.documented import DOCUMENT
from tests.e2e.client import Client, Reply, without_states
from tests.issuer import segment
from tests.reliability import tally
from tests.service import PackArchive

HUSH = "hush-e2e"
NOBODYS = {
    "id": "pack_01HZ9000000000000000000000",
    "upload_id": "upl_01HZ9000000000000000000000",
    "role_id": "none-e2e",
    "org": "none-e2e",
}
SIGNED_IN = [
    (method.upper(), path)
    for path, methods in DOCUMENT()["paths"].items()
    for method, details in methods.items()
    if details.get("security") != []
]
CREDENTIALS = {
    "none": None,
    "a key that nobody has": f"Bearer sk_{'x' * 43}",
    "a token that nobody signed": f"Bearer {segment(json.dumps({'alg': 'none'}))}.{segment('{}')}.",
}


@dataclass(frozen=True)
class Asked:
    """A request to an operation, with ids of another organisation or with ids that do not exist."""

    method: str
    path: str
    more: dict[str, Any]

    def of(self, client: Client, ids: dict[str, str]) -> Reply:
        path = self.path.replace("{path}", "guides/post.md").replace("{n}", "1")
        path += "?from=1" if path.endswith("/diff") else ""
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", value)
        return client.call(self.method, path, **self.more)


@pytest.fixture(scope="module")
def theirs(stack: StackDescription) -> Iterator[dict[str, str]]:
    """The ids of the neighbour's things."""
    neighbour = Client.of(stack, "acme")
    pack = neighbour.upload(PackArchive(name=HUSH).build())
    upload = neighbour.call("POST", "/packs/uploads", json={})
    role = neighbour.call("PUT", f"/agent-roles/{HUSH}/packs", json={"pack_ids": [pack.body["id"]]})
    assert (pack.status, upload.status, role.status) == (201, 201, 200)
    yield {"id": pack.body["id"], "upload_id": upload.body["upload_id"], "role_id": HUSH, "org": "acme"}
    assert neighbour.call("GET", f"/agent-roles/{HUSH}/packs").body["pack_ids"] == [pack.body["id"]]
    read = neighbour.call("GET", f"/packs/{pack.body['id']}").body
    assert without_states(read) == without_states(pack.body)


def asked(method: str, path: str) -> Asked:
    content = DOCUMENT()["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        form = {"archive": ("pack.tar.gz", PackArchive(name="walls").build(), "application/gzip")}
        return Asked(method, path, {"fields": form})
    if "application/json" in content:
        bodies: dict[str, Any] = {
            "/agent-roles/{role_id}/packs": {"pack_ids": []},
            "/packs/{id}/clone": {"name": "walls-copy"},
        }
        return Asked(method, path, {"json": bodies.get(path, content["application/json"].get("example", {}))})
    return Asked(method, path, {"body": b"content"} if content else {})


def shape(reply: Reply) -> tuple[int, Any, list[str]]:
    body = json.loads(json.dumps(reply.body).replace(HUSH, "<named>").replace(NOBODYS["role_id"], "<named>"))
    if isinstance(body, dict) and "error" in body:
        body["error"]["request_id"] = ""
    return reply.status, body, sorted(name.lower() for name in reply.headers)


@pytest.mark.parametrize(("method", "path"), [one for one in SIGNED_IN if "{" in one[1]], ids=str)
@pytest.mark.parametrize("permission_set", ["full_access", "read_only"])
def test_what_is_a_neighbour_s_is_as_what_is_not_there(
    stack: StackDescription, theirs: dict[str, str], permission_set: str, method: str, path: str
) -> None:
    client = Client.of(stack, "globex", permission_set)

    of_theirs, of_nobodys = (asked(method, path).of(client, ids) for ids in (theirs, NOBODYS))

    tally.count("isolation cases")
    assert shape(of_theirs) == shape(of_nobodys)
    # A role is one's own, whatever others call theirs.
    assert of_theirs.status in {403, 404} or "role_id" in path


@pytest.mark.parametrize(("method", "path"), SIGNED_IN, ids=str)
def test_without_a_valid_credential_no_answer_reveals_anything(
    stack: StackDescription, theirs: dict[str, str], method: str, path: str
) -> None:
    stranger = Client.of(stack)
    shapes = [shape(asked(method, path).of(stranger, NOBODYS))]
    for authorization in CREDENTIALS.values():
        more = asked(method, path)
        headers = {"Authorization": authorization} if authorization else {}
        with_headers = replace(more, more={**more.more, "headers": headers})
        shapes.append(shape(with_headers.of(stranger, theirs)))
        tally.count("isolation cases")

    assert {status for status, _, _ in shapes} == {401}
    assert len({json.dumps(body) for _, body, _ in shapes}) == 1
