"""The distribution door through its real handlers: what a login opens, and what it does not."""

import io
import json
import tarfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.aws import BUCKET
from tests.changes import archive_of, change
from tests.door import DoorAnswer, DoorClient, login
from tests.doors import Doors
from tests.fake_registry.moods import Redirects, Refuses
from tests.fake_registry.server import FakeRegistry
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.oci.digest import digest_of
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.org import BillingPosture, Org

ROLE = "support"
KEY = new_secret(bytes(32))


@pytest.fixture
def organisations(service: Service) -> None:
    for caller in (ACME, GLOBEX):
        service.services.tenants.put_org(
            Org(org_id=caller.org_id, slug=caller.org_slug, billing=BillingPosture.ACTIVE)
        )
    key = ApiKey(
        key_hash=hash_secret(KEY),
        org_id=ACME.org_id,
        label="runtime",
        permission_set=PermissionSet.READ_ONLY,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    service.services.tenants.put_api_key(key)


@pytest.fixture
def pack(service: Service, organisations: None) -> Any:  # noqa: ARG001
    """A pack that the role pins."""
    pack = service.upload(PackArchive(name="slack").build()).body
    service.set_role(ROLE, [pack["id"]])
    return pack


@pytest.fixture
def client(service: Service, pack: Any) -> DoorClient:  # noqa: ARG001
    """A client that has logged in for the role."""
    return DoorClient(service=service).logged_in(ROLE, login(service, ROLE).body["password"])


def test_an_image_is_pulled_whole_and_byte_for_byte(client: DoorClient, pack: Any) -> None:
    index = client.manifest("acme/slack", pack["image_digest"])
    assert digest_of(index.body.encode()) == pack["image_digest"] == index.headers["Docker-Content-Digest"]
    assert index.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"

    for named in json.loads(index.body)["manifests"]:
        manifest = client.manifest("acme/slack", named["digest"])
        assert digest_of(manifest.body.encode()) == named["digest"]
        assert manifest.headers["Content-Type"] == named["mediaType"]
        described = json.loads(manifest.body)
        for blob in (described["config"], *described["layers"]):
            assert client.blob("acme/slack", blob["digest"]).status == 307


def test_the_answer_to_head_says_what_that_to_get_would(client: DoorClient, pack: Any) -> None:
    got, head = (
        client.manifest("acme/slack", pack["image_digest"], method=method) for method in ("GET", "HEAD")
    )

    assert (head.status, head.headers["Docker-Content-Digest"]) == (200, got.headers["Docker-Content-Digest"])


def test_a_registry_s_own_url_of_a_blob_is_passed_on(service: Service, client: DoorClient, pack: Any) -> None:
    blob = config_of(client, pack)
    service.registry.moods.append(Redirects(path="/blobs/", base_url="https://storage.example"))

    answer = client.blob("acme/slack", blob)

    where = urlsplit(answer.headers["Location"])
    assert (where.hostname, where.path.rpartition("/")[2]) == ("storage.example", blob)
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_blob_of_a_registry_that_gives_no_url_is_staged_once(
    service: Service, client: DoorClient, pack: Any
) -> None:
    blob = config_of(client, pack)
    service.registry.requests.clear()

    urls = [client.blob("acme/slack", blob).headers["Location"] for _ in range(2)]

    assert all(f"/files/{blob.removeprefix('sha256:')}" in url for url in urls)
    read = [it for it in service.registry.requests if f"/blobs/{blob}" in it.path]
    # To ask for a URL, and to read it; the second time only to ask.
    assert len(read) == 3


def config_of(client: DoorClient, pack: Any) -> str:
    index = json.loads(client.manifest("acme/slack", pack["image_digest"]).body)
    manifest = json.loads(client.manifest("acme/slack", index["manifests"][0]["digest"]).body)
    return str(manifest["config"]["digest"])


class TestALogin:
    def test_of_a_role_without_packs_opens_nothing(self, service: Service, pack: Any) -> None:
        service.set_role("empty", [])
        client = DoorClient(service=service).logged_in("empty", login(service, "empty").body["password"])

        assert client.ping().status == 200
        answer = client.manifest("acme/slack", pack["image_digest"])
        assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")

    def test_says_where_it_is_valid_and_how_long(self, service: Service, pack: Any) -> None:  # noqa: ARG002
        service.new_process(settings=replace(service.services.settings, door_host="door.example:5000"))

        made = login(service, ROLE)

        assert (made.status, made.headers["Cache-Control"]) == (200, "no-store")
        assert (made.body["registry"], made.body["username"]) == ("door.example:5000", ROLE)
        assert made.body["expires_at"] == "2026-03-01T12:15:00.000Z"
        assert list(json.loads(made.body["docker_config"])["auths"]) == ["door.example:5000"]

    def test_is_an_api_key_too(self, service: Service, pack: Any) -> None:
        client = DoorClient(service=service).logged_in(ROLE, KEY)

        assert client.manifest("acme/slack", pack["image_digest"]).status == 200

    def test_of_a_role_that_is_not_there_is_not_made(self, service: Service, pack: Any) -> None:  # noqa: ARG002
        assert login(service, "nobody").error["code"] == "role_not_found"
        assert login(service, ROLE, caller=GLOBEX).error["code"] == "role_not_found"
        assert DoorClient(service=service).token("nobody", KEY).status == 401

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Basic",
            "Basic !",
            "Basic AAAA=A",
            "Basic /w==",
            "Basic c3VwcG9ydA==",
            "Basic c3VwcG9ydDo=",
            "Basic c3VwcG9ydDp4",
            "Bearer x",
        ],
    )
    def test_that_is_none_is_refused(self, service: Service, pack: Any, authorization: str) -> None:  # noqa: ARG002
        answer = DoorClient(service=service).token_for(authorization)

        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert "Log in with a role's id as the user" in answer.body

    def test_is_for_its_own_role(self, service: Service, pack: Any) -> None:  # noqa: ARG002
        service.set_role("other", [])

        assert DoorClient(service=service).token("other", login(service, ROLE).body["password"]).status == 401

    def test_ends_after_fifteen_minutes_and_what_it_made_with_it(self, service: Service, pack: Any) -> None:  # noqa: ARG002
        password = login(service, ROLE).body["password"]
        service.clock.advance(timedelta(minutes=14))
        answer = DoorClient(service=service).token(ROLE, password)
        assert json.loads(answer.body)["expires_in"] == 60
        client = DoorClient(service=service, bearer=json.loads(answer.body)["token"])
        assert client.ping().status == 200

        service.clock.advance(timedelta(minutes=1))

        assert client.ping().status == 401
        assert client.token(ROLE, password).status == 401


