"""PUT /packs/{id}/files/{path}, through its real handler."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from tests.aws import BUCKET
from tests.engine.taps import Before, Killed, Log, PointName, crash_at, moments
from tests.fake_registry.moods import Garbles, Refuses
from tests.gateway import Answer, Request
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service, running_service

from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.pack import ImageOrigin, Tier
from packyard.tenants.caller import Caller

FILES = {"guides/a.md": b"# a\n", "guides/b.md": b"# b\n", "data/noise.bin": bytes(range(256)) * 6000}
ARCHIVE = PackArchive(files=FILES)
UNKNOWN = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"
REPOSITORY = f"packs/{ACME.org_id}/slack"


def put(
    service: Service,
    pack_id: str,
    path: str,
    content: bytes,
    caller: Caller | None = ACME,
    *,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    encoded = "/".join(quote(segment, safe="") for segment in path.split("/"))
    request = Request(
        method="PUT",
        resource="/packs/{id}/files/{path+}",
        path=f"/packs/{pack_id}/files/{encoded}",
        headers=dict(headers or {"Content-Type": "application/octet-stream"}),
        body=content,
        caller=caller,
    )
    return service.request("put_file", request)


def get(service: Service, pack_id: str, path: str) -> dict[str, Any]:
    request = Request(method="GET", resource="/x", path=f"/packs/{pack_id}/files/{path}", caller=ACME)
    answer: dict[str, Any] = service.invoke("get_file", request.event())
    return answer


def listed(service: Service, pack_id: str) -> dict[str, str]:
    """Return the digest of each of a pack's files."""
    request = Request(method="GET", resource="/x", path=f"/packs/{pack_id}/files", caller=ACME)
    body = json.loads(service.invoke("list_files", request.event())["body"])
    return {file["path"]: file["digest"] for file in body["files"]}


def upload(service: Service, archive: PackArchive = ARCHIVE, **more: Any) -> dict[str, Any]:
    answer = service.upload(archive.build(), **more)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def row(service: Service, pack_id: str, **changes: Any) -> None:
    """Let a pack's row say something that no request of this test can bring about."""
    before = service.services.packs.get(pack_id)
    assert before is not None
    after = before.revised(at=service.clock(), **changes)
    service.services.packs.change(before, after, actor="test", operation="test")


