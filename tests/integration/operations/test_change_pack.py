"""POST /packs/{id}/changes, through its real handler, and the staged way to the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.changes import archive_of, change, changes_form
from tests.engine.taps import Before, Killed, Log, PointName, crash_at
from tests.fake_registry.moods import Refuses
from tests.gateway import Answer, Request
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service, running_service
from tests.small_layers import shrink_layers
from tests.staged_uploads import arrive, deliver, look, start

from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.pack import ImageOrigin, Tier
from packyard.store.keys import upload_key
from packyard.tenants.caller import Caller

FILES = {f"{top}/{number}.md": b"%d" % number * 900 for number, top in enumerate(["data", "guides"] * 60)}
ARCHIVE = PackArchive(files=FILES)
UNKNOWN = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"
REPOSITORY = f"packs/{ACME.org_id}/slack"


def upload(service: Service, archive: PackArchive = ARCHIVE, **more: Any) -> dict[str, Any]:
    answer = service.upload(archive.build(), **more)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def listed(service: Service, pack_id: str) -> dict[str, Any]:
    request = Request(method="GET", resource="/x", path=f"/packs/{pack_id}/files", caller=ACME)
    body: dict[str, Any] = json.loads(service.invoke("list_files", request.event())["body"])
    return {file["path"]: file for file in body["files"]}


def row(service: Service, pack_id: str, **changes: Any) -> None:
    """Let a pack's row say something that no request of this test can bring about."""
    before = service.services.packs.get(pack_id)
    assert before is not None
    after = before.revised(at=service.clock(), **changes)
    service.services.packs.change(before, after, actor="test", operation="test")


def operations(service: Service, pack_id: str) -> list[str]:
    revisions = service.send("list_revisions", "GET", f"/packs/{pack_id}/revisions").body["revisions"]
    return [revision["operation"] for revision in revisions]


def staged(
    service: Service,
    pack_id: str,
    files: Mapping[str, bytes],
    delete: Sequence[str] = (),
    *,
    if_match: str | None = None,
) -> Answer:
    started = start(service, pack_id=pack_id, kind="changes", delete=list(delete), if_match=if_match)
    assert started.status == 201, started.body
    upload_id = started.body["upload_id"]
    assert deliver(service, arrive(service, upload_id, archive_of(files))) == []
    return look(service, upload_id)


