"""The doors of a role, through their real handlers."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import pytest
from tests.doors import Doors
from tests.engine.taps import Log
from tests.fake_registry.server import FakeRegistry
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.doors.clawhub import fingerprint_of
from packyard.doors.document import ServedFile

INDEX: Final = ".well-known/agent-skills/index.json"
FILES: Final = {
    "behavior.md": b"# Be brief\n",
    "guides/post.md": b"# Post\n",
    "scripts/run.sh": b"#!/bin/sh\n",
    "data/pixel.png": b"\x89PNG\r\n\x1a\n\0\xff",
}


@pytest.fixture
def doors(service: Service) -> Doors:
    return Doors(service)


def publish(doors: Doors, *names: str, prepare: bool = True, files: Mapping[str, bytes] = FILES) -> list[str]:
    """Publish packs, pin them to the role, and have them prepared."""
    made = [
        doors.service.upload(PackArchive(name=name, files=files, fields={"description": f"Does {name}."}).build())
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
    base = f"/doors/roles/support/{INDEX}".rpartition("/")[0]
    assert entry["url"].startswith("../../zips/")
    zips = [
        doors.download(doors.get(entry["url"].removeprefix("../../"))),
        doors.download(doors.get(plugin["source"]["url"].partition("/doors/roles/support/")[2])),
        doors.download(doors.get("api/v1/download", query={"slug": "slack", "ownerHandle": "acme"})),
    ]

    assert base.endswith("/agent-skills")
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
        assert log.calls == ["GetItem"]


def test_a_kept_catalogue_takes_one_read_of_the_table(doors: Doors) -> None:
    publish(doors, "slack", "jira")
    doors.get(INDEX)
    log = Log()

    with doors.service.wire.tapped(log):
        assert names_in(doors) == ["slack", "jira"]

    assert log.calls == ["GetItem", "GetObject"]


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
    archive = PackArchive(name="slack", version="2.0.0").build()
    doors.service.new_process()
    made = doors.service.clone(slack, name="other")
    assert archive
    assert doors.service.set_role("support", [made.body["id"]]).status == 200
    doors.prepare(made.body["id"])

    after = doors.get(INDEX, etag=before.headers["ETag"])

    assert [entry["name"] for entry in after.body["skills"]] == ["other"]
    assert doors.get(old).status == 404


def test_a_withdrawn_pack_leaves_what_installs_and_is_blocked_where_it_can_be_said(doors: Doors) -> None:
    slack, _ = publish(doors, "slack", "jira")
    zipped = doors.get(f"slack/{INDEX}").body["skills"][0]["url"].removeprefix("../../../")
    withdraw(doors.service, slack)

    assert names_in(doors) == ["jira"]
    assert [plugin["name"] for plugin in doors.get("marketplace.json").body["plugins"]] == ["jira"]
    assert [skill["uri"] for skill in doors.call("skills/list")["result"]["skills"]] == ["skill://acme/jira/SKILL.md"]
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
    theirs = service.upload(PackArchive(name="slack").build(), GLOBEX, visibility="community").body["id"]
    (own,) = publish(doors, "slack")
    assert service.pin("support", [{"pack_id": own}, {"pack_id": theirs, "alias": "theirs"}]).status == 200
    doors.prepare(theirs)
    slugs = {ACME.org_id: "acme", GLOBEX.org_id: "globex"}

    assert len(names_in(doors)) + len(slugs) >= 3
    flat = [name for name in names_in(doors) if name != "slack"]
    entry = doors.get(f"{flat[0]}/{INDEX}").body["skills"][0] if flat else None
    if entry:
        assert unzipped(doors.download(doors.get(entry["url"].removeprefix("../../../"))))["SKILL.md"]
    asked = doors.get("api/v1/skills/slack")
    assert (asked.status, "name its owner" in asked.text) == (400, True)


def test_the_role_of_another_organisation_is_not_there(doors: Doors) -> None:
    publish(doors, "slack")

    for path in (INDEX, "marketplace.json", "api/v1/skills", "api/v1/whoami"):
        assert doors.get(path, caller=GLOBEX).status == 404
    assert doors.post(b'{"jsonrpc":"2.0","id":1,"method":"skills/list"}', caller=GLOBEX).status == 404


@pytest.mark.parametrize(
    "path",
    [
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
    ],
)
def test_what_is_not_served_is_404(doors: Doors, path: str) -> None:
    publish(doors, "slack")

    assert doors.get(path).status == 404


def test_clawhub_s_client_reads_what_it_asks_for(doors: Doors) -> None:
    publish(doors, "slack", "jira")

    skill = doors.get("api/v1/skills/slack", query={"ownerHandle": "@acme"}).body
    assert skill["latestVersion"]["version"] == "1.4.0"
    assert skill["latestVersion"]["license"] is None
    assert {"slug", "displayName", "tags", "stats", "createdAt", "updatedAt"} <= set(skill["skill"])
    files = doors.get("api/v1/skills/slack/versions/1.4.0").body["version"]["files"]
    assert [file["path"] for file in files] == sorted((*FILES, "SKILL.md", "pack.yaml"))
    assert doors.get("api/v1/skills/slack/versions", query={"limit": "5"}).body["items"][0]["version"] == "1.4.0"
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


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("download", {}),
        ("skills/slack/file", {}),
        ("search", {"limit": "x"}),
        ("search", {"limit": "99999"}),
    ],
)
def test_a_wrong_parameter_is_named_in_text(doors: Doors, path: str, query: dict[str, str]) -> None:
    publish(doors, "slack")

    answer = doors.get(f"api/v1/{path}", query=query)

    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert answer.text.startswith(("slug ", "path ", "limit "))


def test_an_mcp_client_reads_every_file_with_the_digest_that_its_entry_promises(doors: Doors) -> None:
    publish(doors, "slack")

    (entry,) = doors.call("skills/list")["result"]["skills"]
    assert doors.call("skills/get", uri=entry["uri"])["result"]["skill"] == entry
    assert entry["frontmatter"]["name"] == entry["uri"].split("/")[-2]
    for resource in entry["resources"]:
        (content,) = doors.call("resources/read", uri=resource["uri"])["result"]["contents"]
        raw = content["text"].encode() if "text" in content else __import__("base64").b64decode(content["blob"])
        assert len(raw) == resource["size"]
        assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == resource["digest"]
    assert {resource["uri"].split("slack/")[1] for resource in entry["resources"]} == {*FILES, "SKILL.md", "pack.yaml"}


def test_a_long_list_comes_in_pages(doors: Doors) -> None:
    names = [f"pack-{number:02}" for number in range(22)]
    publish(doors, *names)

    first = doors.call("skills/list")["result"]
    second = doors.call("skills/list", cursor=first["nextCursor"])["result"]

    assert "nextCursor" not in second
    uris = [entry["uri"] for page in (first, second) for entry in page["skills"]]
    assert uris == [f"skill://acme/{name}/SKILL.md" for name in names]


@pytest.mark.parametrize(
    ("params", "method"),
    [
        ({"uri": "skill://acme/none/SKILL.md"}, "skills/get"),
        ({"uri": "skill://acme/slack/guides/post.md"}, "skills/get"),
        ({"uri": "skill://globex/slack/SKILL.md"}, "resources/read"),
        ({"uri": "skill://acme/slack/../slack/SKILL.md"}, "resources/read"),
        ({"uri": "file:///etc/passwd"}, "resources/read"),
        ({"uri": 1}, "resources/read"),
        ({}, "resources/read"),
        ({"cursor": "x"}, "skills/list"),
        ({"cursor": 1}, "skills/list"),
        ({"cursor": []}, "skills/list"),
    ],
)
def test_what_an_mcp_client_may_not_have_is_invalid_params(
    doors: Doors, params: dict[str, Any], method: str
) -> None:
    publish(doors, "slack")

    assert doors.call(method, **params)["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"[" * 5000, -32700),
        (b"[]", -32600),
        (b'{"id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize"}', -32601),
    ],
)
def test_what_is_no_request_is_answered_as_json_rpc_says(doors: Doors, body: bytes, code: int) -> None:
    publish(doors, "slack")

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


def test_the_document_and_the_zip_go_with_the_revision_and_with_the_pack(doors: Doors) -> None:
    (slack,) = publish(doors, "slack")
    assert doors.service.set_role("support", []).status == 200
    body = json.dumps({"files": 0})
    assert body
    assert len(doors.kept()) == 2

    assert doors.service.delete(slack).status == 200

    assert doors.kept() == []


def test_what_is_prepared_too_late_is_removed(doors: Doors) -> None:
    (slack,) = publish(doors, "slack", prepare=False)
    message = doors.message(slack)
    assert doors.service.set_role("support", []).status == 200
    log = Log()
    deleted: list[int] = []

    def delete(point: Any) -> Any:
        if not deleted and point.label.startswith("PutObject"):
            deleted.append(1)

            def act() -> None:
                with doors.service.another_process():
                    assert doors.service.delete(slack).status == 200

            return act
        return None

    with doors.service.wire.tapped(log, interrupt=delete) if False else doors.service.wire.tapped(log):
        assert doors.settle([message]) == []
    assert doors.service.delete(slack).status == 200
    assert doors.settle([message]) == []
    assert doors.kept() == []