class TestAClientWithoutAToken:
    def test_learns_where_to_get_one(self, service: Service) -> None:
        context = DoorClient(service=service).authorize("acme.packyard.example")["context"]

        assert context["challenge"] == (
            'Bearer realm="https://acme.packyard.example/v2/token",service="acme.packyard.example"'
        )

    def test_or_with_one_that_has_ended_learns_it_too(self, client: DoorClient) -> None:
        client.service.clock.advance(timedelta(minutes=5))

        assert 'error="invalid_token"' in client.ping().headers["WWW-Authenticate"]

    @pytest.mark.parametrize("host", ['x", realm="https://evil.example', "a b", "", "x" * 300])
    def test_gets_no_challenge_that_a_host_name_could_forge(self, service: Service, host: str) -> None:
        assert DoorClient(service=service).authorize(host)["context"] == {"challenge": "Bearer"}

    def test_cannot_use_a_login_as_a_token_nor_a_token_as_a_login(
        self, service: Service, client: DoorClient
    ) -> None:
        password = login(service, ROLE).body["password"]

        assert replace(client, bearer=password).ping().status == 401
        assert client.token(ROLE, client.bearer).status == 401

    @pytest.mark.parametrize("change", ["x", "bearer.", ".AAAA"])
    def test_is_one_with_a_changed_token_too(self, client: DoorClient, change: str) -> None:
        assert replace(client, bearer=client.bearer + change).ping().status == 401
        assert replace(client, bearer=change + client.bearer).ping().status == 401