class TestChanging:
    @pytest.mark.parametrize(
        ("files", "delete"),
        [
            pytest.param({"guides/1.md": b"another"}, (), id="a file is replaced"),
            pytest.param({"templates/deep/new.md": b"new", "LICENSE": b"MIT"}, (), id="files are added"),
            pytest.param(None, ("guides/1.md", "data/0.md"), id="files are deleted"),
            pytest.param(None, ("guides/",), id="a folder is deleted"),
            pytest.param({"guides/x/y.md": b"y"}, ("data/", "guides/3.md"), id="all of it"),
            pytest.param({"guides/1.md/a.md": b"a"}, ("guides/1.md",), id="a folder takes a file's place"),
            pytest.param({"pack.yaml": b"name: slack\nversion: 1.5.0\n"}, (), id="another version"),
        ],
    )
    def test_what_comes_out_is_what_a_new_archive_would_have_made(
        self, service: Service, files: Mapping[str, bytes] | None, delete: Sequence[str]
    ) -> None:
        pack = upload(service)

        answer = change(service, pack["id"], files, delete)

        assert (answer.status, answer.headers["ETag"]) == (200, '"2"'), answer.body
        assert answer.body == service.get(pack["id"]).body
        assert operations(service, pack["id"]) == ["changes", "upload"]
        kept = {path: content for path, content in FILES.items() if path not in delete}
        kept = {path: content for path, content in kept.items() if f"{path.partition('/')[0]}/" not in delete}
        after = kept | dict(files or {})
        manifest = after.pop("pack.yaml", None)
        theirs = upload(
            service,
            replace(ARCHIVE, files=after, version="1.5.0" if manifest else "1.4.0"),
            caller=GLOBEX,
        )
        assert theirs["version"] == answer.body["version"]
        if manifest is None:
            assert theirs["image_digest"] == answer.body["image_digest"]
        else:
            tags = service.registry.shelves.repository(REPOSITORY).tags
            assert tags == {"1.4.0": pack["image_digest"], "1.5.0": answer.body["image_digest"]}

    def test_an_archive_states_the_modes_of_its_files(self, service: Service) -> None:
        pack = upload(service)

        change(service, pack["id"], archive_of({"guides/1.md": FILES["guides/1.md"]}, mode=0o755))

        assert listed(service, pack["id"])["guides/1.md"]["mode"] == "0755"

    def test_an_empty_folder_may_come_and_go(self, service: Service) -> None:
        pack = upload(service)

        came = change(service, pack["id"], archive_of({"templates/": b"", "templates/none/": b""}))
        again = change(service, pack["id"], archive_of({"templates/none/": b""}))
        went = change(service, pack["id"], delete=["templates/"])

        assert [answer.headers["ETag"] for answer in (came, again, went)] == ['"2"', '"2"', '"3"']
        assert came.body["image_digest"] != went.body["image_digest"] == pack["image_digest"]

    @pytest.mark.parametrize(
        "files", [{"guides/1.md": FILES["guides/1.md"]}, {"guides/": b"", "data/0.md": FILES["data/0.md"]}]
    )
    def test_a_change_that_changes_nothing_writes_no_revision(
        self, service: Service, files: Mapping[str, bytes]
    ) -> None:
        pack = upload(service)
        service.registry.requests.clear()

        answer = change(service, pack["id"], files)

        assert (answer.status, answer.body) == (200, pack)
        assert operations(service, pack["id"]) == ["upload"]
        assert service.registry.requests == []

    def test_a_clone_is_changed_and_its_source_stays(self, service: Service) -> None:
        source = upload(service, caller=GLOBEX, visibility="community")
        clone = service.clone(source["id"], name="ours").body

        answer = change(service, clone["id"], {"guides/1.md": b"ours"}, ["data/"])

        assert (answer.status, answer.body["name"], answer.body["image_origin"]) == (200, "ours", "clone")
        assert service.get(source["id"], GLOBEX).body == source

    def test_a_repeat_with_its_key_gets_the_first_answer(self, service: Service) -> None:
        pack = upload(service)

        first, second = (
            change(service, pack["id"], None, ["data/0.md"], headers={"Idempotency-Key": "k"})
            for _ in range(2)
        )

        assert (first.status, second.status, first.body) == (200, 200, second.body)
        assert operations(service, pack["id"]) == ["changes", "upload"]
        other = change(service, pack["id"], None, ["data/2.md"], headers={"Idempotency-Key": "k"})
        assert list(other.fields) == ["Idempotency-Key"]