class TestWriting:
    @pytest.mark.parametrize(
        ("path", "content"),
        [
            pytest.param("guides/a.md", b"# another\n", id="a file that is there"),
            pytest.param("guides/a.md", b"", id="nothing in place of something"),
            pytest.param("guides/new/deep.md", b"new", id="a new file in a new directory"),
            pytest.param("LICENSE", b"MIT", id="a new file at the root"),
            pytest.param("data/grüße 50%.bin", b"\x00\xff", id="bytes under a name of any kind"),
            pytest.param("data/noise.bin", b"\xff" * 3_000_000, id="a large one"),
            pytest.param("pack.yaml", b"version: 1.4.0\nname: slack\n", id="the manifest"),
        ],
    )
    def test_what_comes_out_is_what_a_new_archive_would_have_made(
        self, service: Service, path: str, content: bytes
    ) -> None:
        pack = upload(service)

        answer = put(service, pack["id"], path, content)

        assert (answer.status, answer.headers["ETag"]) == (200, '"2"'), answer.body
        assert answer.body == service.get(pack["id"]).body
        assert answer.body["version"] == pack["version"]
        assert answer.body["image_digest"] != pack["image_digest"]
        whole = replace(ARCHIVE, files={**FILES, path: content})
        theirs = upload(service, whole, caller=GLOBEX) if path != "pack.yaml" else None
        assert theirs is None or theirs["image_digest"] == answer.body["image_digest"]

    def test_the_image_is_tagged_and_the_one_before_stays(self, service: Service) -> None:
        pack = upload(service)

        after = put(service, pack["id"], "guides/a.md", b"new").body
        service.settle()

        assert service.registry.shelves.repository(REPOSITORY).tags == {"1.4.0": after["image_digest"]}
        assert {pack["image_digest"], after["image_digest"]} <= service.images()[REPOSITORY]

    def test_every_other_file_is_in_the_new_layer_byte_for_byte_as_it_was(self, service: Service) -> None:
        pack = upload(service)
        blobs = service.registry.shelves.repository(REPOSITORY).blobs
        before = service.services.packs.get(pack["id"])
        put(service, pack["id"], "guides/a.md", b"new")
        after = service.services.packs.get(pack["id"])

        def members(pack: Any) -> dict[str, bytes]:
            index = service.services.indexes.get(pack.layer_digest)
            assert index is not None
            blob = blobs[pack.layer_digest]
            return {
                file.path: b"".join(blob[m.offset : m.offset + m.length] for m in file.pieces)
                for file in index.files
            }

        assert members(before).keys() == members(after).keys()
        assert {path for path, data in members(before).items() if members(after)[path] != data} == {
            "guides/a.md"
        }

    def test_the_execute_bit_stays_and_a_new_file_has_none(self, service: Service) -> None:
        pack = upload(service)
        row_before = service.services.packs.get(pack["id"])
        assert row_before is not None
        put(service, pack["id"], "scripts/new.sh", b"#!/bin/sh\n")

        now = service.services.packs.get(pack["id"])
        assert now is not None
        assert now.layer_digest is not None
        index = service.services.indexes.get(now.layer_digest)
        assert index is not None
        assert {file.mode for file in index.files} == {0o644}

    def test_a_manifest_states_what_else_the_pack_says(self, service: Service) -> None:
        pack = upload(service)

        after = put(
            service,
            pack["id"],
            "pack.yaml",
            b"name: slack\nversion: 1.4.0\ncategory: messaging\ndescription: New.\n",
        )

        assert (after.body["category"], after.body["description"]) == ("messaging", "New.")

    def test_what_is_there_already_changes_nothing(self, service: Service) -> None:
        pack = upload(service)
        service.registry.requests.clear()

        again = put(service, pack["id"], "guides/a.md", FILES["guides/a.md"])

        assert (again.status, again.body, again.headers["ETag"]) == (200, pack, '"1"')
        assert service.registry.requests == []

    def test_the_new_index_is_there_at_once(self, service: Service) -> None:
        pack = upload(service)
        put(service, pack["id"], "guides/a.md", b"new")
        service.registry.requests.clear()

        assert get(service, pack["id"], "guides/a.md")["body"] == "new"
        assert len(service.registry.requests) == 1

    @pytest.mark.parametrize("damage", ["lost", "nonsense", "of another layer", "for another layer"])
    def test_no_index_can_make_an_edit_go_wrong(self, service: Service, damage: str) -> None:
        pack = upload(service)
        before = listed(service, pack["id"])
        (key,) = (key for key in service.aws.objects() if key.startswith("indexes/"))
        if damage == "lost":
            service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
        elif damage == "nonsense":
            service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"nonsense")
        else:
            other = upload(service, replace(ARCHIVE, name="jira"))
            stored = service.services.packs.get(pack["id"])
            theirs = service.services.packs.get(other["id"])
            assert stored is not None
            assert theirs is not None
            assert stored.layer_digest is not None
            assert theirs.layer_digest is not None
            index = service.services.indexes.get(theirs.layer_digest)
            assert index is not None
            size = len(service.registry.shelves.repository(REPOSITORY).blobs[stored.layer_digest])
            own = (replace(index.layers[0], digest=stored.layer_digest, size=size),)
            wrong = index if damage == "for another layer" else replace(index, layers=own)
            service.services.indexes.put(stored.layer_digest, wrong)

        assert put(service, pack["id"], "guides/new.md", b"new").status == 200

        after = listed(service, pack["id"])
        assert {path: digest for path, digest in after.items() if path != "guides/new.md"} == before

    def test_a_rolled_back_pack_can_be_edited(self, service: Service) -> None:
        pack = upload(service)
        put(service, pack["id"], "guides/a.md", b"new")
        reference = f"{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"
        back = service.send("replace_pack", "PUT", f"/packs/{pack['id']}", json={"image_ref": reference})
        assert back.status == 200, back.body

        answer = put(service, pack["id"], "guides/b.md", b"other")

        assert (answer.status, answer.body["image_ref"]) == (200, pack["image_ref"])
        assert get(service, pack["id"], "guides/a.md")["body"] == "# a\n"