class TestOnlyWhatTheRolePinsIsOpen:
    @pytest.mark.parametrize("reference", ["latest", "1.0.0", "sha256:" + "0" * 64, "sha256:x"])
    def test_no_tag_and_no_other_digest(self, client: DoorClient, reference: str) -> None:
        answer = client.manifest("acme/slack", reference)

        assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
        assert client.blob("acme/slack", reference).code == "BLOB_UNKNOWN"

    @pytest.mark.parametrize("repository", ["globex/slack", "acme/other", "nobody/slack"])
    def test_no_other_repository(self, client: DoorClient, pack: Any, repository: str) -> None:
        assert client.manifest(repository, pack["image_digest"]).code == "NAME_UNKNOWN"
        assert client.blob(repository, pack["image_digest"]).code == "NAME_UNKNOWN"

    def test_no_image_that_stays_in_another_registry(self, service: Service, client: DoorClient) -> None:
        with FakeRegistry() as elsewhere:
            repository = elsewhere.shelves.repository("team/tool", create=True)
            pack_image(b"name: tool\nversion: 1.0.0\n").shelve(repository, "1.0.0")
            reference = f"{urlsplit(elsewhere.url).netloc}/team/tool:1.0.0"
            made = service.send("create_pack", "POST", "/packs", json={"image_ref": reference}).body
            service.set_role(ROLE, [made["id"]])

            assert client.manifest("acme/tool", made["image_digest"]).code == "NAME_UNKNOWN"

    def test_a_pack_that_left_the_role_is_closed_at_once(
        self, service: Service, client: DoorClient, pack: Any
    ) -> None:
        assert client.manifest("acme/slack", pack["image_digest"]).status == 200

        service.set_role(ROLE, [])

        assert client.manifest("acme/slack", pack["image_digest"]).code == "NAME_UNKNOWN"


@pytest.mark.parametrize("what", ["manifests", "blobs"])
def test_a_registry_that_fails_is_an_outage_in_the_protocol_s_form(
    service: Service, client: DoorClient, pack: Any, what: str
) -> None:
    blob = config_of(client, pack)
    service.new_process()
    service.registry.moods.append(Refuses(path=f"/{what}/", status=500))

    answer = (
        client.manifest("acme/slack", pack["image_digest"])
        if what == "manifests"
        else client.blob("acme/slack", blob)
    )

    assert answer.status >= 500
    assert answer.code == "UNAVAILABLE"