class TestSeveralLayers:
    @pytest.fixture
    def service(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        shrink_layers(monkeypatch)
        with running_service() as running:
            yield running

    def test_only_layers_in_which_something_changes_are_read_and_sent(self, service: Service) -> None:
        pack = upload(service)
        before = self._layers(service, pack["image_digest"])
        service.registry.requests.clear()

        answer = change(service, pack["id"], {"data/0.md": b"new", "data/10.md": b"new"}, ["data/100.md"])

        after = self._layers(service, answer.body["image_digest"])
        made = set(after) - set(before)
        # A deletion can move the next cut, too.
        assert 1 <= len(made) <= 2 < len(before) - 2
        gets = [request.path for request in service.registry.requests if request.method == "GET"]
        read = [path.rpartition("/")[2] for path in gets if "/blobs/" in path]
        assert read == [layer for layer in before if layer not in after]
        # The new layers, and a config for each platform.
        assert sum(request.method == "POST" for request in service.registry.requests) == len(made) + 2

    def test_a_folder_of_whole_layers_goes_without_being_read(self, service: Service) -> None:
        pack = upload(service)
        before = self._layers(service, pack["image_digest"])

        answer = change(service, pack["id"], delete=["guides/"])

        kept = {path: content for path, content in FILES.items() if path.startswith("data/")}
        theirs = upload(service, PackArchive(files=kept), caller=GLOBEX)
        assert answer.body["image_digest"] == theirs["image_digest"]
        assert set(self._layers(service, answer.body["image_digest"])) & set(before)

    def test_a_change_killed_at_any_moment_takes_nothing_from_the_pack(self, service: Service) -> None:
        pack = upload(service)
        change(service, pack["id"], {"data/0.md": b"12"}, ["data/10.md"])
        service.settle()
        log = Log()
        with service.wire.tapped(log):
            change(service, pack["id"], {"data/0.md": b"34"})
        blobs = service.registry.shelves.repositories[REPOSITORY].blobs

        for moment in range(len(log.passed) + 1):
            with pytest.raises(Killed), service.wire.tapped(crash_at(moment, len(log.passed))):
                change(service, pack["id"], {"data/0.md": b"%02d" % moment})
            service.new_process()
            service.settle()
            service.clock.advance(DEADLINE)
            stands = service.get(pack["id"]).body
            assert set(self._layers(service, stands["image_digest"])) <= blobs.keys()
        assert change(service, pack["id"], {"data/0.md": b"at last"}).status == 200

    def _layers(self, service: Service, image_digest: str) -> list[str]:
        manifests = service.registry.shelves.repositories[REPOSITORY].manifests
        index = json.loads(manifests[image_digest].raw)  # type: ignore[index]
        manifest = json.loads(manifests[index["manifests"][0]["digest"]].raw)
        return [layer["digest"] for layer in manifest["layers"]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("caller", "status", "code"),
        [
            pytest.param(None, 401, "unauthenticated", id="no caller"),
            pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
            pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="a lapsed tenant"),
        ],
    )
    def test_who_may_not_write_is_told_first(
        self, service: Service, caller: Caller | None, status: int, code: str
    ) -> None:
        answer = change(service, UNKNOWN, b"", caller=caller)

        assert (answer.status, answer.error["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("visibility", "status", "code"),
        [("org", 404, "pack_not_found"), ("community", 403, "permission_denied")],
    )
    def test_another_organisation_s_pack(
        self, service: Service, visibility: str, status: int, code: str
    ) -> None:
        pack = upload(service, visibility=visibility)

        refused = change(service, pack["id"], {"guides/1.md": b"new"}, caller=GLOBEX)

        assert (refused.status, refused.error["code"]) == (status, code)
        assert service.get(pack["id"]).body == pack

    def test_a_pack_that_is_not_there(self, service: Service) -> None:
        assert change(service, UNKNOWN, {"guides/1.md": b""}).error["code"] == "pack_not_found"

    def test_a_pack_of_a_vouched_tier(self, service: Service) -> None:
        pack = upload(service)
        row(service, pack["id"], tier=Tier.VERIFIED)

        assert change(service, pack["id"], {"guides/1.md": b"new"}).error["code"] == "permission_denied"

    def test_a_registered_image(self, service: Service) -> None:
        pack = upload(service)
        row(service, pack["id"], image_origin=ImageOrigin.IMAGE_REF)

        refused = change(service, pack["id"], {"guides/1.md": b"new"})

        assert (refused.status, list(refused.fields)) == (400, ["id"])

    @pytest.mark.parametrize(
        ("files", "delete", "fields"),
        [
            pytest.param(None, (), ["archive"], id="nothing"),
            pytest.param(b"", (), ["archive"], id="an archive without bytes"),
            pytest.param(b"\x1f\x8b\x08", (), ["archive"], id="half an archive"),
            pytest.param({}, (), ["archive"], id="an archive without files"),
            pytest.param({"slack/guides/a.md": b""}, (), ["archive:slack"], id="a folder around the files"),
            pytest.param({"bin/a": b"", "x.md": b""}, (), ["archive:bin", "archive:x.md"], id="no such root"),
            pytest.param({"pack.yaml": b"name: slack\n"}, (), ["pack.yaml:version"], id="half a manifest"),
            pytest.param(
                {"pack.yaml": b"name: jira\nversion: 1.4.0\n"}, (), ["pack.yaml:name"], id="another name"
            ),
            pytest.param(None, ("pack.yaml",), ["delete:pack.yaml"], id="no manifest"),
            pytest.param(
                {"pack.yaml": b"name: slack\nversion: 1.4.0\n"},
                ("pack.yaml",),
                ["delete:pack.yaml"],
                id="the manifest twice",
            ),
            pytest.param(
                None,
                ("data/0.md", "data/none", "none/"),
                ["delete:data/none", "delete:none/"],
                id="not there",
            ),
            pytest.param(None, ("data/0.md", "data/0.md"), ["delete:data/0.md"], id="a path twice"),
            pytest.param(
                {"data/0.md": b"new"}, ("data/0.md",), ["archive:data/0.md"], id="deleted and replaced"
            ),
            pytest.param(
                {"data/0.md": b"new"}, ("data/",), ["archive:data/0.md"], id="below what is deleted"
            ),
            pytest.param({"data/0.md/x": b""}, (), ["archive:data/0.md/x"], id="below a file"),
        ],
    )
    def test_what_is_wrong_is_400_by_its_path_and_changes_nothing(
        self,
        service: Service,
        files: Mapping[str, bytes] | bytes | None,
        delete: Sequence[str],
        fields: list[str],
    ) -> None:
        pack = upload(service)

        refused = change(service, pack["id"], files, delete)

        assert (refused.status, list(refused.fields)) == (400, fields), refused.body
        assert service.get(pack["id"]).body == pack

    def test_more_deletions_than_may_be(self, service: Service) -> None:
        refused = change(service, UNKNOWN, None, [f"data/{number}" for number in range(1001)])

        assert refused.fields == {"delete": "is given more than 1000 times"}

    def test_a_path_that_is_a_file_or_no_text(self, service: Service) -> None:
        body, headers = changes_form(None, ["data/0.md"])
        for wrong in (
            body.replace(b'name="delete"', b'name="delete"; filename="a"'),
            body.replace(b"data/0.md", b"\xff"),
        ):
            request = Request(
                method="POST",
                resource="/packs/{id}/changes",
                path=f"/packs/{UNKNOWN}/changes",
                headers=headers,
                body=wrong,
                caller=ACME,
            )
            refused = service.request("change_pack", request)
            assert (refused.status, list(refused.fields)) == (400, ["delete"])

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [
            (ArchiveLimits(members=8), "more than 8 members"),
            (ArchiveLimits(unpacked_bytes=30_000), "unpack to more than 30000 bytes"),
        ],
    )
    def test_a_pack_grows_no_larger_than_an_archive_may(self, limits: ArchiveLimits, reason: str) -> None:
        with running_service(limits=limits) as service:
            pack = upload(service, PackArchive(files={"data/a": b"x" * 15_000, "data/b": b""}))

            refused = change(service, pack["id"], {f"guides/{n}/x": b"x" * 4_000 for n in range(3)})

            assert reason in refused.fields["archive"]
            assert service.get(pack["id"]).body == pack

    def test_a_pack_whose_archive_did_not_list_folders_can_be_changed_as_long_as_it_does_not_grow(
        self,
    ) -> None:
        with running_service(limits=ArchiveLimits(members=8)) as service:
            pack = upload(service, PackArchive(files={f"data/{number}/x": b"x" for number in range(6)}))

            replaced = change(service, pack["id"], {"data/0/x": b"y"})
            deleted = change(service, pack["id"], delete=["data/1/"])
            refused = change(service, pack["id"], {"guides/new/x": b"z", "guides/newer/x": b"z"})

            assert (replaced.status, deleted.status) == (200, 200)
            assert "more than 8 members" in refused.fields["archive"]

    def test_a_body_over_the_gateway_s_limit_is_413(self, service: Service) -> None:
        assert change(service, UNKNOWN, b"x" * 4_718_593).error["code"] == "payload_too_large"

    def test_another_body_is_415(self, service: Service) -> None:
        answer = service.send("change_pack", "POST", f"/packs/{UNKNOWN}/changes", json={"delete": ["a"]})

        assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")

    def test_a_pack_that_is_being_deleted(self, service: Service) -> None:
        pack = upload(service)
        service.registry.moods.append(Refuses(method="DELETE", status=503))
        assert service.delete(pack["id"]).status == 502

        assert change(service, pack["id"], {"guides/1.md": b"new"}).error["code"] == "pack_deleting"

    @pytest.mark.parametrize(("if_match", "status"), [('"1"', 200), ("*", 200), ('"7"', 412), ("1", 400)])
    def test_if_match_is_about_the_pack(self, service: Service, if_match: str, status: int) -> None:
        pack = upload(service)

        answer = change(service, pack["id"], {"guides/1.md": b"new"}, headers={"If-Match": if_match})

        assert answer.status == status

    @pytest.mark.parametrize(
        ("if_match", "status", "code"), [(None, 409, "pack_modified"), ('"1"', 412, "precondition_failed")]
    )
    def test_of_two_at_once_the_later_is_refused_and_leaves_nothing(
        self, service: Service, if_match: str | None, status: int, code: str
    ) -> None:
        pack = upload(service)
        headers = {"If-Match": if_match} if if_match else None
        others: list[Answer] = []

        def overtake() -> None:
            with service.another_process(), service.wire.sent_by("another"):
                others.append(change(service, pack["id"], {"guides/3.md": b"first"}))

        before = Before(at=PointName("dynamodb.TransactWriteItems"), what=overtake)
        with service.wire.tapped(interrupt=before):
            refused = change(service, pack["id"], {"guides/1.md": b"second"}, headers=headers)
        service.settle()

        assert [other.status for other in others] == [200]
        assert (refused.status, refused.error["code"]) == (status, code)
        assert service.get(pack["id"]).body == others[0].body
        index_digests = {pack["image_digest"], others[0].body["image_digest"]}
        assert index_digests <= service.images()[REPOSITORY]


