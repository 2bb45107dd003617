"""Which versions an organisation may publish, through the real handlers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from tests.changes import change
from tests.engine.taps import Before, PointName
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.staged_uploads import arrive, deliver, look, start
from tests.third_party_images import pack_image

from packyard.http.caller import to_context
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret
from packyard.tenants.caller import Caller
from packyard.tenants.org import BillingPosture, Org
from packyard.tenants.version_policy import VersionPolicy

INCREASING: Final = replace(ACME, version_policy=VersionPolicy.INCREASING)
IMMUTABLE: Final = replace(ACME, version_policy=VersionPolicy.IMMUTABLE)


def archive(version: str, text: str = "", name: str = "slack") -> bytes:
    """Return an archive whose content follows from the text alone, besides its `pack.yaml`."""
    return PackArchive(name=name, version=version, files={"README.md": text.encode()}).build()


def reupload(
    service: Service, pack: str, body: bytes, caller: Caller, headers: dict[str, str] | None = None
) -> Answer:
    form, of_form = multipart({"archive": body})
    path = f"/packs/{pack}/upload"
    return service.request(
        "reupload_pack",
        Request(
            method="POST",
            resource="/packs/{id}/upload",
            path=path,
            headers={**of_form, **(headers or {})},
            body=form,
            caller=caller,
        ),
    )


def put_file(service: Service, pack: str, caller: Caller, content: bytes = b"# New\n") -> Answer:
    path = f"/packs/{pack}/files/README.md"
    return service.request(
        "put_file",
        Request(method="PUT", resource="/packs/{id}/files/{path}", path=path, body=content, caller=caller),
    )


def roll_back(service: Service, pack: str, revision: int, caller: Caller) -> Answer:
    return service.send("replace_pack", "PUT", f"/packs/{pack}", caller=caller, json={"revision": revision})


def made(answer: Answer, *statuses: int) -> str:
    assert answer.status in (statuses or (200, 201)), answer.body
    pack_id: str = answer.body["id"]
    return pack_id


def refused(answer: Answer, version: str, instead: str) -> None:
    assert (answer.status, answer.error["code"]) == (409, "version_taken"), answer.body
    assert answer.error["details"] == {"version": version, "next_version": instead}
    assert version in answer.error["message"]
    assert instead in answer.error["message"]


def policy(service: Service, caller: Caller = ACME) -> Answer:
    return service.send("policies", "GET", "/version-policy", caller=caller)


def set_policy(service: Service, value: object, caller: Caller = ACME, **headers: str) -> Answer:
    return service.send(
        "policies",
        "PUT",
        "/version-policy",
        caller=caller,
        json={"version_policy": value},
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def orgs(service: Service) -> Service:
    for caller in (ACME, GLOBEX):
        org = Org(org_id=caller.org_id, slug=caller.org_slug, billing=BillingPosture.ACTIVE)
        service.services.tenants.put_org(org)
    return service


def test_the_policy_is_free_until_it_is_set_and_each_organisation_has_its_own(orgs: Service) -> None:
    assert policy(orgs).body == {"version_policy": "free"}
    assert set_policy(orgs, "immutable").body == {"version_policy": "immutable"}

    assert policy(orgs).body == {"version_policy": "immutable"}
    assert policy(orgs, GLOBEX).body == {"version_policy": "free"}


def test_each_change_of_the_policy_has_a_tag_of_its_own_and_if_match_keeps_it(orgs: Service) -> None:
    tag = policy(orgs).headers["ETag"]
    changed = set_policy(orgs, "increasing", If_Match=tag)

    assert changed.status == 200
    assert changed.headers["ETag"] != tag
    assert set_policy(orgs, "free", If_Match=tag).status == 412
    assert policy(orgs).body == {"version_policy": "increasing"}
    assert set_policy(orgs, "increasing").headers["ETag"] == changed.headers["ETag"]
    assert set_policy(orgs, "free", If_Match=changed.headers["ETag"]).status == 200


@pytest.mark.parametrize("value", ["imutable", "", "FREE", None, 3, ["free"], {}, True])
def test_another_policy_is_refused_by_name(orgs: Service, value: object) -> None:
    answer = set_policy(orgs, value)

    assert (answer.status, list(answer.fields)) == (400, ["version_policy"])
    assert policy(orgs).body == {"version_policy": "free"}


def test_the_policy_takes_a_scope_to_set_and_none_to_read(orgs: Service) -> None:
    reader = replace(ACME, scopes=frozenset({"caps:write", "keys:write"}))

    assert set_policy(orgs, "free", reader).status == 403
    assert policy(orgs, reader).status == 200
    assert set_policy(orgs, "free", replace(ACME, may_create=False)).status == 423


def test_two_who_set_it_at_once_come_to_one_of_both(orgs: Service) -> None:
    inner: list[Answer] = []

    def other() -> None:
        with orgs.another_process(), orgs.wire.sent_by("another"):
            inner.append(set_policy(orgs, "immutable"))

    with orgs.wire.tapped(interrupt=Before(at=PointName("dynamodb.TransactWriteItems"), what=other)):
        outer = set_policy(orgs, "increasing")

    assert [outer.status, inner[0].status] == [200, 200]
    assert policy(orgs).body == outer.body == {"version_policy": "increasing"}


def test_the_authorizer_passes_the_policy_on_to_what_publishes(orgs: Service) -> None:
    secret = "sk_" + "a" * 43
    key = ApiKey(
        key_hash=hash_secret(secret),
        org_id=ACME.org_id,
        label="ci",
        created_at=orgs.clock(),
        permission_set=PermissionSet.FULL_ACCESS,
    )
    orgs.services.tenants.put_api_key(key)
    arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {secret}", "methodArn": arn}

    assert "version_policy" not in orgs.invoke("authorize", event)["context"]
    set_policy(orgs, "immutable")
    assert orgs.invoke("authorize", event)["context"]["version_policy"] == "immutable"
    assert to_context(IMMUTABLE)["version_policy"] == "immutable"


def test_free_lets_a_version_be_published_again_and_go_down(service: Service) -> None:
    pack = made(service.upload(archive("2.0.0")))

    assert reupload(service, pack, archive("2.0.0", "other"), ACME).status == 200
    assert reupload(service, pack, archive("1.0.0"), ACME).status == 200
    assert put_file(service, pack, ACME).status == 200


@pytest.mark.parametrize(
    ("version", "allowed"),
    [
        ("2.0.1", True),
        ("10.0.0", True),
        ("2.0.0", False),
        ("1.9.9", False),
        ("2.0.0-rc.1", False),
        ("2.0.1-rc.1", True),
        # Build metadata does not count for precedence (SemVer, section 10; npm/npm #10677, verdaccio #1399).
        ("2.0.0+more", False),
    ],
)
def test_increasing_takes_higher_versions_only(service: Service, version: str, allowed: bool) -> None:
    pack = made(service.upload(archive("2.0.0"), INCREASING))
    before = service.get(pack).body

    answer = reupload(service, pack, archive(version, "other"), INCREASING)

    if allowed:
        assert answer.body["version"] == version
    else:
        refused(answer, version, "2.0.1")
        assert service.get(pack).body == before


def test_increasing_lets_a_repeat_and_files_be(service: Service) -> None:
    pack = made(service.upload(archive("2.0.0"), INCREASING))

    assert service.upload(archive("2.0.0"), INCREASING).status == 200
    assert reupload(service, pack, archive("2.0.0"), INCREASING).status == 200
    assert put_file(service, pack, INCREASING).status == 200
    assert change(service, pack, {"LICENSE": b"free"}, caller=INCREASING).status == 200
    refused(
        change(service, pack, {"pack.yaml": b"name: slack\nversion: 1.0.0\n"}, caller=INCREASING),
        "1.0.0",
        "2.0.1",
    )


@pytest.mark.parametrize("caller", [INCREASING, IMMUTABLE])
def test_what_stands_is_pushed_again_when_the_registry_has_lost_it(service: Service, caller: Caller) -> None:
    pack = made(service.upload(archive("2.0.0"), caller))
    service.registry.shelves.repositories.clear()

    assert reupload(service, pack, archive("2.0.0"), caller).status == 200
    assert service.images() != {}


def test_increasing_counts_what_the_pack_had_before_it_went_back(service: Service) -> None:
    pack = made(service.upload(archive("1.0.0"), INCREASING))
    assert reupload(service, pack, archive("2.0.0", "bad"), INCREASING).status == 200
    assert roll_back(service, pack, 1, INCREASING).body["version"] == "1.0.0"

    refused(reupload(service, pack, archive("1.0.1", "fix"), INCREASING), "1.0.1", "2.0.1")
    refused(reupload(service, pack, archive("2.0.0", "fix"), INCREASING), "2.0.0", "2.0.1")
    assert service.update(pack, "community").status == 200
    assert reupload(service, pack, archive("2.0.1", "fix"), INCREASING).status == 200
    refused(reupload(service, pack, archive("2.0.1", "again"), INCREASING), "2.0.1", "2.0.2")


def test_increasing_is_about_a_pack_and_not_about_one_that_is_deleted(service: Service) -> None:
    pack = made(service.upload(archive("2.0.0"), INCREASING))
    assert service.delete(pack).status == 200

    assert service.upload(archive("1.0.0", "anew"), INCREASING).status == 201


# Ways to publish other content under version 1.0.0 of `slack`, which stands.
WAYS: Final[dict[str, Callable[[Service, str], Answer]]] = {
    "an archive": lambda service, pack: reupload(service, pack, archive("1.0.0", "other"), IMMUTABLE),
    "a file": lambda service, pack: put_file(service, pack, IMMUTABLE),
    "files": lambda service, pack: change(service, pack, {"LICENSE": b"free"}, caller=IMMUTABLE),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_immutable_refuses_other_content_under_a_version_and_changes_nothing(
    service: Service, way: str
) -> None:
    pack = made(service.upload(archive("1.0.0"), IMMUTABLE))
    assert reupload(service, pack, archive("1.3.0"), IMMUTABLE).status == 200
    assert reupload(service, pack, archive("1.0.0"), IMMUTABLE).status == 200
    before, images = service.get(pack).body, service.images()

    refused(WAYS[way](service, pack), "1.0.0", "1.3.1")

    assert service.get(pack).body == before
    assert service.images() == images


def test_immutable_lets_the_same_content_be_published_again_and_other_versions_in_any_order(
    service: Service,
) -> None:
    """Versions that differ in build metadata alone are two, as their tags are (rust-lang/crates.io #1059)."""
    pack = made(service.upload(archive("2.0.0"), IMMUTABLE))

    assert service.upload(archive("2.0.0"), IMMUTABLE).status == 200
    for version in ("1.0.0", "3.0.0-rc.1", "2.0.0", "2.0.0+build"):
        assert reupload(service, pack, archive(version), IMMUTABLE).body["version"] == version
    refused(reupload(service, pack, archive("2.0.0+build", "other"), IMMUTABLE), "2.0.0+build", "3.0.0")
    files = {"pack.yaml": b"name: slack\nversion: 2.1.0\n"}
    assert change(service, pack, files, caller=IMMUTABLE).body["version"] == "2.1.0"


def test_immutable_counts_what_was_published_while_the_policy_was_free(service: Service) -> None:
    pack = made(service.upload(archive("1.0.0", "first")))
    assert reupload(service, pack, archive("1.0.0", "second"), ACME).status == 200
    assert reupload(service, pack, archive("2.0.0"), ACME).status == 200

    refused(reupload(service, pack, archive("1.0.0", "third"), IMMUTABLE), "1.0.0", "2.0.1")
    # Of several contents, the last one counts.
    assert reupload(service, pack, archive("1.0.0", "second"), IMMUTABLE).status == 200


def test_immutable_lets_a_pack_go_back_to_any_revision_that_it_had(service: Service) -> None:
    pack = made(service.upload(archive("1.0.0", "first")))
    assert reupload(service, pack, archive("1.0.0", "second"), ACME).status == 200

    assert roll_back(service, pack, 1, IMMUTABLE).status == 200
    # Going back has published nothing.
    assert reupload(service, pack, archive("1.0.0", "second"), IMMUTABLE).status == 200


def test_immutable_counts_the_versions_of_packs_that_are_deleted(service: Service) -> None:
    """As npm and Hex came to do it (npm-registry-couchapp #148, hexpm/hexpm #272)."""
    pack = made(service.upload(archive("1.0.0", "first"), IMMUTABLE))
    assert service.delete(pack).status == 200

    refused(service.upload(archive("1.0.0", "other"), IMMUTABLE), "1.0.0", "1.0.1")
    assert service.images() == {}
    assert service.upload(archive("1.0.0", "first"), IMMUTABLE).status == 201


def test_immutable_is_about_a_name_of_an_organisation(service: Service) -> None:
    made(service.upload(archive("1.0.0", "first"), IMMUTABLE))

    assert service.upload(archive("1.0.0", "other", name="jira"), IMMUTABLE).status == 201
    other = replace(GLOBEX, version_policy=VersionPolicy.IMMUTABLE)
    assert service.upload(archive("1.0.0", "other"), other).status == 201


def test_a_name_that_is_taken_is_told_before_its_version(service: Service) -> None:
    made(service.upload(archive("1.0.0", "first"), IMMUTABLE))

    answer = service.upload(archive("1.0.0", "other"), IMMUTABLE)

    assert (answer.status, answer.error["code"]) == (409, "pack_name_taken")


def test_a_precondition_is_told_before_the_version(service: Service) -> None:
    pack = made(service.upload(archive("1.0.0", "first"), IMMUTABLE))

    answer = reupload(service, pack, archive("1.0.0", "other"), IMMUTABLE, {"If-Match": '"9"'})

    assert answer.status == 412


def test_immutable_holds_for_clones_under_their_own_name(service: Service) -> None:
    source = made(service.upload(archive("1.0.0", "theirs"), GLOBEX, visibility="community"))
    gone = made(service.upload(archive("1.0.0", "ours", name="copy"), IMMUTABLE))
    assert service.delete(gone).status == 200

    refused(service.clone(source, IMMUTABLE, name="copy"), "1.0.0", "1.0.1")
    assert service.clone(source, IMMUTABLE, name="another").status == 201


def shelve(registry: FakeRegistry, version: str, text: str, *, tag: str) -> dict[str, str]:
    shelf = registry.shelves.repository("team/slack", create=True)
    yaml = f"name: slack\nversion: {version}\ndescription: {text}\n".encode()
    pack_image(yaml).shelve(shelf, tag)
    return {"image_ref": f"{registry.url.partition('://')[2]}/team/slack:{tag}"}


def register(service: Service, body: dict[str, Any], caller: Caller) -> Answer:
    return service.send("create_pack", "POST", "/packs", caller=caller, json=body)


def move(service: Service, pack: str, body: dict[str, Any], caller: Caller) -> Answer:
    return service.send("replace_pack", "PUT", f"/packs/{pack}", caller=caller, json=body)


@pytest.mark.parametrize("caller", [INCREASING, IMMUTABLE])
def test_registered_images_keep_to_the_policy_and_a_pack_may_go_back(
    service: Service, elsewhere: FakeRegistry, caller: Caller
) -> None:
    pack = made(register(service, shelve(elsewhere, "1.0.0", "first", tag="a"), caller))

    refused(move(service, pack, shelve(elsewhere, "1.0.0", "other", tag="a"), caller), "1.0.0", "1.0.1")
    assert move(service, pack, shelve(elsewhere, "1.1.0", "second", tag="b"), caller).status == 200
    assert move(service, pack, {"revision": 1}, caller).body["version"] == "1.0.0"


def test_a_version_that_is_published_between_the_check_and_the_write_is_refused_by_the_write(
    service: Service, elsewhere: FakeRegistry
) -> None:
    """Meanwhile, another pack of the name is made with other content, and deleted again."""
    mine = shelve(elsewhere, "1.0.0", "mine", tag="mine")
    theirs = shelve(elsewhere, "1.0.0", "theirs", tag="theirs")

    def overtake() -> None:
        with service.another_process(), service.wire.sent_by("another"):
            pack = made(register(service, theirs, IMMUTABLE))
            assert service.delete(pack).status == 200

    with service.wire.tapped(interrupt=Before(at=PointName("dynamodb.TransactWriteItems"), what=overtake)):
        answer = register(service, mine, IMMUTABLE)

    refused(answer, "1.0.0", "1.0.1")
    assert service.list_packs().body["packs"] == []


@pytest.mark.parametrize("caller", [INCREASING, IMMUTABLE])
def test_a_dry_run_tells_that_the_version_is_taken_and_keeps_nothing(
    service: Service, caller: Caller
) -> None:
    pack = made(service.upload(archive("1.0.0"), caller))
    form, headers = multipart({"archive": archive("1.0.0", "other")})
    request = Request(
        method="POST",
        resource="/packs/{id}/upload",
        path=f"/packs/{pack}/upload",
        query={"dry_run": "true"},
        headers=headers,
        body=form,
        caller=caller,
    )

    refused(service.request("reupload_pack", request), "1.0.0", "1.0.1")
    assert service.get(pack).body["version"] == "1.0.0"


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_staged_archive_is_judged_by_the_policy_when_it_is_built(orgs: Service, dry_run: bool) -> None:
    pack = made(orgs.upload(archive("1.0.0", "first")))
    upload = start(orgs, pack_id=pack, dry_run=dry_run).body["upload_id"]
    set_policy(orgs, "immutable")

    deliver(orgs, arrive(orgs, upload, archive("1.0.0", "other")))

    told = look(orgs, upload).body
    assert (told["status"], told["error"]["code"]) == ("failed", "version_taken")
    assert told["error"]["details"]["next_version"] == "1.0.1"
    assert orgs.get(pack).headers["ETag"] == '"1"'
