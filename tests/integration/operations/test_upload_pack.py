"""POST /packs/upload, through its real handler."""

import json
from dataclasses import replace

import pytest
from tests.fake_registry.moods import HangsUp, Mood, Refuses, Says
from tests.gateway import Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service

from packyard.packs.archive.limits import ArchiveLimits

EVERYTHING = {
    "display_name": "Slack",
    "description": "Post and read messages.",
    "category": "messaging",
    "capabilities": [
        {"name": "slack-api", "type": "http", "allow": [{"domains": ["slack.com"], "methods": ["GET"]}]}
    ],
    "suggested_packs": ["jira", "github"],
}


def test_an_archive_becomes_a_pack(service: Service) -> None:
    answer = service.upload(PackArchive(fields=EVERYTHING).build())

    assert answer.status == 201
    assert answer.headers["ETag"] == '"1"'
    pack = answer.body
    digest, size = pack.pop("image_digest"), pack.pop("size_bytes")
    assert pack.pop("capabilities").startswith("- name: slack-api")
    assert pack.pop("content_digest").startswith("sha256:")
    assert pack == {
        "id": pack["id"],
        "org_id": ACME.org_id,
        "name": "slack",
        "display_name": "Slack",
        "description": "Post and read messages.",
        "category": "messaging",
        "version": "1.4.0",
        "tier": "community",
        "visibility": "org",
        "suggested_packs": "jira,github",
        "image_origin": "upload",
        "image_ref": f"{service.services.registry.host}/packs/{ACME.org_id}/slack:1.4.0",
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
        "owned": True,
        "attestations": "pending",
    }
    repository = service.registry.shelves.repository(f"packs/{ACME.org_id}/slack")
    index = json.loads(repository.manifest("1.4.0").raw)
    manifest = json.loads(repository.manifest(index["manifests"][0]["digest"]).raw)
    assert repository.tags == {"1.4.0": digest}
    assert size == manifest["config"]["size"] + manifest["layers"][0]["size"]


def test_optional_fields_that_pack_yaml_leaves_out_are_absent(service: Service) -> None:
    pack = service.upload(PackArchive().build()).body

    assert pack["display_name"] == "Slack"
    assert not pack.keys() & {"description", "category", "capabilities", "suggested_packs"}


def test_a_pack_can_be_shared_as_it_is_made(service: Service) -> None:
    pack = service.upload(PackArchive().build(), visibility="community").body

    seen = service.get(pack["id"], GLOBEX).body
    assert seen["visibility"] == "community"
    assert seen["owned"] is False
    assert "org_id" not in seen


def test_the_tag_stands_for_the_version_with_its_plus_as_an_underscore(service: Service) -> None:
    pack = service.upload(PackArchive(version="1.4.0+build.7").build()).body

    assert pack["version"] == "1.4.0+build.7"
    assert pack["image_ref"].endswith(":1.4.0_build.7")


def test_the_same_content_gives_the_same_digest_however_it_was_archived(service: Service) -> None:
    files = {"guides/a.md": b"a\n" * 5000, "scripts/b.sh": b"b\n", "README.md": b"# c\n"}
    straight = PackArchive(files=files)

    one = service.upload(straight.build(), ACME).body
    other = service.upload(replace(straight, wrapper="slack-1.4.0/", backwards=True).build(), GLOBEX).body

    assert one["image_digest"] == other["image_digest"]


class TestRepeats:
    def test_the_same_archive_again_answers_200_with_the_existing_pack(self, service: Service) -> None:
        first = service.upload(PackArchive().build())
        again = service.upload(PackArchive(wrapper="slack/").build())

        assert (first.status, again.status) == (201, 200)
        assert again.body == first.body

    def test_a_repeat_pushes_nothing(self, service: Service) -> None:
        service.upload(PackArchive().build())
        service.registry.requests.clear()
        service.upload(PackArchive().build())

        assert service.registry.requests == []

    @pytest.mark.parametrize(
        ("archive", "visibility"),
        [
            pytest.param(PackArchive(version="1.4.1"), "org", id="another version"),
            pytest.param(PackArchive(files={"README.md": b"other"}), "org", id="other content"),
            pytest.param(PackArchive(), "community", id="another visibility"),
        ],
    )
    def test_any_difference_is_a_conflict_that_names_the_holder_and_moves_nothing(
        self, service: Service, archive: PackArchive, visibility: str
    ) -> None:
        standing = service.upload(PackArchive().build()).body
        images = service.images()

        refused = service.upload(archive.build(), visibility=visibility)

        assert (refused.status, refused.error["code"]) == (409, "pack_name_taken")
        assert refused.error["details"] == {"pack_id": standing["id"]}
        assert service.get(standing["id"]).body == standing
        assert service.images() == images

    def test_another_organisation_may_use_the_same_name(self, service: Service) -> None:
        assert service.upload(PackArchive().build(), ACME).status == 201
        assert service.upload(PackArchive().build(), GLOBEX).status == 201