class TestStaged:
    def test_it_becomes_the_same_image_as_by_the_inline_way(self, service: Service) -> None:
        pack = upload(service)
        theirs = upload(service, caller=GLOBEX)
        files, delete = {"guides/1.md": b"new", "LICENSE": b"MIT"}, ["data/0.md", "data/2.md"]
        inline = change(service, theirs["id"], files, delete, caller=GLOBEX).body

        done = staged(service, pack["id"], files, delete)

        assert (done.body["status"], done.body["pack_id"]) == ("done", pack["id"])
        stands = service.get(pack["id"]).body
        assert stands["image_digest"] == inline["image_digest"]
        assert operations(service, pack["id"]) == ["changes", "upload"]

    def test_one_that_changes_nothing_is_done_without_a_revision(self, service: Service) -> None:
        pack = upload(service)

        done = staged(service, pack["id"], {"guides/1.md": FILES["guides/1.md"]})

        assert done.body["status"] == "done"
        assert service.get(pack["id"]).body == pack

    def test_a_refusal_is_told_by_path(self, service: Service) -> None:
        pack = upload(service)

        failed = staged(service, pack["id"], {"guides/1.md": b"new"}, ["data/none"])

        assert failed.body["status"] == "failed"
        assert list(failed.body["error"]["details"]["fields"]) == ["delete:data/none"]
        assert service.get(pack["id"]).body == pack

    def test_a_revision_that_moved_on_is_not_changed(self, service: Service) -> None:
        pack = upload(service)
        started = start(service, pack_id=pack["id"], kind="changes", if_match='"1"').body["upload_id"]
        change(service, pack["id"], {"guides/1.md": b"between"})

        deliver(service, arrive(service, started, archive_of({"guides/3.md": b"late"})))

        assert look(service, started).body["error"]["code"] == "precondition_failed"

    def test_a_clone_takes_it(self, service: Service) -> None:
        source = upload(service, caller=GLOBEX, visibility="community")
        clone = service.clone(source["id"], name="ours").body

        assert staged(service, clone["id"], {"guides/1.md": b"ours"}).body["status"] == "done"

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"kind": "changes"}, ["pack_id"]),
            ({"delete": ["a"]}, ["delete"]),
            ({"pack_id": UNKNOWN, "delete": ["a"]}, ["delete"]),
            ({"pack_id": UNKNOWN, "kind": "everything"}, ["kind"]),
            ({"pack_id": UNKNOWN, "kind": "changes", "delete": "a"}, ["delete"]),
            ({"pack_id": UNKNOWN, "kind": "changes", "delete": [1]}, ["delete"]),
            ({"pack_id": UNKNOWN, "kind": "changes", "delete": ["a"] * 1001}, ["delete"]),
            ({"pack_id": UNKNOWN, "kind": "changes", "delete": ["a", "a"]}, ["delete:a"]),
            ({"pack_id": UNKNOWN, "kind": "changes", "delete": ["pack.yaml"]}, ["delete:pack.yaml"]),
        ],
    )
    def test_what_is_wrong_with_the_start_is_told_at_once(
        self, service: Service, fields: dict[str, Any], named: list[str]
    ) -> None:
        refused = start(service, **fields)

        assert (refused.status, list(refused.fields)) == (400, named)

    def test_a_pack_whose_files_cannot_be_changed(self, service: Service) -> None:
        pack = upload(service)
        assert start(service, GLOBEX, pack_id=pack["id"], kind="changes").status == 404
        row(service, pack["id"], image_origin=ImageOrigin.IMAGE_REF)
        assert list(start(service, pack_id=pack["id"], kind="changes").fields) == ["pack_id"]
        row(service, pack["id"], image_origin=ImageOrigin.UPLOAD, tier=Tier.VERIFIED)
        assert start(service, pack_id=pack["id"], kind="changes").status == 403

    def test_a_release_that_knows_no_kinds_does_not_take_it_for_a_whole_pack(self, service: Service) -> None:
        pack = upload(service)

        changes = start(service, pack_id=pack["id"], kind="changes").body["upload_id"]
        whole = start(service, pack_id=pack["id"]).body["upload_id"]

        written = [service.services.table.get(upload_key(upload_id)) for upload_id in (changes, whole)]
        assert [item and item.get("schema") for item in written] == [2, None]