class TestConditions:
    @pytest.mark.parametrize("if_match", ['"1"', "*", '"9", "1"'])
    def test_if_match_lets_the_revision_that_was_seen_through(self, service: Service, if_match: str) -> None:
        pack = upload(service)

        assert put(service, pack["id"], "guides/a.md", b"new", headers={"If-Match": if_match}).status == 200

    def test_the_file_s_own_entity_tag_is_as_good(self, service: Service) -> None:
        pack = upload(service)
        tag = get(service, pack["id"], "guides/a.md")["multiValueHeaders"]["ETag"][0]

        first = put(service, pack["id"], "guides/a.md", b"new", headers={"If-Match": tag})
        second = put(service, pack["id"], "guides/a.md", b"newer", headers={"If-Match": tag})

        assert first.status == 200
        assert (second.status, second.error["code"]) == (412, "precondition_failed")
        assert second.error["details"] == {"revision": 2}
        assert f'The file is "sha256:{hashlib.sha256(b"new").hexdigest()}"' in second.error["message"]

    def test_a_file_can_be_written_only_if_it_is_new(self, service: Service) -> None:
        pack = upload(service)
        headers = {"If-None-Match": "*"}

        there = put(service, pack["id"], "guides/a.md", b"new", headers=headers)
        new = put(service, pack["id"], "guides/new.md", b"new", headers=headers)

        assert (there.status, there.error["details"]) == (412, {"revision": 1})
        assert (new.status, new.headers["ETag"]) == (200, '"2"')

    @pytest.mark.parametrize(
        ("if_match", "status", "code"),
        [
            pytest.param('"7"', 412, "precondition_failed", id="another revision"),
            pytest.param("1", 400, "validation_error", id="not a tag"),
        ],
    )
    def test_if_match_refuses_anything_else(
        self, service: Service, if_match: str, status: int, code: str
    ) -> None:
        pack = upload(service)

        refused = put(service, pack["id"], "guides/a.md", b"new", headers={"If-Match": if_match})

        assert (refused.status, refused.error["code"]) == (status, code)
        assert service.get(pack["id"]).body == pack

    @pytest.mark.parametrize(
        ("if_match", "status", "code"), [(None, 409, "pack_modified"), ('"1"', 412, "precondition_failed")]
    )
    def test_of_two_concurrent_changes_the_later_is_refused_and_leaves_nothing(
        self, service: Service, if_match: str | None, status: int, code: str
    ) -> None:
        pack = upload(service)
        headers = {"If-Match": if_match} if if_match else None
        others: list[Answer] = []

        def overtake() -> None:
            with service.another_process(), service.wire.sent_by("another"):
                others.append(put(service, pack["id"], "guides/b.md", b"first"))

        before = Before(at=PointName("dynamodb.TransactWriteItems"), what=overtake)
        with service.wire.tapped(interrupt=before):
            refused = put(service, pack["id"], "guides/a.md", b"second", headers=headers)
        service.settle()

        assert [other.status for other in others] == [200]
        assert (refused.status, refused.error["code"]) == (status, code)
        assert service.get(pack["id"]).body == others[0].body
        assert_nothing_else_is_kept(
            service, pack["id"], {pack["image_digest"], others[0].body["image_digest"]}
        )


