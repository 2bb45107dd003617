"""Dry runs, through the real handlers: every check, what would come, and nothing kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from tests.aws import BUCKET, TABLE
from tests.changes import changes_form
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, PackArchive, Service
from tests.staged_uploads import arrive, deliver, look
from tests.third_party_images import pack_image

TRY: Final = {"dry_run": "true"}
NEXT: Final = PackArchive(
    version="2.0.0", files={"guides/post.md": b"# Post, better\n", "README.md": b"# Read me\n"}
)


class Tried:
    """A service with a pack, and requests about it, each of which can be a dry run or not."""

    def __init__(self, service: Service, elsewhere: FakeRegistry) -> None:
        self.service = service
        self.elsewhere = elsewhere
        self.messages: list[str] = []
        first = PackArchive(files={"guides/post.md": b"# Post\n", "guides/old.md": b"# Old\n"}).build()
        made = service.upload(first)
        assert made.status == 201, made.body
        self.pack: dict[str, Any] = made.body
        self.path = f"/packs/{made.body['id']}"
        # What is written from now on has another time than what was.
        service.clock.advance(timedelta(seconds=1))

    def form(self, function: str, path: str, archive: bytes, query: dict[str, str], **headers: str) -> Answer:
        body, stated = multipart({"archive": archive})
        return self.send(function, "POST", path, query, body, {**stated, **headers})

    def send(  # noqa: PLR0917 - as in a request's first lines
        self,
        function: str,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        headers: dict[str, str],
    ) -> Answer:
        request = Request(
            method=method, resource=path, path=path, query=query, headers=headers, body=body, caller=ACME
        )
        return self.service.request(function, request)

    def upload(self, query: dict[str, str], archive: bytes | None = None, **headers: str) -> Answer:
        archive = archive or PackArchive(name="new").build()
        return self.form("upload_pack", "/packs/upload", archive, query, **headers)

    def reupload(self, query: dict[str, str], archive: bytes | None = None, **headers: str) -> Answer:
        return self.form("reupload_pack", f"{self.path}/upload", archive or NEXT.build(), query, **headers)

    def change(self, query: dict[str, str]) -> Answer:
        body, headers = changes_form({"README.md": b"# Read me\n"}, ["guides/old.md"])
        return self.send("change_pack", "POST", f"{self.path}/changes", query, body, headers)

    def put(self, query: dict[str, str], content: bytes = b"# Post, better\n", **headers: str) -> Answer:
        return self.send("put_file", "PUT", f"{self.path}/files/guides/post.md", query, content, headers)

    def register(self, query: dict[str, str], name: str = "jira") -> Answer:
        return self.service.send(
            "create_pack", "POST", "/packs", json={"image_ref": self.shelve(name, "1.0.0")}, query=query
        )

    def replace(self, query: dict[str, str]) -> Answer:
        registered = self.service.list_packs(q="moved").body["packs"]
        if not registered:
            registered = [self.register({}, "moved").body]
        body = {"image_ref": self.shelve("moved", "2.0.0")}
        return self.service.send(
            "replace_pack", "PUT", f"/packs/{registered[0]['id']}", json=body, query=query
        )

    def shelve(self, name: str, version: str) -> str:
        repository = self.elsewhere.shelves.repository(f"team/{name}", create=True)
        pack_image(f"name: {name}\nversion: {version}\n".encode()).shelve(repository, version)
        return f"{self.elsewhere.url.partition('://')[2]}/team/{name}:{version}"

    def everything(self) -> Any:
        """Return all that is kept anywhere, caches apart."""
        self.messages += self.service.aws.queued()
        aws, shelves = self.service.aws, self.service.registry.shelves.repositories
        return (
            sorted(json.dumps(item, sort_keys=True) for item in aws.dynamodb.scan(TableName=TABLE)["Items"]),
            [key for key in aws.objects() if not key.startswith("indexes/")],
            list(self.messages),
            {name: (set(kept.manifests), set(kept.blobs), dict(kept.tags)) for name, kept in shelves.items()},
        )


@pytest.fixture
def tried(service: Service) -> Iterator[Tried]:
    with FakeRegistry() as elsewhere:
        yield Tried(service, elsewhere)


ALL: Final = ("upload", "reupload", "change", "put", "register", "replace")


@pytest.mark.parametrize("operation", ALL)
def test_a_dry_run_tells_the_digests_that_come_and_keeps_nothing(tried: Tried, operation: str) -> None:
    ask = getattr(tried, operation)
    if operation == "replace":
        tried.register({}, "moved")
    before = tried.everything()

    answer = ask(TRY)

    assert answer.status == 200, answer.body
    assert tried.everything() == before
    assert answer.body["dry_run"] is True
    real = ask({}).body
    told = answer.body["pack"]
    assert {name: real[name] for name in told if name not in ("id", "revision")} == {
        name: value for name, value in told.items() if name not in ("id", "revision")
    }
    assert ("id" in told) == (answer.body["outcome"] == "changed")


def test_nothing_is_sent_to_the_registry_of_an_archive_however_large(tried: Tried) -> None:
    noise = Random(1).randbytes(9 << 20)  # noqa: S311 - content that does not shrink
    archive = PackArchive(name="large", files={"data/noise": noise}).build()
    tried.service.registry.requests.clear()
    started = tried.service.send("start_upload", "POST", "/packs/uploads", json={}, query=TRY)
    before = tried.everything()[3]

    deliver(tried.service, arrive(tried.service, started.body["upload_id"], archive))

    upload = look(tried.service, started.body["upload_id"]).body
    assert upload["status"] == "done"
    assert upload["outcome"]["limits"]["compressed_bytes"]["used"] == len(archive)
    assert tried.everything()[3] == before
    assert tried.service.registry.requests == []


def test_a_new_archive_is_compared_with_the_files_that_stand(tried: Tried) -> None:
    body = tried.reupload(TRY).body

    assert body["outcome"] == "changed"
    assert body["from"] == {
        name: tried.pack[name]
        for name in (
            *("id", "name", "version", "visibility", "image_ref"),
            *("image_digest", "content_digest", "size_bytes"),
        )
    } | {"revision": 1}
    assert body["pack"]["revision"] == 2
    assert body["files"]["counts"] == {"added": 1, "removed": 1, "changed": 2}
    assert body["files"]["added"] == ["README.md"]
    assert body["files"]["removed"] == ["guides/old.md"]
    changed = {file["path"]: file for file in body["files"]["changed"]}
    assert set(changed) == {"guides/post.md", "pack.yaml"}
    assert changed["guides/post.md"]["from"]["size"] == len(b"# Post\n")
    assert changed["guides/post.md"]["to"]["mode"] == "0644"
    assert body["manifest"] == ["version"]
    assert body["capabilities"] == {"changed": False, "widened": False, "added": [], "removed": []}


def test_other_capabilities_are_told(tried: Tried) -> None:
    capabilities = [
        {"name": "api", "type": "http", "allow": [{"domains": ["slack.com"], "methods": ["GET"]}]}
    ]
    archive = PackArchive(fields={"capabilities": capabilities}).build()

    body = tried.reupload(TRY, archive).body

    assert body["manifest"] == ["capabilities"]
    rule = {
        "name": "api",
        "type": "http",
        "domains": ["slack.com"],
        "methods": ["GET"],
        "paths": ["/**"],
    }
    assert body["capabilities"] == {
        "changed": True,
        "widened": True,
        "added": [rule],
        "removed": [],
        "example": "GET https://slack.com/",
    }


def test_limits_stand_beside_what_would_be_used(tried: Tried) -> None:
    archive = PackArchive(name="new", files={"guides/deep/er.md": b"x" * 600}).build()

    limits = tried.upload(TRY, archive).body["limits"]

    assert limits["compressed_bytes"] == {"used": len(archive), "limit": 256 << 20}
    assert limits["members"] == {"used": 4, "limit": 20_000}
    assert limits["path_bytes"] == {"used": len("guides/deep/er.md"), "limit": 1024}
    assert limits["path_depth"] == {"used": 3, "limit": 32}
    # Four headers, two blocks of the file, one of pack.yaml, two at the end.
    assert limits["unpacked_bytes"] == {"used": 512 * 9, "limit": 1 << 30}
    assert 0 < limits["manifest_bytes"]["used"] < limits["manifest_bytes"]["limit"]


def test_what_would_change_nothing_is_told_so(tried: Tried) -> None:
    same = PackArchive(files={"guides/post.md": b"# Post\n", "guides/old.md": b"# Old\n"}).build()

    for answer in (tried.upload(TRY, same), tried.reupload(TRY, same), tried.put(TRY, b"# Post\n")):
        assert answer.body["outcome"] == "unchanged"
        assert answer.body["pack"]["id"] == tried.pack["id"]
        assert answer.body["files"]["counts"] == {"added": 0, "removed": 0, "changed": 0}
        assert "from" not in answer.body


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        pytest.param(lambda tried, query: tried.upload(query, b"no archive"), 400, None, id="no archive"),
        pytest.param(
            lambda tried, query: tried.upload(query, NEXT.build()), 409, "pack_name_taken", id="a taken name"
        ),
        pytest.param(
            lambda tried, query: tried.reupload(query, PackArchive(name="other").build()),
            400,
            None,
            id="another name",
        ),
        pytest.param(
            lambda tried, query: tried.reupload(query, **{"If-Match": '"7"'}),
            412,
            None,
            id="another revision",
        ),
        pytest.param(
            lambda tried, query: tried.put(query, **{"If-None-Match": "*"}),
            412,
            None,
            id="a file that is there",
        ),
        pytest.param(
            lambda tried, query: tried.register(query, "slack"), 409, None, id="a taken name of an image"
        ),
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(
    tried: Tried, ask: Any, status: int, code: str | None
) -> None:
    before = tried.everything()

    answer = ask(tried, TRY)

    assert answer.status == status, answer.body
    assert code in (None, answer.error["code"])
    assert tried.everything() == before
    assert ask(tried, {}).error | {"request_id": ""} == answer.error | {"request_id": ""}


def test_the_scope_and_billing_are_checked(tried: Tried) -> None:
    for caller, status in ((replace(ACME, scopes=frozenset()), 403), (replace(ACME, may_create=False), 423)):
        body, headers = multipart({"archive": NEXT.build()})
        request = Request(
            method="POST", resource="/packs/upload", query=TRY, headers=headers, body=body, caller=caller
        )
        assert tried.service.request("upload_pack", request).status == status


@pytest.mark.parametrize("value", ["1", "yes", "TRUE", ""])
def test_a_value_that_could_be_misread_is_refused(tried: Tried, value: str) -> None:
    before = tried.everything()

    for operation in ALL[:-1]:
        answer = getattr(tried, operation)({"dry_run": value})
        assert answer.fields == {"dry_run": "must be true or false"}
    assert tried.everything() == before


def test_an_idempotency_key_is_ignored(tried: Tried) -> None:
    key: dict[str, Any] = {"Idempotency-Key": "k1"}
    tried_first = tried.upload(TRY, **key)
    made = tried.upload({}, **key)

    assert (tried_first.status, made.status) == (200, 201)


def test_false_writes(tried: Tried) -> None:
    assert tried.upload({"dry_run": "false"}).status == 201


def test_operations_that_take_neither_archive_nor_image_know_no_dry_run(tried: Tried) -> None:
    answer = tried.service.send("delete_pack", "DELETE", tried.path, query=TRY)

    assert answer.status == 400
    assert "dry_run" in answer.fields


def test_an_image_that_the_registry_has_lost_is_not_compared(tried: Tried) -> None:
    for key in tried.service.aws.objects():
        tried.service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    tried.service.registry.shelves.repositories.clear()

    answer = tried.reupload(TRY)

    assert answer.status == 200, answer.body
    assert "files" not in answer.body


# -- staged -------------------------------------------------------------------------------------------------------


def staged(tried: Tried, archive: bytes, **fields: Any) -> Any:
    """Try an archive the staged way, and return the upload as it ends."""
    started = tried.service.send("start_upload", "POST", "/packs/uploads", json=fields, query=TRY)
    assert started.body["dry_run"] is True
    upload_id = started.body["upload_id"]
    deliver(tried.service, arrive(tried.service, upload_id, archive))
    return look(tried.service, upload_id).body


def test_the_staged_way_tells_in_the_upload_what_would_come(tried: Tried) -> None:
    inline = tried.reupload(TRY).body
    before = tried.service.get(tried.pack["id"]).body

    upload = staged(tried, NEXT.build(), pack_id=tried.pack["id"])

    assert upload["status"] == "done"
    assert upload["outcome"] == inline
    assert tried.service.get(tried.pack["id"]).body == before


def test_a_new_pack_and_changes_are_tried_the_staged_way(tried: Tried) -> None:
    made = staged(tried, PackArchive(name="new").build())
    body, _ = changes_form({"README.md": b"# Read me\n"}, ())
    archive = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    changed = staged(tried, archive, pack_id=tried.pack["id"], kind="changes", delete=["guides/old.md"])

    assert made["outcome"]["outcome"] == "created"
    assert "pack_id" not in made
    assert changed["outcome"]["files"]["counts"] == {"added": 1, "removed": 1, "changed": 0}
    assert tried.service.get(tried.pack["id"]).headers["ETag"] == '"1"'


def test_what_is_wrong_fails_the_upload(tried: Tried) -> None:
    upload = staged(tried, PackArchive(name="other").build(), pack_id=tried.pack["id"])

    assert upload["status"] == "failed"
    assert upload["error"]["code"] == "validation_error"


def test_a_message_that_comes_twice_changes_nothing(tried: Tried) -> None:
    started = tried.service.send("start_upload", "POST", "/packs/uploads", json={}, query=TRY)
    message = arrive(tried.service, started.body["upload_id"], PackArchive(name="new").build())

    assert deliver(tried.service, message) == []
    first = look(tried.service, started.body["upload_id"]).body
    assert deliver(tried.service, message) == []

    assert look(tried.service, started.body["upload_id"]).body == first
    assert tried.service.list_packs(q="new").body["packs"] == []
