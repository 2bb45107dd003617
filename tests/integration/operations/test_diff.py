"""GET /packs/{id}/diff, through its real handler."""

import gzip
import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.aws import BUCKET
from tests.changes import archive_of, change
from tests.engine.taps import Log
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.store.keys import pack_key, revision_key
from packyard.store.wire import to_wire
from packyard.tenants.caller import Caller

FIRST = {"guides/a.md": b"# A\n", "guides/b.md": b"# B\n", "scripts/run.sh": b"#!/bin/sh\n"}


def diff(service: Service, identity: str, caller: Caller = ACME, /, **query: object) -> Answer:
    texts = {name.rstrip("_"): str(value) for name, value in query.items()}
    return service.send("get_diff", "GET", f"/packs/{identity}/diff", caller=caller, query=texts)


def raw_diff(service: Service, identity: str, **query: str) -> Any:
    path = f"/packs/{identity}/diff"
    texts = {name.rstrip("_"): value for name, value in query.items()}
    request = Request(method="GET", resource=path, path=path, query=texts, caller=ACME)
    return service.invoke("get_diff", request.event())


def made(answer: Answer) -> str:
    assert answer.status in (200, 201), answer.body
    identity: str = answer.body["id"]
    return identity


def manifest(version: str, more: str = "") -> bytes:
    return f"name: slack\nversion: {version}\n{more}".encode()


def capabilities(*hosts: str) -> str:
    return f"capabilities: [{{name: api, type: http, allow: [{{domains: {list(hosts)}, methods: [GET]}}]}}]\n"


@pytest.fixture
def pack(service: Service) -> str:
    return made(service.upload(PackArchive(version="1.0.0", files=FIRST).build()))


def state(content: bytes, mode: str = "0644") -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"size": len(content), "mode": mode, "digest": digest}


def test_files_manifest_and_capabilities_are_compared(service: Service, pack: str) -> None:
    new = manifest("2.0.0", capabilities("a.test"))
    files = {"pack.yaml": new, "guides/a.md": b"# Other\n", "data/c.csv": b"c\n"}
    made(change(service, pack, files, ["guides/b.md"]))

    answer = diff(service, pack, from_=1, to=2)

    rule = {"name": "api", "type": "http", "domains": ["a.test"], "methods": ["GET"], "paths": ["/**"]}
    assert answer.body == {
        "from": 1,
        "to": 2,
        "files": {
            "added": [{"path": "data/c.csv", **state(b"c\n")}],
            "removed": [{"path": "guides/b.md", **state(b"# B\n")}],
            "changed": [
                {"path": "guides/a.md", "from": state(b"# A\n"), "to": state(b"# Other\n")},
                {"path": "pack.yaml", "from": state(manifest("1.0.0")), "to": state(new)},
            ],
        },
        "manifest": ["version", "capabilities"],
        "capabilities": {
            "widened": True,
            "added": [rule],
            "removed": [],
            "example": "GET https://a.test/",
        },
        "bump": "major",
    }


def test_the_other_way_round_what_came_has_gone(service: Service, pack: str) -> None:
    made(change(service, pack, {"data/c.csv": b"c\n"}, ["guides/b.md"]))

    there, back = diff(service, pack, from_=1, to=2).body, diff(service, pack, from_=2, to=1).body

    assert back["files"]["added"] == there["files"]["removed"] != []
    assert back["files"]["removed"] == there["files"]["added"] != []


@pytest.mark.parametrize(
    ("files", "deleted", "bump"),
    [
        pytest.param({"guides/a.md": b"# Other\n"}, [], "patch", id="a file changed"),
        pytest.param({"guides/c.md": b"# C\n"}, [], "minor", id="a file added"),
        pytest.param({}, ["guides/a.md"], "major", id="a file removed"),
        pytest.param({"guides/c.md": b"# A\n"}, ["guides/a.md"], "major", id="a file moved"),
        pytest.param({"pack.yaml": manifest("1.0.1")}, [], "patch", id="the version alone"),
        pytest.param(
            {"pack.yaml": manifest("1.0.0", capabilities("a.test"))}, [], "major", id="wider capabilities"
        ),
    ],
)
def test_the_least_step_of_the_version_follows_from_what_differs(
    service: Service, pack: str, files: dict[str, bytes], deleted: list[str], bump: str
) -> None:
    made(change(service, pack, files or None, deleted))

    assert diff(service, pack, from_=1, to=2).body["bump"] == bump