class TestRefusals:
    @pytest.mark.parametrize(
        ("caller", "status", "code"),
        [
            pytest.param(None, 401, "unauthenticated", id="no caller"),
            pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
            pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="a lapsed tenant"),
        ],
    )
    def test_a_missing_write_scope_is_reported_first(
        self, service: Service, caller: Caller | None, status: int, code: str
    ) -> None:
        answer = put(service, UNKNOWN, "../x", b"", caller)

        assert (answer.status, answer.error["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("visibility", "status", "code"),
        [("org", 404, "pack_not_found"), ("community", 403, "permission_denied")],
    )
    def test_another_organisation_s_pack_is_not_ours_to_change(
        self, service: Service, visibility: str, status: int, code: str
    ) -> None:
        pack = upload(service, visibility=visibility)

        refused = put(service, pack["id"], "guides/a.md", b"new", GLOBEX)

        assert (refused.status, refused.error["code"]) == (status, code)
        assert service.get(pack["id"]).body == pack

    @pytest.mark.parametrize("pack_id", [UNKNOWN, "x"])
    def test_a_pack_that_is_not_there_is_404(self, service: Service, pack_id: str) -> None:
        assert put(service, pack_id, "guides/a.md", b"").error["code"] == "pack_not_found"

    @pytest.mark.parametrize("tier", [Tier.VERIFIED, Tier.RECOMMENDED])
    def test_a_pack_of_a_vouched_tier_is_not_changed(self, service: Service, tier: Tier) -> None:
        pack = upload(service)
        row(service, pack["id"], tier=tier)

        assert put(service, pack["id"], "guides/a.md", b"new").error["code"] == "permission_denied"

    def test_a_clone_takes_a_file_and_its_source_stays(self, service: Service) -> None:
        source = upload(service, caller=GLOBEX, visibility="community")
        clone = service.send("clone_pack", "POST", f"/packs/{source['id']}/clone", json={"name": "ours"}).body

        changed = put(service, clone["id"], "guides/a.md", b"new").body

        assert (changed["image_origin"], changed["name"]) == ("clone", "ours")
        assert get(service, clone["id"], "guides/a.md")["body"] == "new"
        assert get(service, source["id"], "guides/a.md")["body"] == "# a\n"

    def test_a_registered_image_takes_no_file(self, service: Service) -> None:
        pack = upload(service)
        row(service, pack["id"], image_origin=ImageOrigin.IMAGE_REF)

        refused = put(service, pack["id"], "guides/a.md", b"new")

        assert (refused.status, list(refused.fields)) == (400, ["id"])

    @pytest.mark.parametrize(
        "path",
        [
            "../pack.yaml",
            "guides",
            "guides/",
            "bin/x",
            "other.md",
            "README.md/x",
            "pack.yaml/x",
            "guides/a.md/x",
            "guides/.wh.a.md",
            "guides/.DS_Store",
            "guides/a\\b",
            "guides/a\nb",
            "guides/" + "x" * 256,
            "guides/" + "d/" * 32 + "x",
            "guides/" + ("d" * 250 + "/") * 4 + "x" * 20,
        ],
    )
    def test_what_no_archive_could_hold_is_400_on_its_path(self, service: Service, path: str) -> None:
        pack = upload(service)

        refused = put(service, pack["id"], path, b"x")

        assert (refused.status, list(refused.fields)) == (400, ["path"]), refused.body
        assert service.get(pack["id"]).body == pack

    def test_a_path_has_only_one_accepted_spelling(self, service: Service) -> None:
        pack = upload(service, PackArchive(files={"guides/ü.md": b""}))

        assert list(put(service, pack["id"], "guides/u\u0308.md", b"x").fields) == ["path"]

    @pytest.mark.parametrize(
        ("manifest", "field"),
        [
            (b"name: jira\nversion: 1.4.0\n", "pack.yaml:name"),
            (b"name: slack\nversion: 1.5.0\n", "pack.yaml:version"),
            (b"name: slack\nversion: 1.4.0\ntypo: 1\n", "pack.yaml:typo"),
            (b"\xff", "pack.yaml"),
            (b"#" * 300_000, "pack.yaml"),
        ],
    )
    def test_a_manifest_is_held_to_the_pack(self, service: Service, manifest: bytes, field: str) -> None:
        pack = upload(service)

        refused = put(service, pack["id"], "pack.yaml", manifest)

        assert (refused.status, list(refused.fields)) == (400, [field])

    def test_a_body_over_the_gateway_s_limit_is_413(self, service: Service) -> None:
        assert put(service, UNKNOWN, "guides/a.md", b"x" * 4_718_593).error["code"] == "payload_too_large"

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [
            (ArchiveLimits(members=8), "more than 8 members"),
            (ArchiveLimits(unpacked_bytes=1_550_000), "unpack to more than 1550000 bytes"),
        ],
    )
    def test_a_pack_grows_no_larger_than_an_archive_may(self, limits: ArchiveLimits, reason: str) -> None:
        with running_service(limits=limits) as service:
            pack = upload(service)

            refused = put(service, pack["id"], "guides/d/e/f.md", b"x" * 20_000)

            assert reason in refused.fields["path"]

    def test_a_pack_that_is_being_deleted_takes_nothing(self, service: Service) -> None:
        pack = upload(service)
        service.registry.moods.append(Refuses(method="DELETE", status=503))
        assert service.delete(pack["id"]).status == 502

        assert put(service, pack["id"], "guides/a.md", b"new").error["code"] == "pack_deleting"

    @pytest.mark.parametrize(
        "mood",
        [
            pytest.param(Refuses(method="GET", path="/blobs/", status=503), id="does not give"),
            pytest.param(Garbles(method="GET", path="/blobs/"), id="gives something else"),
            pytest.param(Refuses(method="PUT", path="/manifests/", status=503), id="does not take"),
        ],
    )
    def test_a_registry_that_fails_leaves_the_pack_as_it_was(self, service: Service, mood: Any) -> None:
        pack = upload(service)
        service.registry.moods.append(mood)

        refused = put(service, pack["id"], "guides/a.md", b"new")
        service.registry.moods.clear()
        service.settle()

        assert (refused.status, refused.error["code"]) == (502, "registry_unavailable")
        assert service.get(pack["id"]).body == pack
        assert_nothing_else_is_kept(service, pack["id"], {pack["image_digest"]})