class TestTheSkillArtifact:
    @pytest.fixture
    def doors(self, service: Service, pack: Any) -> Doors:
        doors = Doors(service)
        doors.prepare(pack["id"])
        return doors

    def test_is_pulled_whole_by_its_tag_and_by_its_digest(
        self, service: Service, doors: Doors, client: DoorClient
    ) -> None:
        tagged = client.manifest("acme/slack", "skill-1.4.0")
        digest = digest_of(tagged.body.encode())
        assert (tagged.status, tagged.headers["Docker-Content-Digest"]) == (200, digest)
        assert tagged.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
        head = client.manifest("acme/slack", "skill-1.4.0", method="HEAD")
        assert (head.status, head.headers["Docker-Content-Digest"]) == (200, digest)
        service.new_process()
        assert client.manifest("acme/slack", digest).body == tagged.body

        manifest = json.loads(tagged.body)
        config = client.blob("acme/slack", manifest["config"]["digest"])
        assert (config.status, digest_of(config.body.encode())) == (200, manifest["config"]["digest"])
        assert json.loads(config.body)["name"] == "slack"
        (layer,) = manifest["layers"]
        content = stored(service, client.blob("acme/slack", layer["digest"]))
        assert (digest_of(content), len(content)) == (layer["digest"], layer["size"])
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            assert {"slack", "slack/SKILL.md", "slack/pack.yaml"} <= set(archive.getnames())
        assert doors.take() == []

    def test_is_another_one_after_a_change_and_the_pinned_one_stays(
        self, service: Service, doors: Doors, client: DoorClient, pack: Any
    ) -> None:
        first = client.manifest("acme/slack", "skill-1.4.0")
        assert change(service, pack["id"], {"guides/new.md": b"new"}).status == 200
        doors.prepare(pack["id"])

        assert client.manifest("acme/slack", "skill-1.4.0").body == first.body
        assert service.refresh_role(ROLE).status == 200
        assert client.manifest("acme/slack", "skill-1.4.0").body != first.body
        old = client.manifest("acme/slack", first.headers["Docker-Content-Digest"])
        assert old.code == "MANIFEST_UNKNOWN"

    def test_that_is_not_prepared_is_asked_for(self, service: Service, client: DoorClient, pack: Any) -> None:
        doors = Doors(service)
        doors.take()
        message = doors.message(pack["id"])

        answer = client.manifest("acme/slack", "skill-1.4.0")

        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "UNAVAILABLE", "1")
        assert doors.take() == [message]
        # Who has its digest finds it later. A blob is asked for after its manifest.
        assert client.manifest("acme/slack", "sha256:" + "0" * 64).status == 404
        assert doors.take() == [message]
        assert client.blob("acme/slack", "sha256:" + "0" * 64).status == 404
        assert doors.settle([message]) == []
        assert client.manifest("acme/slack", "skill-1.4.0").status == 200

    @pytest.mark.usefixtures("doors")
    @pytest.mark.parametrize("tag", ["1.4.0", "skill-", "skill-1.4", "skill-latest", "SKILL-1.4.0"])
    def test_has_one_tag_which_is_told(self, client: DoorClient, tag: str) -> None:
        answer = client.manifest("acme/slack", tag)

        assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
        assert "As an Agent Skill its tag is skill-1.4.0." in answer.body

    def test_is_not_made_of_a_skill_that_no_client_could_place(
        self, service: Service, client: DoorClient
    ) -> None:
        skill = b"---\nname: No Folder\ndescription: Has a name that is none.\n---\n"
        made = service.upload(archive_of({"SKILL.md": skill})).body
        assert service.set_role(ROLE, [made["id"]]).status == 200
        Doors(service).prepare(made["id"])

        answer = client.manifest(f"acme/{made['name']}", "skill-0.1.0")

        assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
        assert "It cannot be pulled as an Agent Skill: name: of its SKILL.md must be" in answer.body

    @pytest.mark.usefixtures("doors")
    def test_is_closed_with_its_pack(self, service: Service, client: DoorClient) -> None:
        digests = json.loads(client.manifest("acme/slack", "skill-1.4.0").body)
        assert service.set_role(ROLE, []).status == 200

        assert client.manifest("acme/slack", "skill-1.4.0").code == "NAME_UNKNOWN"
        assert client.blob("acme/slack", digests["config"]["digest"]).code == "NAME_UNKNOWN"

    @pytest.mark.usefixtures("doors")
    def test_needs_no_registry_by_its_tag(self, service: Service, client: DoorClient) -> None:
        service.registry.moods.append(Refuses(path="/", status=500))

        assert client.manifest("acme/slack", "skill-1.4.0").status == 200


def stored(service: Service, answer: DoorAnswer) -> bytes:
    """Return the object that a redirect leads to."""
    assert answer.status == 307
    key = urlsplit(answer.headers["Location"]).path.removeprefix(f"/{BUCKET}").lstrip("/")
    return service.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
