"""Conditional reads and writes, and unknown query parameters, on the deployed template: what is on the wire."""

import pytest
from local.stack import StackDescription
from tests.e2e.client import Client, assert_refused


@pytest.fixture(scope="module")
def pack_id(acme: Client) -> str:
    acme.call("PUT", "/agent-roles/tagged/packs", json={"pack_ids": []})
    published: str = acme.published("tagged")["id"]
    # Its body changes once more, when its statements come.
    acme.attested(published)
    return published


@pytest.mark.parametrize(
    "path",
    [
        "/packs/{}",
        "/packs/{}/files",
        "/packs/{}/files/pack.yaml",
        "/packs/{}/revisions",
        "/packs?owned=true&limit=1",
        "/agent-roles/tagged/packs",
        "/openapi.json",
        "/docs",
    ],
)
def test_a_client_that_has_the_body_gets_304_without_one(acme: Client, pack_id: str, path: str) -> None:
    filled = path.format(pack_id)
    whole = acme.call("GET", filled)
    again = acme.call("GET", filled, headers={"if-none-match": f'"other", W/{whole.headers["ETag"]}'})

    assert (whole.status, again.status, again.body) == (200, 304, None)
    assert again.headers["X-Request-Id"] != whole.headers["X-Request-Id"]
    for name in ("ETag", "Cache-Control", "Content-Type"):
        assert again.headers[name] == whole.headers[name]


def test_a_role_changes_only_as_its_writer_has_seen_it(acme: Client, pack_id: str) -> None:
    path, body = "/agent-roles/conditional/packs", {"pack_ids": [pack_id]}

    first = acme.call("PUT", path, json={"pack_ids": []}, headers={"If-None-Match": "*"})
    second = acme.call("PUT", path, json=body, headers={"If-Match": first.headers["ETag"]})
    late = acme.call("PUT", path, json={"pack_ids": []}, headers={"If-Match": first.headers["ETag"]})

    assert [(reply.status, reply.headers["ETag"]) for reply in (first, second)] == [
        (200, '"1"'),
        (200, '"2"'),
    ]
    assert assert_refused(late, 412, "precondition_failed") == {"revision": 2}
    assert acme.call("PUT", path, json={"pack_ids": []}).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/packs?limit=1&limit=2"), ("DELETE", "/packs/{}?limit=1"), ("GET", "/docs?limit=1")],
)
def test_a_parameter_that_is_unknown_or_repeated_is_400(
    acme: Client, pack_id: str, method: str, path: str
) -> None:
    refused = acme.call(method, path.format(pack_id))

    assert assert_refused(refused, 400, "validation_error")["fields"].keys() == {"limit"}
    assert acme.call("GET", f"/packs/{pack_id}").status == 200


def test_an_unauthorized_caller_is_refused_before_anything_else(
    stack: StackDescription, pack_id: str
) -> None:
    stranger = Client.of(stack)

    for headers in ({"If-None-Match": "*"}, {}):
        assert_refused(stranger.call("GET", f"/packs/{pack_id}?x=1", headers=headers), 401, "unauthenticated")