def test_narrower_capabilities_are_a_patch(service: Service, pack: str) -> None:
    made(change(service, pack, {"pack.yaml": manifest("1.0.0", capabilities("a.test", "b.test"))}))
    made(change(service, pack, {"pack.yaml": manifest("1.0.0", capabilities("b.test"))}))

    answer = diff(service, pack, from_=2, to=3).body

    assert (answer["bump"], answer["capabilities"]["widened"]) == ("patch", False)
    assert [rule["domains"] for rule in answer["capabilities"]["removed"]] == [["a.test", "b.test"]]


def test_a_mode_alone_is_a_change(service: Service, pack: str) -> None:
    made(change(service, pack, archive_of({"scripts/run.sh": FIRST["scripts/run.sh"]}, mode=0o755)))

    (changed,) = diff(service, pack, from_=1, to=2).body["files"]["changed"]

    assert (changed["path"], changed["from"]["mode"], changed["to"]["mode"]) == (
        "scripts/run.sh",
        "0644",
        "0755",
    )


def test_without_to_the_present_revision_is_compared(service: Service, pack: str) -> None:
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    made(change(service, pack, {"guides/d.md": b"# D\n"}))

    answer = diff(service, pack, from_=1).body

    assert (answer["to"], [file["path"] for file in answer["files"]["added"]]) == (
        3,
        ["guides/c.md", "guides/d.md"],
    )


CALLS = ["dynamodb.BatchGetItem", "dynamodb.BatchGetItem", "s3.GetObject", "s3.GetObject"]


def test_two_indexes_are_read_and_nothing_else(service: Service, pack: str) -> None:
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    service.registry.requests.clear()
    log = Log()

    with service.wire.tapped(log):
        diff(service, pack, from_=1, to=2)

    assert log.calls == CALLS
    assert service.registry.requests == []


@pytest.mark.parametrize("to", [1, 2, 4])
def test_revisions_with_the_same_files_read_no_index(service: Service, pack: str, to: int) -> None:
    """The same revision, the same image under another visibility, and other bytes of an image with the same files."""
    service.update(pack, "community")
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    made(change(service, pack, None, ["guides/c.md"]))
    log = Log()

    with service.wire.tapped(log):
        answer = diff(service, pack, from_=1, to=to)

    assert log.calls == CALLS[:1]
    assert answer.body["files"] == {"added": [], "removed": [], "changed": []}
    assert answer.body["bump"] == "none"


@pytest.mark.parametrize("content", [None, b"junk"])
def test_an_index_that_is_lost_or_damaged_is_made_again(
    service: Service, pack: str, content: bytes | None
) -> None:
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    right = diff(service, pack, from_=1, to=2).body
    for key in [key for key in service.aws.objects() if key.startswith("indexes/")]:
        service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
        if content is not None:
            service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    assert diff(service, pack, from_=1, to=2).body == right
    log = Log()
    with service.wire.tapped(log):
        diff(service, pack, from_=1, to=2)
    assert log.calls == CALLS


def test_an_index_whose_lines_are_no_files_is_made_again(service: Service, pack: str) -> None:
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    right = diff(service, pack, from_=1, to=2).body
    for key in [key for key in service.aws.objects() if key.startswith("indexes/")]:
        whole = service.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        text = gzip.decompress(whole).replace(b'"guides/', b'7,"guides/')
        service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text))

    assert diff(service, pack, from_=1, to=2).body == right


# -- whose eyes ---------------------------------------------------------------------------------------------------


def test_others_compare_the_revisions_since_the_pack_was_shared(service: Service, pack: str) -> None:
    service.update(pack, "community")
    made(change(service, pack, {"guides/c.md": b"# C\n"}))

    seen = diff(service, pack, GLOBEX, from_=2, to=3)
    hidden = [diff(service, pack, GLOBEX, from_=1, to=3), diff(service, pack, GLOBEX, from_=3, to=1)]

    assert (seen.status, seen.body["bump"]) == (200, "minor")
    assert [answer.error["code"] for answer in hidden] == ["revision_not_found"] * 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "from"),
        ({"to": 1}, "from"),
        ({"from_": 0}, "from"),
        ({"from_": "1.0.0"}, "from"),
        ({"from_": 1, "to": "latest"}, "to"),
        ({"from_": 1, "as": "file"}, "as"),
        ({"from_": 1, "revision": 1}, "revision"),
    ],
)
def test_a_query_that_names_no_revisions_is_refused_by_name(
    service: Service, pack: str, query: dict[str, object], field: str
) -> None:
    answer = diff(service, pack, **query)

    assert (answer.status, list(answer.fields)) == (400, [field])


