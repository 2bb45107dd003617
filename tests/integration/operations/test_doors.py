"""The doors of a role, through their real handlers."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests import feeds
from tests.attesting import Attesting
from tests.aws import BUCKET
from tests.changes import change
from tests.doors import Doors
from tests.engine.points import Point
from tests.engine.taps import Log
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Request
from tests.revisions import delete_revision
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.doors.clawhub import fingerprint_of
from packyard.doors.document import ServedFile
from packyard.http.mcp import McpServer
from packyard.tenants.org import BillingPosture, Org

INDEX: Final = ".well-known/agent-skills/index.json"
FILES: Final = {
    "behavior.md": b"# Be brief\n",
    "guides/post.md": b"# Post\n",
    "scripts/run.sh": b"#!/bin/sh\n",
    "data/pixel.png": b"\x89PNG\r\n\x1a\n\0\xff",
}


@pytest.fixture
def doors(service: Service) -> Doors:
    # A feed has its organisation's slug from there.
    service.services.tenants.put_org(Org(org_id=ACME.org_id, slug="acme", billing=BillingPosture.ACTIVE))
    return Doors(service)


def publish(doors: Doors, *names: str, prepare: bool = True, files: Mapping[str, bytes] = FILES) -> list[str]:
    """Publish packs, pin them to the role, and have them prepared."""
    made = [
        doors.service.upload(
            PackArchive(name=name, files=files, fields={"description": f"Does {name}."}).build()
        )
        for name in names
    ]
    pack_ids = [answer.body["id"] for answer in made]
    assert doors.service.set_role("support", pack_ids).status == 200
    if prepare:
        for pack_id in pack_ids:
            doors.prepare(pack_id)
    return pack_ids


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def names_in(doors: Doors, path: str = INDEX) -> list[str]:
    return [entry["name"] for entry in doors.get(path).body["skills"]]


def withdraw(service: Service, pack_id: str, revision: int = 1) -> None:
    answer = service.send(
        "withdraw_revision",
        "POST",
        f"/packs/{pack_id}/revisions/{revision}/withdrawal",
        json={"reason": "leaks"},
    )
    assert answer.status == 200, answer.body
    service.follow(pack_id)


def test_every_door_leads_to_the_same_zip_under_the_digest_that_it_states(doors: Doors) -> None:
    publish(doors, "slack")

    (entry,) = doors.get(INDEX).body["skills"]
    (plugin,) = doors.get("marketplace.json").body["plugins"]
    assert entry["url"].startswith("../../zips/")
    zips = [
        doors.download(doors.get(entry["url"].removeprefix("../../"))),
        doors.download(doors.get(plugin["source"]["url"].partition("/doors/roles/support/")[2])),
        doors.download(doors.get("api/v1/download", query={"slug": "slack", "ownerHandle": "acme"})),
    ]

    assert len(set(zips)) == 1
    digest = hashlib.sha256(zips[0]).hexdigest()
    assert (entry["digest"], plugin["source"]["sha256"]) == (f"sha256:{digest}", digest)
    files = unzipped(zips[0])
    assert files.pop("SKILL.md").startswith(b"---\nname: slack\ndescription: Does slack.\n")
    assert files.pop("pack.yaml").startswith(b"name: slack")
    assert files == FILES


def test_an_unchanged_index_is_known_after_one_read(doors: Doors) -> None:
    publish(doors, "slack")
    for path in (INDEX, "marketplace.json", f"slack/{INDEX}"):
        first = doors.get(path)
        log = Log()
        with doors.service.wire.tapped(log):
            again = doors.get(path, etag=first.headers["ETag"])

        assert (again.status, again.text) == (304, "")
        assert log.calls == ["dynamodb.GetItem"]


def test_a_kept_catalogue_takes_one_read_of_the_table(doors: Doors) -> None:
    publish(doors, "slack", "jira")
    doors.get(INDEX)
    log = Log()

    with doors.service.wire.tapped(log):
        assert names_in(doors) == ["slack", "jira"]

    assert log.calls == ["dynamodb.GetItem", "s3.GetObject"]


def test_what_is_not_prepared_is_left_out_and_asked_for_and_nothing_is_kept(doors: Doors) -> None:
    (slack,) = publish(doors, "slack", prepare=False)

    answer = doors.get(INDEX)

    assert answer.body["skills"] == []
    assert answer.headers["Cache-Control"] == "private, no-store"
    (asked,) = set(doors.take())
    assert asked == doors.message(slack)
    assert doors.settle([asked]) == []
    assert names_in(doors) == ["slack"]
    assert doors.get("api/v1/skills/jira").status == 404


def test_a_client_of_clawhub_waits_for_what_is_being_prepared(doors: Doors) -> None:
    publish(doors, "slack", prepare=False)

    answer = doors.get("api/v1/skills/slack")

    assert (answer.status, answer.headers["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert "being prepared" in answer.text
    assert answer.headers["Retry-After"]


def test_the_index_changes_with_the_pins(doors: Doors) -> None:
    (slack,) = publish(doors, "slack")
    before = doors.get(INDEX)
    old = before.body["skills"][0]["url"].removeprefix("../../")
    other = doors.service.clone(slack, name="other").body["id"]
    assert doors.service.set_role("support", [other]).status == 200
    doors.prepare(other)

    after = doors.get(INDEX, etag=before.headers["ETag"])

    assert [entry["name"] for entry in after.body["skills"]] == ["other"]
    assert doors.get(old).status == 404


def test_a_withdrawn_pack_leaves_what_installs_and_is_blocked_where_it_can_be_said(doors: Doors) -> None:
    slack, _ = publish(doors, "slack", "jira")
    zipped = doors.get(f"slack/{INDEX}").body["skills"][0]["url"].removeprefix("../../../")
    withdraw(doors.service, slack)

    assert names_in(doors) == ["jira"]
    assert [plugin["name"] for plugin in doors.get("marketplace.json").body["plugins"]] == ["jira"]
    assert [skill["uri"] for skill in doors.call("skills/list")["result"]["skills"]] == [
        "skill://acme/jira/SKILL.md"
    ]
    assert doors.get(zipped).status == 404
    assert doors.get(f"slack/{INDEX}").status == 404
    moderation = doors.get("api/v1/skills/slack").body["moderation"]
    assert moderation == {"isSuspicious": True, "isMalwareBlocked": True, "verdict": "malicious"}
    refused = doors.get("api/v1/download", query={"slug": "slack"})
    assert (refused.status, "its image is withdrawn" in refused.text) == (400, True)


def test_a_deprecated_pack_is_suspicious_to_clawhub(doors: Doors) -> None:
    (slack,) = publish(doors, "slack")
    body = {"deprecated": {"message": "Use jira."}}
    assert doors.service.send("update_pack", "PATCH", f"/packs/{slack}", json=body).status == 200

    moderation = doors.get("api/v1/skills/slack").body["moderation"]

    assert (moderation["isSuspicious"], moderation["isMalwareBlocked"]) == (True, False)


def test_packs_of_other_organisations_have_their_owner_in_flat_names(doors: Doors) -> None:
    service = doors.service
    service.services.tenants.put_org(Org(org_id=GLOBEX.org_id, slug="globex", billing=BillingPosture.ACTIVE))
    theirs = service.upload(PackArchive(name="slack").build(), GLOBEX, visibility="community").body["id"]
    (own,) = publish(doors, "slack")
    assert service.pin("support", [{"id": own}, {"id": theirs, "alias": "theirs"}]).status == 200
    doors.prepare(theirs)

    assert names_in(doors) == ["slack", "x6-globex-slack"]
    (entry,) = doors.get(f"x6-globex-slack/{INDEX}").body["skills"]
    files = unzipped(doors.download(doors.get(entry["url"].removeprefix("../../../"))))
    assert b"name: slack\n" in files["SKILL.md"]
    asked = doors.get("api/v1/skills/slack")
    assert (asked.status, "@globex/slack" in asked.text) == (400, True)
    assert (
        doors.get("api/v1/skills/slack", query={"ownerHandle": "globex"}).body["owner"]["handle"] == "globex"
    )


def test_the_role_of_another_organisation_is_not_there(doors: Doors) -> None:
    publish(doors, "slack")

    for path in (INDEX, "marketplace.json", "api/v1/skills", "api/v1/whoami"):
        assert doors.get(path, caller=GLOBEX).status == 404
    assert doors.post(b'{"jsonrpc":"2.0","id":1,"method":"skills/list"}', caller=GLOBEX).status == 404


NOT_SERVED: Final = [
    "nothing",
    f"no-such-pack/{INDEX}",
    f"a/b/{INDEX}",
    ".well-known/skills/index.json",
    "zips/slack.zip",
    "zips/slack-000000000000.zip",
    "zips/../marketplace.json",
    "api/v2/skills",
    "api/v1/",
    "api/v1/skills/slack/install",
    "api/v1/skills/slack/file/x",
    "api/v1/skills/no-such",
    "api/v1/skills/slack/versions/9.9.9",
]


def test_what_is_not_served_is_404(doors: Doors) -> None:
    publish(doors, "slack")

    assert {path: doors.get(path).status for path in NOT_SERVED} == dict.fromkeys(NOT_SERVED, 404)


def test_clawhub_s_client_reads_what_it_asks_for(doors: Doors) -> None:
    publish(doors, "slack", "jira")

    skill = doors.get("api/v1/skills/slack", query={"ownerHandle": "@acme"}).body
    assert skill["latestVersion"]["version"] == "1.4.0"
    assert skill["latestVersion"]["license"] is None
    assert {"slug", "displayName", "tags", "stats", "createdAt", "updatedAt"} <= set(skill["skill"])
    files = doors.get("api/v1/skills/slack/versions/1.4.0").body["version"]["files"]
    assert [file["path"] for file in files] == sorted((*FILES, "SKILL.md", "pack.yaml"))
    assert (
        doors.get("api/v1/skills/slack/versions", query={"limit": "5"}).body["items"][0]["version"] == "1.4.0"
    )
    assert [item["slug"] for item in doors.get("api/v1/skills").body["items"]] == ["slack", "jira"]
    assert doors.get("api/v1/skills/slack/file", query={"path": "behavior.md"}).text == "# Be brief\n"
    assert doors.get("api/v1/skills/slack/file", query={"path": "../x"}).status == 404
    found = doors.get("api/v1/search", query={"q": "does JIRA", "limit": "25"}).body["results"]
    assert [(one["slug"], one["ownerHandle"], one["version"]) for one in found] == [("jira", "acme", "1.4.0")]
    served = [ServedFile(file["path"], file["size"], file["sha256"], 0o644) for file in files]
    for fingerprint, match in ((fingerprint_of(served), {"version": "1.4.0"}), ("0" * 64, None)):
        query = {"slug": "slack", "ownerHandle": "acme", "hash": fingerprint}
        assert doors.get("api/v1/resolve", query=query).body == {
            "match": match,
            "latestVersion": {"version": "1.4.0"},
        }
    assert doors.get("api/v1/whoami").body["user"]["handle"] == "acme"


def test_a_wrong_parameter_is_named_in_text(doors: Doors) -> None:
    publish(doors, "slack")
    asked: list[tuple[str, dict[str, str], str]] = [
        ("download", {}, "slug "),
        ("skills/slack/file", {}, "path "),
        ("search", {"limit": "x"}, "limit "),
        ("search", {"limit": "99999"}, "limit "),
    ]

    for path, query, field in asked:
        answer = doors.get(f"api/v1/{path}", query=query)
        assert (answer.status, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert answer.text.startswith(field)


def test_an_mcp_client_reads_every_file_with_the_digest_that_its_entry_promises(doors: Doors) -> None:
    publish(doors, "slack")

    (entry,) = doors.call("skills/list")["result"]["skills"]
    assert doors.call("skills/get", uri=entry["uri"])["result"]["skill"] == entry
    assert entry["frontmatter"]["name"] == entry["uri"].split("/")[-2]
    for resource in entry["resources"]:
        (content,) = doors.call("resources/read", uri=resource["uri"])["result"]["contents"]
        raw = content["text"].encode() if "text" in content else base64.b64decode(content["blob"])
        assert len(raw) == resource["size"]
        assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == resource["digest"]
    assert {resource["uri"].split("slack/")[1] for resource in entry["resources"]} == {
        *FILES,
        "SKILL.md",
        "pack.yaml",
    }


def test_a_long_list_comes_in_pages(doors: Doors) -> None:
    publish(doors, "a", "b", "c")
    services = doors.service.services
    server = McpServer(
        selection=services.served_packs.of_role("support", caller=ACME),
        served=services.served_packs,
        files=services.served_files,
        page=2,
    )

    def page(**params: str) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "skills/list", "params": params}).encode()
        event = Request(method="POST", resource="/doors/roles/support/mcp", body=body).event()
        return json.loads(server.response(APIGatewayProxyEvent(event)).body or "")["result"]

    first = page()
    second = page(cursor=first["nextCursor"])

    assert "nextCursor" not in second
    uris = [entry["uri"] for found in (first, second) for entry in found["skills"]]
    assert uris == [f"skill://acme/{name}/SKILL.md" for name in "abc"]


def test_what_an_mcp_client_may_not_have_is_invalid_params(doors: Doors) -> None:
    publish(doors, "slack")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("skills/get", {"uri": "skill://acme/none/SKILL.md"}),
        ("skills/get", {"uri": "skill://acme/slack/guides/post.md"}),
        ("resources/read", {"uri": "skill://globex/slack/SKILL.md"}),
        ("resources/read", {"uri": "skill://acme/slack/../slack/SKILL.md"}),
        ("resources/read", {"uri": "file:///etc/passwd"}),
        ("resources/read", {"uri": 1}),
        ("resources/read", {}),
        ("skills/list", {"cursor": "x"}),
        ("skills/list", {"cursor": 1}),
        ("skills/list", {"cursor": []}),
    ]

    for method, params in asked:
        assert doors.call(method, **params)["error"]["code"] == -32602


def test_what_is_no_request_is_answered_as_json_rpc_says(doors: Doors) -> None:
    publish(doors, "slack")
    asked = [
        (b"", -32700),
        (b"{", -32700),
        (b"[" * 5000, -32700),
        (b"[]", -32600),
        (b'{"id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize"}', -32601),
    ]

    for body, code in asked:
        answer = doors.post(body)
        assert (answer.status, answer.body["error"]["code"]) == (200, code)


def test_the_mcp_door_takes_nothing_but_posts_of_bounded_size(doors: Doors) -> None:
    publish(doors, "slack")

    assert doors.get("mcp").status == 405
    assert doors.post(b" " * 100_000).status == 413
    assert doors.post(b'{"jsonrpc":"2.0","method":"notifications/initialized"}').status == 202
    for method in ("tools/list", "resources/list", "prompts/list"):
        result = doors.call(method)["result"]
        assert (result["ttlMs"], result["cacheScope"], result[method.split("/")[0]]) == (0, "private", [])


def test_an_image_of_another_registry_is_served_to_its_owner_and_to_nobody_else(service: Service) -> None:
    doors = Doors(service)
    with FakeRegistry() as elsewhere:
        pack_image(b"name: far\nversion: 1.0.0\n").shelve(
            elsewhere.shelves.repository("team/far", create=True), "1"
        )
        reference = f"{elsewhere.url.removeprefix('http://')}/team/far:1"
        body = {"image_ref": reference, "visibility": "community"}
        made = service.send("create_pack", "POST", "/packs", json=body)
        assert made.status == 201, made.body
        pack_id = made.body["id"]
        for caller in (ACME, GLOBEX):
            assert service.set_role("support", [pack_id], caller).status == 200
        doors.prepare(pack_id)

        assert [entry["name"] for entry in doors.get(INDEX).body["skills"]] == ["far"]
        assert doors.get(INDEX, caller=GLOBEX).body["skills"] == []


def test_the_zip_goes_with_its_pack(doors: Doors) -> None:
    (slack,) = publish(doors, "slack")
    assert len(doors.kept()) == 3
    assert doors.service.set_role("support", []).status == 200

    assert doors.service.delete(slack).status == 200

    assert doors.kept() == []


def test_the_zip_goes_with_the_content_of_its_revision(doors: Doors) -> None:
    (slack,) = publish(doors, "slack")
    assert change(doors.service, slack, {"guides/new.md": b"new"}).status == 200
    doors.prepare(slack)
    assert doors.service.refresh_role("support").status == 200
    assert len(doors.kept()) == 6

    assert delete_revision(doors.service, slack, 1).status == 200

    assert len(doors.kept()) == 3
    assert names_in(doors) == ["slack"]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_is_put_while_the_pack_is_deleted_is_removed(doors: Doors, at: int) -> None:
    """The pack is deleted before the zip is put, the layer of its skill artifact, or the document."""
    (slack,) = publish(doors, "slack", prepare=False)
    message = doors.message(slack)
    assert doors.service.set_role("support", []).status == 200
    puts: list[Point] = []

    def delete() -> None:
        with doors.service.another_process(), doors.service.wire.sent_by("the deletion"):
            assert doors.service.delete(slack).status == 200

    def interrupt(point: Point) -> Callable[[], object] | None:
        if not point.label.startswith("s3.PutObject") or "the deletion" in str(point):
            return None
        puts.append(point)
        return delete if len(puts) == at else None

    with doors.service.wire.tapped(interrupt=interrupt):
        assert doors.settle([message]) == []

    assert puts
    assert doors.kept() == []


def feed_of(doors: Doors, **fields: object) -> str:
    """Make a feed, and return its secret."""
    made = feeds.make(doors.service, ACME, **fields)
    assert made.status == 201, made.body
    return feeds.secret_of(made)


def test_a_feed_serves_at_every_door_what_its_role_pins(doors: Doors) -> None:
    publish(doors, "slack")
    secret = feed_of(doors)

    for path in (INDEX, f"slack/{INDEX}", "api/v1/skills", "api/v1/skills/slack", "lock.json"):
        assert doors.get(path, feed=secret).body == doors.get(path).body
    (plugin,) = doors.get("marketplace.json", feed=secret).body["plugins"]
    below = plugin["source"]["url"].partition(f"/f/{secret}/")[2]
    assert unzipped(doors.download(doors.get(below, feed=secret))).keys() >= FILES.keys()
    (entry,) = doors.call("skills/list", feed=secret)["result"]["skills"]
    assert entry["uri"] == "skill://acme/slack/SKILL.md"


def test_a_feed_of_a_list_serves_present_revisions_and_what_may_be_seen(doors: Doors) -> None:
    service = doors.service
    service.services.tenants.put_org(Org(org_id=GLOBEX.org_id, slug="globex", billing=BillingPosture.ACTIVE))
    theirs = service.upload(PackArchive(name="slack").build(), GLOBEX, visibility="community").body["id"]
    (own,) = publish(doors, "slack")
    doors.prepare(theirs)
    secret = feed_of(doors, pack_ids=[own, theirs])
    first = doors.get(INDEX, feed=secret)
    assert [entry["name"] for entry in first.body["skills"]] == ["slack", "x6-globex-slack"]
    assert doors.get(INDEX, feed=secret, etag=first.headers["ETag"]).status == 304
    assert service.update(theirs, "org", GLOBEX).status == 200
    assert change(service, own, {"guides/new.md": b"new"}).status == 200
    doors.prepare(own)

    after = doors.get(INDEX, feed=secret, etag=first.headers["ETag"])

    (entry,) = after.body["skills"]
    assert entry["digest"] != first.body["skills"][0]["digest"]
    refused = doors.get("lock.json", feed=secret)
    assert (refused.status, "make a feed of a role" in refused.text) == (400, True)


def test_a_feed_s_owner_reads_what_each_door_serves_and_leaves_out_and_why(doors: Doors) -> None:
    service = doors.service
    (slack,) = publish(doors, "slack")
    (late,) = publish(doors, "late", prepare=False)
    many = {f"data/{number}": b"" for number in range(600)}
    (large,) = publish(doors, "large", files=many)
    made = feeds.make(service, ACME, pack_ids=[slack, late, large])
    alone = feeds.make(service, ACME, pack_ids=[slack])

    state = feeds.read(service, made.body["id"]).body

    assert state["preparing"] == [late]
    assert state["doors"]["marketplace"] == {"serves": [slack, large], "leaves_out": []}
    assert state["doors"]["mcp"]["serves"] == [slack]
    (left,) = state["doors"]["mcp"]["leaves_out"]
    assert (left["pack_id"], left["owner"], left["name"]) == (large, "acme", "large")
    assert "512" in left["reason"]
    assert service.delete(slack).status == 200
    gone = feeds.read(service, alone.body["id"]).body["doors"]["clawhub"]
    assert (gone["serves"], [each["pack_id"] for each in gone["leaves_out"]]) == ([], [slack])


def test_a_feed_whose_role_is_gone_says_so_to_its_owner(doors: Doors) -> None:
    publish(doors, "slack", prepare=False)
    made = feeds.make(doors.service, ACME, role_id="support")
    path = "/agent-roles/support"
    assert doors.service.send("delete_role", "DELETE", path).status == 200

    state = feeds.read(doors.service, made.body["id"]).body

    assert (state["role_gone"], "doors" in state) == (True, False)


def test_who_has_no_feed_s_secret_gets_404_of_one_shape_at_every_door(doors: Doors) -> None:
    publish(doors, "slack")
    service = doors.service
    assert service.set_role("other", []).status == 200
    deleted = feed_of(doors, role_id="other")
    assert service.delete_role("other").status == 200
    expired = feed_of(doors, expires_in=3600)
    made = feeds.make(service)
    removed = feeds.secret_of(made)
    assert feeds.remove(service, made.body["id"]).status == 200
    service.clock.advance(timedelta(hours=2))
    secrets = (removed, expired, deleted, "pyf_" + "a" * 43, "x", "pyf_")

    for path in (INDEX, "nothing", "marketplace.json", "api/v1/skills", "lock.json", "bundle.tar", "mcp"):
        answers = {
            (answer.status, answer.text.replace(answer.headers["X-Request-Id"], "ID"))
            for secret in secrets
            for answer in (doors.get(path, feed=secret),)
        }
        assert len(answers) == 1
        assert next(iter(answers))[0] == 404


def bundle(doors: Doors, role: str = "support") -> bytes:
    """Ask for a bundle, have it made, and return it."""
    answer = doors.get("bundle.tar", role=role)
    assert (answer.status, answer.body) == (202, {"status": "being_made"})
    assert answer.headers["Retry-After"]
    assert doors.settle(doors.take()) == []
    return doors.download(doors.get("bundle.tar", role=role))


def test_a_bundle_is_an_image_layout_of_all_images_and_the_lock(doors: Doors, tmp_path: Path) -> None:
    publish(doors, "slack", "jira", prepare=False)
    content = bundle(doors)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)  # noqa: S202 - our own; Debian's Python 3.11 knows no filter
        members = {(member.mtime, member.uid, member.mode) for member in archive.getmembers()}

    assert members == {(0, 0, 0o644)}
    assert json.loads((tmp_path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    lock = json.loads((tmp_path / "lock.json").read_bytes())
    # Without the files of each pack, it could not be installed without a network.
    assert lock == doors.get("lock.json", query={"files": "true"}).body
    assert all(pack["files"] for pack in lock["packs"])
    index = json.loads((tmp_path / "index.json").read_bytes())
    named = {entry["annotations"]["org.opencontainers.image.ref.name"]: entry for entry in index["manifests"]}
    assert {name: entry["digest"] for name, entry in named.items()} == {
        pack["name"]: pack["image_digest"] for pack in lock["packs"]
    }
    blobs = {f"sha256:{path.name}": path.read_bytes() for path in (tmp_path / "blobs" / "sha256").iterdir()}
    assert all(digest == f"sha256:{hashlib.sha256(blob).hexdigest()}" for digest, blob in blobs.items())
    assert {layer["digest"] for pack in lock["packs"] for layer in pack["layers"]} <= blobs.keys()


def test_the_same_pins_give_the_same_bundle_and_other_pins_another(doors: Doors) -> None:
    (slack,) = publish(doors, "slack", prepare=False)
    first = bundle(doors)
    etag = doors.get("bundle.tar").headers["ETag"]
    assert doors.get("bundle.tar", etag=etag).status == 304
    for key in doors.service.aws.objects():
        if key.startswith("bundles/"):
            doors.service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    assert bundle(doors) == first
    assert change(doors.service, slack, {"guides/new.md": b"new"}).status == 200
    assert doors.service.refresh_role("support").status == 200

    assert doors.get("bundle.tar", etag=etag).status == 202
    asked = doors.take()
    assert doors.service.set_role("support", []).status == 200
    assert doors.settle(asked) == [], "nobody asks for it any more"
    assert doors.get("bundle.tar").status == 202


def test_who_asks_again_soon_has_it_made_once(doors: Doors) -> None:
    publish(doors, "slack", prepare=False)
    # The bucket has the real time.
    doors.service.clock.now = datetime.now(UTC)

    assert [doors.get("bundle.tar").status for _ in range(3)] == [202] * 3
    assert len(doors.take()) == 1
    doors.service.clock.advance(timedelta(minutes=6))
    assert doors.get("bundle.tar").status == 202
    assert len(doors.take()) == 1


def test_statements_about_images_are_in_the_bundle(doors: Doors) -> None:
    service = doors.service
    service.wire.clients["kms"] = service.services.client("kms")
    (slack,) = publish(doors, "slack", prepare=False)
    Attesting(service).carry()
    doors.take()

    with tarfile.open(fileobj=io.BytesIO(bundle(doors))) as archive:
        member = archive.extractfile("index.json")
        assert member is not None
        entries = json.load(member)["manifests"]
        statements = [entry for entry in entries if "annotations" not in entry]
        documents = [archive.extractfile(f"blobs/sha256/{entry['digest'][7:]}") for entry in statements]
        subjects = {json.load(document)["subject"]["digest"] for document in documents if document}

    assert len(statements) == 2
    assert subjects == {service.get(slack).body["image_digest"]}


def test_a_bundle_that_would_be_too_large_is_refused_with_words(doors: Doors) -> None:
    publish(doors, "slack", prepare=False)
    doors.service.new_process(
        parts={"bundle_maker": replace(doors.service.services.bundle_maker, max_bytes=1000)}
    )
    assert doors.get("bundle.tar").status == 202
    assert doors.settle(doors.take()) == []

    answer = doors.get("bundle.tar")

    assert (answer.status, "divide the role" in answer.text) == (413, True)
