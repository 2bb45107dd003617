"""PUT /packs/{id}, through its real handler."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.changes import change
from tests.engine.taps import Killed, Log, crash_at
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.tenants.caller import Caller


@pytest.fixture
def third_party() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def put(service: Service, pack_id: str, image_ref: Any, caller: Caller = ACME, /, **headers: str) -> Answer:
    return service.send(
        "replace_pack",
        "PUT",
        f"/packs/{pack_id}",
        caller=caller,
        json={"image_ref": image_ref},
        headers=headers,
    )


def shelved(registry: FakeRegistry, version: str, name: str = "slack") -> str:
    """Put an image of this version into the registry, tagged with it, and return its reference."""
    content = f"name: {name}\nversion: {version}\ndescription: of {version}\n".encode()
    pack_image(content).shelve(registry.shelves.repository("team/slack", create=True), version)
    return f"{urlsplit(registry.url).netloc}/team/slack:{version}"


@pytest.fixture
def pack(service: Service, third_party: FakeRegistry) -> dict[str, Any]:
    answer = service.send("create_pack", "POST", "/packs", json={"image_ref": shelved(third_party, "1.0.0")})
    body: dict[str, Any] = answer.body
    return body


def test_another_tag_replaces_everything_that_pack_yaml_states(
    service: Service, third_party: FakeRegistry, pack: dict[str, Any]
) -> None:
    reference = shelved(third_party, "2.0.0")

    answer = put(service, pack["id"], reference)

    assert (answer.status, answer.headers["ETag"]) == (200, '"2"')
    assert answer.body == pack | {
        "version": "2.0.0",
        "description": "of 2.0.0",
        "image_ref": reference,
        "image_digest": third_party.shelves.repository("team/slack").tags["2.0.0"],
        "size_bytes": answer.body["size_bytes"],
    }
    assert service.get(pack["id"]).body == answer.body


def test_what_changes_nothing_makes_no_revision(service: Service, pack: dict[str, Any]) -> None:
    answer = put(service, pack["id"], pack["image_ref"])

    assert (answer.status, answer.headers["ETag"], answer.body) == (200, '"1"', pack)


@pytest.mark.parametrize(
    "other",
    [
        "docker.io/library/slack:2",
        "{host}/team/other:1",
        "{host}/team/slack/deeper:1",
        "127.0.0.1:1/team/slack:1.0.0",
    ],
)
def test_only_the_tag_or_the_digest_may_change(
    service: Service, third_party: FakeRegistry, pack: dict[str, Any], other: str
) -> None:
    answer = put(service, pack["id"], other.format(host=urlsplit(third_party.url).netloc))

    assert (answer.status, list(answer.fields)) == (400, ["image_ref"])


def test_the_new_image_must_be_of_the_same_name(
    service: Service, third_party: FakeRegistry, pack: dict[str, Any]
) -> None:
    answer = put(service, pack["id"], shelved(third_party, "2.0.0", name="jira"))

    assert (answer.status, list(answer.fields)) == (400, ["pack.yaml:name"])


def test_an_image_that_is_not_there_changes_nothing(service: Service, pack: dict[str, Any]) -> None:
    answer = put(service, pack["id"], pack["image_ref"].replace("1.0.0", "3.0.0"))

    assert (answer.status, list(answer.fields)) == (400, ["image_ref"])
    assert service.get(pack["id"]).body == pack


def test_another_organisations_pack_looks_like_an_absent_one(service: Service, pack: dict[str, Any]) -> None:
    theirs = put(service, pack["id"], pack["image_ref"], GLOBEX)
    none = put(service, "pack_01HZ0000000000000000009999", pack["image_ref"], GLOBEX)

    assert (theirs.status, none.status) == (404, 404)
    assert theirs.error | {"request_id": ""} == none.error | {"request_id": ""}


def test_if_match_lets_only_a_caller_with_the_current_revision_change_the_pack(
    service: Service, third_party: FakeRegistry, pack: dict[str, Any]
) -> None:
    reference = shelved(third_party, "2.0.0")

    stale = put(service, pack["id"], reference, **{"If-Match": '"7"'})
    seen = put(service, pack["id"], reference, **{"If-Match": '"1"'})

    assert (stale.status, stale.error["code"]) == (412, "precondition_failed")
    assert seen.status == 200


@pytest.mark.parametrize("image_ref", ["", None, 7, "a b", "x" * 3000])
def test_a_wrong_reference_is_400_before_the_pack_is_looked_for(service: Service, image_ref: Any) -> None:
    answer = put(service, "pack_01HZ0000000000000000009999", image_ref)

    assert (answer.status, list(answer.fields)) == (400, ["image_ref"])


class TestRollback:
    @pytest.fixture
    def built(self, service: Service) -> dict[str, Any]:
        """Return a built pack at version 2.0.0, whose repository still has 1.0.0."""
        first: dict[str, Any] = service.upload(PackArchive(version="1.0.0").build()).body
        body, headers = multipart({"archive": PackArchive(version="2.0.0").build()})
        path = f"/packs/{first['id']}/upload"
        request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
        answer = service.request("reupload_pack", request)
        assert answer.status == 200, answer.body
        return first | {"now": answer.body}

    def test_a_built_pack_goes_back_to_an_earlier_version(
        self, service: Service, built: dict[str, Any]
    ) -> None:
        answer = put(service, built["id"], built["image_ref"])

        assert (answer.status, answer.headers["ETag"]) == (200, '"3"')
        assert answer.body["version"] == "1.0.0"
        assert answer.body["image_digest"] == built["image_digest"]
        assert answer.body["image_origin"] == "upload"

    def test_and_by_digest(self, service: Service, built: dict[str, Any]) -> None:
        repository = built["image_ref"].rpartition(":")[0]

        answer = put(service, built["id"], f"{repository}@{built['image_digest']}")

        assert (answer.status, answer.body["version"]) == (200, "1.0.0")

    def test_and_by_its_revision(self, service: Service, built: dict[str, Any]) -> None:
        first = service.send("list_revisions", "GET", f"/packs/{built['id']}/revisions").body["revisions"][-1]

        answer = service.send("replace_pack", "PUT", f"/packs/{built['id']}", json={"revision": 1})

        assert (answer.status, answer.body["image_digest"]) == (200, first["image_digest"])
        assert answer.body["version"] == first["version"]

    @pytest.mark.parametrize("revision", [99, 9_999_999_999])
    def test_a_revision_that_never_was_is_not_found_and_nothing_changes(
        self, service: Service, built: dict[str, Any], revision: int
    ) -> None:
        path = f"/packs/{built['id']}"

        answer = service.send("replace_pack", "PUT", path, json={"revision": revision})

        assert (answer.status, answer.body["error"]["code"]) == (404, "revision_not_found")
        assert service.get(built["id"]).body == built["now"]

    @pytest.mark.parametrize(
        ("body", "field", "advice"),
        [
            ({"revision": 0}, "revision", "a whole number from 1, as in 3"),
            ({"revision": "1"}, "revision", "a whole number from 1"),
            ({"revision": True}, "revision", "a whole number from 1"),
            ({"revision": 1, "image_ref": "a/b:1"}, "revision", "send one of them"),
            ({}, "image_ref", 'or a revision to go back to, as in {"revision": 3}'),
        ],
    )
    def test_a_body_says_one_thing(
        self, service: Service, built: dict[str, Any], body: dict[str, Any], field: str, advice: str
    ) -> None:
        answer = service.send("replace_pack", "PUT", f"/packs/{built['id']}", json=body)

        assert (answer.status, list(answer.body["error"]["details"]["fields"])) == (400, [field])
        assert advice in answer.body["error"]["details"]["fields"][field]

    def test_a_pack_that_went_back_has_the_digests_that_it_had_before(
        self, service: Service, built: dict[str, Any]
    ) -> None:
        answer = put(service, built["id"], built["image_ref"])

        assert answer.body["content_digest"] == built["content_digest"]
        back = service.services.packs.get(built["id"])
        assert back is not None
        assert back.chain_id is not None
        # With it, changes and archives that come next are built upon the image's layers.
        assert back.layer_digest in {layer.digest for layer in back.layers}

    def test_a_clone_under_another_name_goes_back_although_its_pack_yaml_has_its_source_s(
        self, service: Service, built: dict[str, Any]
    ) -> None:
        clone = service.clone(built["id"], name="other").body
        edited = change(service, clone["id"], {"guides/new.md": b"new"})
        assert edited.status == 200, edited.body
        repository = clone["image_ref"].rpartition(":")[0]

        answer = put(service, clone["id"], f"{repository}@{clone['image_digest']}")

        assert answer.status == 200, answer.body
        assert (answer.body["name"], answer.body["content_digest"]) == ("other", clone["content_digest"])

    def test_a_repeat_of_what_the_pack_went_back_to_changes_nothing(
        self, service: Service, built: dict[str, Any]
    ) -> None:
        back = put(service, built["id"], built["image_ref"])

        again = service.upload(PackArchive(version="1.0.0").build())

        assert (again.status, again.body) == (200, back.body)

    def test_neither_image_goes_when_their_cleanup_messages_come_due(
        self, service: Service, built: dict[str, Any]
    ) -> None:
        put(service, built["id"], built["image_ref"])
        service.settle()

        kept = service.images()[f"packs/{ACME.org_id}/slack"]
        assert {built["image_digest"], built["now"]["image_digest"]} <= kept


def test_a_replacement_killed_at_any_moment_leaves_the_pack_as_it_was_or_as_it_is_to_be(
    service: Service, third_party: FakeRegistry, pack: dict[str, Any]
) -> None:
    log = Log()
    with service.wire.tapped(log):
        before = put(service, pack["id"], shelved(third_party, "2.0.0")).body["version"]
    policy = "dynamodb.GetItem"
    assert log.calls == ["dynamodb.GetItem", "registry", policy, "dynamodb.TransactWriteItems"]

    points = len(log.passed)
    for moment in range(points + 1):
        version = f"{moment + 3}.0.0"
        reference = shelved(third_party, version)
        with pytest.raises(Killed), service.wire.tapped(crash_at(moment, points)):
            put(service, pack["id"], reference)
        service.new_process()

        assert service.get(pack["id"]).body["version"] == (before if moment < points else version)
        after = put(service, pack["id"], reference)
        assert (after.status, after.body["version"]) == (200, version)
        before = version