@pytest.mark.parametrize("query", [{"from_": 9}, {"from_": 1, "to": 9}])
def test_a_revision_that_never_was_is_404(service: Service, pack: str, query: dict[str, int]) -> None:
    assert diff(service, pack, **query).error["code"] == "revision_not_found"
    assert diff(service, pack_id(404), **query).error["code"] == "pack_not_found"


def test_a_revision_from_before_revisions_had_their_pack_is_named(service: Service, pack: str) -> None:
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    key = to_wire(revision_key(pack, 1))
    table = service.services.settings.table
    service.aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE image_ref")

    assert list(diff(service, pack, from_=1, to=2).fields) == ["from"]
    assert list(diff(service, pack, from_=2, to=1).fields) == ["to"]


# -- large answers ------------------------------------------------------------------------------------------------


def test_a_difference_that_is_too_large_is_elsewhere(service: Service) -> None:
    files = {f"data/{number:05}-{'x' * 200}": b"" for number in range(14_000)}
    pack = made(service.upload(PackArchive(version="1.0.0").build()))
    made(change(service, pack, files))

    answer = raw_diff(service, pack, from_="1", to="2")

    url = answer["multiValueHeaders"]["Location"][0]
    content = service.aws.s3.get_object(Bucket=BUCKET, Key=urlsplit(url).path.lstrip("/"))["Body"].read()
    assert (answer["statusCode"], answer["body"]) == (302, "")
    assert len(content) > MAX_INLINE_BYTES
    assert len(json.loads(content)["files"]["added"]) == 14_000


def test_a_url_is_answered_where_it_is_asked_for(service: Service, pack: str) -> None:
    made(change(service, pack, {"guides/c.md": b"# C\n"}))
    whole = diff(service, pack, from_=1, to=2).body

    answer = diff(service, pack, from_=1, to=2, **{"as": "url"})

    key = urlsplit(answer.body["url"]).path.lstrip("/")
    content = service.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert answer.body.keys() == {"url", "digest"}
    assert json.loads(content) == whole
    assert answer.body["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


# -- images of other registries -----------------------------------------------------------------------------------


def registered(service: Service, elsewhere: FakeRegistry) -> str:
    """A pack of two revisions whose images are elsewhere."""
    shelf = elsewhere.shelves.repository("team/jira", create=True)
    for version in ("1.0.0", "2.0.0"):
        pack_image(f"name: jira\nversion: {version}\n".encode()).shelve(shelf, version)
    host = urlsplit(elsewhere.url).netloc
    body = {"image_ref": f"{host}/team/jira:1.0.0"}
    identity = made(service.send("create_pack", "POST", "/packs", json=body))
    body = {"image_ref": f"{host}/team/jira:2.0.0"}
    made(service.send("replace_pack", "PUT", f"/packs/{identity}", json=body))
    return identity


def test_images_of_other_registries_are_compared_by_reading_them_once(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        pack = registered(service, elsewhere)

        answer = diff(service, pack, from_=1, to=2)

    assert [file["path"] for file in answer.body["files"]["changed"]] == ["pack.yaml"]
    assert (answer.body["manifest"], answer.body["bump"]) == (["version"], "patch")
    # Both indexes are kept now.
    assert diff(service, pack, from_=1, to=2).body == answer.body


def test_an_image_that_is_gone_leaves_the_files_unknown_and_says_why(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        pack = registered(service, elsewhere)
        shelf = elsewhere.shelves.repositories["team/jira"]
        gone = shelf.tags["1.0.0"]
        shelf.manifests.pop(gone)

        answer = diff(service, pack, from_=1, to=2)

    assert answer.status == 200
    assert "files" not in answer.body
    assert "bump" not in answer.body
    assert answer.body["files_unknown"].startswith("The files of revision 1 cannot be listed: its image ")
    assert answer.body["manifest"] == ["version"]


def test_wider_capabilities_are_a_major_step_whatever_the_files_are(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        pack = registered(service, elsewhere)
        elsewhere.shelves.repositories["team/jira"].manifests.clear()
        fragment = "- {name: api, type: http, allow: [{domains: [a.test], methods: [GET]}]}\n"
        service.aws.dynamodb.update_item(
            TableName=service.services.settings.table,
            Key=to_wire(pack_key(pack)),
            UpdateExpression="SET capabilities = :wider",
            ExpressionAttributeValues=to_wire({":wider": fragment}),
        )

        answer = diff(service, pack, from_=1, to=2)

    assert (answer.body["bump"], "files" in answer.body) == ("major", False)


def test_a_registry_that_does_not_answer_is_502(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        pack = registered(service, elsewhere)

    answer = diff(service, pack, from_=1, to=2)

    assert (answer.status, answer.error["code"]) == (502, "registry_unavailable")