class TestRefusals:
    @pytest.mark.parametrize(
        ("caller", "status", "code"),
        [
            pytest.param(None, 401, "unauthenticated", id="no caller"),
            pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
            pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="a lapsed tenant"),
            pytest.param(
                replace(ACME, scopes=frozenset(), may_create=False),
                403,
                "permission_denied",
                id="scope before billing",
            ),
        ],
    )
    def test_a_missing_right_to_create_is_reported_before_the_body_is_read(
        self, service: Service, caller: None, status: int, code: str
    ) -> None:
        request = Request(method="POST", resource="/packs/upload", body=b"not a form", caller=caller)

        answer = service.request("upload_pack", request)

        assert (answer.status, answer.error["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("headers", "body", "status", "code"),
        [
            pytest.param(
                {"Content-Type": "application/json"}, b"{}", 415, "unsupported_media_type", id="not a form"
            ),
            pytest.param({}, b"", 415, "unsupported_media_type", id="no content type"),
            pytest.param(multipart({})[1], b"--nonsense", 400, "validation_error", id="a broken form"),
            pytest.param(
                multipart({})[1], b"x" * 4_718_593, 413, "payload_too_large", id="a body over the limit"
            ),
        ],
    )
    def test_a_body_of_the_wrong_shape_is_refused(
        self, service: Service, headers: dict[str, str], body: bytes, status: int, code: str
    ) -> None:
        request = Request(method="POST", resource="/packs/upload", headers=headers, body=body, caller=ACME)

        answer = service.request("upload_pack", request)

        assert (answer.status, answer.error["code"]) == (status, code)

    def test_a_hostile_archive_changes_nothing(self, service: Service) -> None:
        answer = service.upload(PackArchive(version="one", files={"../evil": b"", "bin/x": b""}).build())

        assert answer.status == 400
        assert answer.fields.keys() == {"archive:../evil", "archive:bin", "pack.yaml:version"}
        assert service.list_packs().body == {"packs": []}
        assert service.registry.requests == []
        service.settle()
        assert service.aws.staged() == []

    def test_a_limit_of_the_deployment_holds(self) -> None:
        with running_service(limits=ArchiveLimits(members=1)) as service:
            answer = service.upload(PackArchive().build())

        assert answer.status == 400
        assert "archive" in answer.fields

    def test_the_error_carries_the_request_id_of_its_header(self, service: Service) -> None:
        answer = service.upload(b"not gzip")

        assert answer.error["request_id"] == answer.headers["X-Request-Id"]

    def test_another_organisations_host_is_refused(self) -> None:
        with running_service(api_domain="packs.example") as service:
            body, headers = multipart({"archive": PackArchive().build()})

            def status(host: str) -> int:
                request = Request(
                    method="POST",
                    resource="/packs/upload",
                    headers=headers | {"Host": host},
                    body=body,
                    caller=ACME,
                )
                return service.request("upload_pack", request).status

            assert status("globex.packs.example") == 403
            assert status("GLOBEX.packs.example:443") == 403
            assert status("acme.packs.example") == 201
            assert status("abcdef.execute-api.eu-central-1.amazonaws.com") == 200


class TestRegistryTrouble:
    def test_a_registry_that_fails_is_502_and_leaves_nothing(self, service: Service) -> None:
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=503))

        answer = service.upload(PackArchive().build())

        assert (answer.status, answer.error["code"]) == (502, "registry_unavailable")
        assert service.list_packs().body == {"packs": []}
        service.settle()
        assert service.images() == {}
        assert service.aws.staged() == []

    def test_a_registry_that_stumbles_once_goes_unnoticed(self, service: Service) -> None:
        service.registry.moods.append(HangsUp(method="PUT", path="/blobs/", times=1))

        assert service.upload(PackArchive().build()).status == 201

    def test_a_tag_that_could_not_be_set_is_set_when_the_cleanup_message_comes_due(
        self, service: Service
    ) -> None:
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/1.4.0", status=503))
        answer = service.upload(PackArchive().build())
        repository = service.registry.shelves.repository(f"packs/{ACME.org_id}/slack")
        assert (answer.status, repository.tags) == (201, {})

        service.registry.moods.clear()
        service.settle()

        assert repository.tags == {"1.4.0": answer.body["image_digest"]}

    @pytest.mark.parametrize(
        "gone",
        [
            Refuses(method="PUT", path="/manifests/", status=404),
            Says(
                method="PUT",
                path="/manifests/",
                status=400,
                body=b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]}',
            ),
        ],
        ids=["the repository", "what the index names"],
    )
    def test_what_vanishes_under_a_push_is_503_and_leaves_nothing(self, service: Service, gone: Mood) -> None:
        service.registry.moods.append(gone)

        answer = service.upload(PackArchive().build())

        assert (answer.status, answer.error["code"]) == (503, "service_unavailable")
        assert service.list_packs().body == {"packs": []}