def assert_nothing_else_is_kept(service: Service, pack_id: str, images: set[str]) -> None:
    """Only these images are in the registry, and the tag names the one that the row does."""
    pack = service.get(pack_id).body
    repository = service.registry.shelves.repository(REPOSITORY)
    indexes = {digest for digest, kept in repository.manifests.items() if b'"manifests"' in kept.raw}
    assert indexes == images
    assert repository.tags[pack["version"]] == pack["image_digest"]
    assert service.aws.staged() == []
    assert service.aws.queued() == []


def points_of_an_edit() -> Log:
    with running_service() as service:
        pack = upload(service)
        service.settle()
        log = Log()
        with service.wire.tapped(log):
            assert put(service, pack["id"], "guides/a.md", b"new").status == 200
    return log


EDIT = points_of_an_edit()


def test_an_edit_takes_these_steps_in_this_order() -> None:
    assert EDIT.calls == [
        "dynamodb.GetItem",
        "s3.GetObject",
        "registry",
        "dynamodb.UpdateItem",
        "s3.PutObject",
        "sqs.SendMessage",
        "registry",
        "dynamodb.TransactWriteItems",
        "registry",
    ]


@pytest.mark.parametrize("moment", moments(EDIT.passed))
def test_an_edit_killed_at_any_moment_leaves_the_old_pack_or_the_new_one_and_a_retry_succeeds(
    moment: int,
) -> None:
    with running_service() as service:
        pack = upload(service)
        service.settle()
        crash = crash_at(moment, len(EDIT.passed))
        with pytest.raises(Killed), service.wire.tapped(crash):
            put(service, pack["id"], "guides/a.md", b"new")
        service.new_process()

        service.settle()
        service.clock.advance(DEADLINE)
        now = service.get(pack["id"]).body
        assert_nothing_else_is_kept(service, pack["id"], {pack["image_digest"], now["image_digest"]})

        retried = put(service, pack["id"], "guides/a.md", b"new")
        assert (retried.status, retried.headers["ETag"]) == (200, '"2"')
        service.settle()
        images = {pack["image_digest"], retried.body["image_digest"]}
        assert_nothing_else_is_kept(service, pack["id"], images)
