"""What registered images must bring, through the real handlers of all that uses them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from tests.aws import TABLE
from tests.engine.taps import Log
from tests.fake_registry.moods import Refuses
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.shelves import Repository
from tests.gateway import Answer
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.signatures import Key, b64, bundle, document_of, fall_back, refer, statement
from tests.third_party_images import ForeignImage, pack_image

from packyard.store.wire import from_wire
from packyard.tenants.caller import Caller

KEY: Final = Key()
OTHER: Final = Key()
NOTHING: Final[dict[str, Any]] = {"rules": [], "otherwise": "accept", "authorities": [], "logs": []}


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def shelf(registry: FakeRegistry) -> Repository:
    return registry.shelves.repository("team/slack", create=True)


def everything(service: Service) -> list[dict[str, Any]]:
    items = service.aws.dynamodb.scan(TableName=TABLE, ConsistentRead=True)["Items"]
    return [from_wire(item) for item in items]


def host(registry: FakeRegistry) -> str:
    return urlsplit(registry.url).netloc


def get_policy(service: Service, caller: Caller = ACME) -> Answer:
    return service.send("policies", "GET", "/signature-policy", caller=caller)


def put_policy(service: Service, document: Any, caller: Caller = ACME, *, if_match: str = "") -> Answer:
    return service.send(
        "policies",
        "PUT",
        "/signature-policy",
        caller=caller,
        json=document,
        headers={"If-Match": if_match} if if_match else {},
    )


def require(service: Service, *keys: Key, caller: Caller = ACME) -> None:
    """Let all registered images of an organisation be signed by one of the keys."""
    assert put_policy(service, document_of(*keys, images=["**"]), caller).status == 200


def image(version: str = "1.4.0") -> ForeignImage:
    return pack_image(f"name: slack\nversion: {version}\n".encode())


def shelve(shelf: Repository, version: str = "1.4.0", key: Key | None = None) -> None:
    """Put an image into the registry, and its signature if there is a key."""
    image(version).shelve(shelf, version)
    if key is not None:
        sign(shelf, version, key)


def sign(shelf: Repository, version: str, key: Key) -> None:
    manifest = image(version).manifest
    fall_back(shelf, manifest, refer(shelf, manifest, bundle(key, statement(manifest.digest))))


def create(
    service: Service, registry: FakeRegistry, version: str = "1.4.0", caller: Caller = ACME, **more: Any
) -> Answer:
    query = more.pop("query", {})
    body = {"image_ref": f"{host(registry)}/team/slack:{version}", **more}
    return service.send("create_pack", "POST", "/packs", caller=caller, json=body, query=query)


def move(service: Service, registry: FakeRegistry, pack: str, version: str, **query: str) -> Answer:
    body = {"image_ref": f"{host(registry)}/team/slack:{version}"}
    return service.send("replace_pack", "PUT", f"/packs/{pack}", json=body, query=query)


def made(answer: Answer) -> str:
    assert answer.status in (200, 201), answer.body
    pack_id: str = answer.body["id"]
    return pack_id


def refused(answer: Answer) -> dict[str, Any]:
    """Return what is said of the first image that was refused."""
    assert (answer.status, answer.error["code"]) == (409, "signature_required"), answer.body
    images: list[dict[str, Any]] = answer.error["details"]["images"]
    assert images[0]["image"] in answer.error["message"]
    return images[0]


def test_an_organisation_requires_nothing_until_it_says_what(service: Service) -> None:
    document = document_of(KEY, requires=["signature"], otherwise="refuse", authorities=[], logs=[])

    assert get_policy(service).body == NOTHING
    answer = put_policy(service, document)
    assert (answer.status, answer.body, answer.headers["ETag"]) == (200, document, '"1"')
    assert get_policy(service).body == document
    assert get_policy(service, GLOBEX).body == NOTHING
    assert put_policy(service, {"rules": []}).body == NOTHING


def test_a_policy_is_changed_by_who_may_and_as_it_was_seen(service: Service) -> None:
    document = document_of(KEY)
    stranger = replace(ACME, scopes=ACME.scopes - {"policy:write"})

    assert put_policy(service, document, stranger).status == 403
    assert put_policy(service, document, if_match='"0"').status == 200
    assert put_policy(service, NOTHING, if_match='"0"').status == 412
    # The same again is no change.
    assert put_policy(service, document).headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "rules"),
        ({"rule": []}, "rule"),
        ({"rules": [{"images": ["acme"], "signers": []}]}, "rules[0].images[0]"),
        ({"rules": [], "otherwise": "deny"}, "otherwise"),
    ],
)
def test_a_policy_that_is_wrong_changes_nothing(service: Service, document: Any, field: str) -> None:
    answer = put_policy(service, document)

    assert answer.status == 400
    assert field in answer.fields
    assert get_policy(service).headers["ETag"] == '"0"'


def test_a_change_is_an_event_that_names_both_policies_by_their_content(service: Service) -> None:
    require(service, KEY)
    event = next(item for item in everything(service) if item.get("type") == "policy.updated")

    assert '"policy":"signature_policy"' in event["data"]
    assert '"rules":1' in event["data"]


def test_an_image_that_is_signed_is_registered_and_one_that_is_not_is_refused(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    require(service, KEY)
    shelve(shelf)

    said = refused(create(service, registry))

    assert said["image"] == f"{host(registry)}/team/slack@{image().manifest.digest}"
    assert said["looked_for"] == [f"a signature of the image by the key key 1 ({b64(KEY.id)})"]
    assert said["found"] == []
    assert said["looked_at"][0] == "referrers API: answers 404"
    assert service.list_packs().body["packs"] == []

    sign(shelf, "1.4.0", OTHER)
    assert "is signed by none" in refused(create(service, registry))["found"][0]["problem"]
    sign(shelf, "1.4.0", KEY)
    made(create(service, registry))


def test_a_dry_run_says_the_same_and_keeps_nothing(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    require(service, KEY)
    shelve(shelf)
    refused(create(service, registry, query={"dry_run": "true"}))
    sign(shelf, "1.4.0", KEY)

    assert create(service, registry, query={"dry_run": "true"}).status == 200
    assert not [item for item in everything(service) if item["PK"].startswith("PACK#")]
    pack = made(create(service, registry))
    before = everything(service)
    shelve(shelf, "1.5.0")
    refused(move(service, registry, pack, "1.5.0", dry_run="true"))
    assert move(service, registry, pack, "1.4.0", dry_run="true").status == 200
    assert everything(service) == before


def test_a_pack_moves_to_signed_images_only(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, "1.4.0")
    pack = made(create(service, registry))
    require(service, KEY)
    shelve(shelf, "1.5.0")

    refused(move(service, registry, pack, "1.5.0"))
    assert service.get(pack).body["version"] == "1.4.0"
    sign(shelf, "1.5.0", KEY)
    assert made(move(service, registry, pack, "1.5.0")) == pack
    # Going back is to an image that is not signed.
    refused(service.send("replace_pack", "PUT", f"/packs/{pack}", json={"revision": 1}))


def test_a_registry_that_cannot_say_makes_a_difference_only_under_a_policy(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf)
    registry.moods.append(Refuses(path="/referrers/", status=503))
    require(service, KEY)

    answer = create(service, registry)
    assert (answer.status, answer.error["code"]) == (502, "registry_unavailable")
    put_policy(service, NOTHING)
    pack = made(create(service, registry))
    require(service, KEY)
    assert refused(service.set_role("support", [pack]))["looked_at"][0].startswith("nothing: ")


def test_built_packs_need_no_signature(service: Service) -> None:
    require(service, KEY)
    pack = made(service.upload(PackArchive().build()))

    assert service.set_role("support", [pack]).status == 200


def test_attaching_needs_what_the_policy_needs_now_and_asks_no_registry(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, key=KEY)
    pack = made(create(service, registry))
    asked = len(registry.requests)
    require(service, OTHER)

    said = refused(service.set_role("support", [pack]))

    assert said["pack_id"] == pack
    assert "is signed by none" in said["found"][0]["problem"]
    assert service.get_role("support").status == 404
    require(service, OTHER, KEY)
    assert service.set_role("support", [pack]).status == 200
    # What stays is not judged again.
    require(service, OTHER)
    assert service.set_role("support", [pack]).status == 200
    assert len(registry.requests) == asked


def test_an_image_that_was_signed_later_is_looked_at_again(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf)
    pack = made(create(service, registry))
    require(service, KEY)
    refused(service.set_role("support", [pack]))
    sign(shelf, "1.4.0", KEY)
    refused(service.set_role("support", [pack]))

    again = move(service, registry, pack, "1.4.0")

    assert (again.status, again.body["updated_at"]) == (200, service.get(pack).body["created_at"])
    assert service.set_role("support", [pack]).status == 200
    sign(shelf, "1.4.0", OTHER)
    require(service, OTHER)
    assert create(service, registry).status == 200
    assert service.set_role("other", [pack]).status == 200


def test_another_organisation_s_pack_is_judged_by_the_policy_of_the_role_s(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, key=OTHER)
    require(service, OTHER, caller=GLOBEX)
    pack = made(create(service, registry, caller=GLOBEX, visibility="community"))
    require(service, KEY)

    assert service.set_role("support", [pack], GLOBEX).status == 200
    assert "is signed by none" in refused(service.set_role("support", [pack]))["found"][0]["problem"]


def test_what_an_image_brings_is_listed_whoever_signed_it(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, key=OTHER)
    pack = made(create(service, registry, visibility="community"))
    clone, built = made(service.clone(pack, GLOBEX)), made(service.upload(PackArchive(name="built").build()))

    def listed(pack_id: str, caller: Caller = ACME) -> dict[str, Any] | None:
        path = f"/packs/{pack_id}/attestations"
        answer = service.send("list_attestations", "GET", path, caller=caller)
        assert answer.status == 200, answer.body
        found: dict[str, Any] | None = answer.body.get("brought")
        return found

    brought = listed(pack)
    assert brought is not None
    assert (brought["repository"], brought["complete"]) == (f"{host(registry)}/team/slack", True)
    (one,) = brought["signatures"]
    assert (one["kind"], one["about_this_image"]) == ("signature", True)
    assert listed(clone, GLOBEX) == brought
    assert listed(built) is None


def test_refreshing_and_following_move_pins_to_signed_images_only(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, "1.4.0", key=KEY)
    shelve(shelf, "1.5.0", key=OTHER)
    shelve(shelf, "1.6.0", key=KEY)
    pack = made(create(service, registry, caller=GLOBEX, visibility="community"))
    require(service, KEY)
    assert service.pin("follows", [{"id": pack, "follow": True}]).status == 200
    assert service.pin("pinned", [{"id": pack}]).status == 200
    service.send(
        "replace_pack",
        "PUT",
        f"/packs/{pack}",
        caller=GLOBEX,
        json={"image_ref": f"{host(registry)}/team/slack:1.5.0"},
    )

    service.follow(pack)
    assert service.get_role("follows").body["packs"][0]["revision"] == 1
    refused(service.refresh_role("pinned"))

    service.send(
        "replace_pack",
        "PUT",
        f"/packs/{pack}",
        caller=GLOBEX,
        json={"image_ref": f"{host(registry)}/team/slack:1.6.0"},
    )
    service.follow(pack)
    assert service.get_role("follows").body["packs"][0]["revision"] == 3
    assert service.refresh_role("pinned").body["packs"][0]["revision"] == 3


def test_a_clone_of_a_registered_image_is_judged_as_that_image(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, key=OTHER)
    pack = made(create(service, registry, caller=GLOBEX, visibility="community"))
    require(service, KEY)

    refused(service.clone(pack))
    put_policy(service, NOTHING)
    clone = made(service.clone(pack))
    require(service, KEY)
    said = refused(service.set_role("support", [clone]))
    assert said["image"].startswith(f"{host(registry)}/team/slack@")
    require(service, OTHER)
    assert service.set_role("support", [clone]).status == 200


def clone_of_globex(service: Service, registry: FakeRegistry) -> tuple[str, str]:
    """Return a registered pack of another organisation, and a clone of it."""
    pack = made(create(service, registry, caller=GLOBEX, visibility="community"))
    return pack, made(service.clone(pack))


@pytest.mark.parametrize("named", ["tag", "revision"])
def test_a_clone_is_judged_by_its_source_s_signatures_when_it_is_moved_too(
    service: Service, registry: FakeRegistry, shelf: Repository, named: str
) -> None:
    shelve(shelf, key=KEY)
    _, clone = clone_of_globex(service, registry)
    to = {"tag": {"image_ref": service.get(clone).body["image_ref"]}, "revision": {"revision": 1}}[named]

    def moved() -> Answer:
        return service.send("replace_pack", "PUT", f"/packs/{clone}", json=to)

    # A rule for the source's registry. Our own registry, which none names, would be accepted.
    assert put_policy(service, document_of(OTHER, images=[f"{host(registry)}/**"])).status == 200
    assert refused(moved())["image"].startswith(f"{host(registry)}/team/slack@")
    refused(service.set_role("support", [clone]))
    require(service, KEY)
    made(moved())
    assert service.set_role("support", [clone]).status == 200


def test_a_clone_gets_the_signatures_that_its_source_got_later_when_it_is_asked_for_again(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf)
    pack, clone = clone_of_globex(service, registry)
    sign(shelf, "1.4.0", KEY)
    made(create(service, registry, caller=GLOBEX, visibility="community"))
    require(service, KEY)
    refused(service.set_role("support", [clone]))

    assert made(service.clone(pack)) == clone
    assert service.set_role("support", [clone]).status == 200


def test_what_a_clone_has_from_its_source_is_not_written_again_when_it_is_moved(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    """Its source's newer signatures may come in between."""
    shelve(shelf, key=KEY)
    _, clone = clone_of_globex(service, registry)
    to = {"image_ref": service.get(clone).body["image_ref"]}
    log = Log()
    with service.wire.tapped(log):
        made(service.send("replace_pack", "PUT", f"/packs/{clone}", json=to))

    assert {"dynamodb.PutItem", "dynamodb.TransactWriteItems"}.isdisjoint(log.calls)


def test_a_registry_that_does_not_answer_takes_no_signature_away(
    service: Service, registry: FakeRegistry, shelf: Repository
) -> None:
    shelve(shelf, "1.4.0", key=KEY)
    shelve(shelf, "1.5.0", key=KEY)
    pack = made(create(service, registry))
    made(move(service, registry, pack, "1.5.0"))
    registry.moods.append(Refuses(path="/referrers/", status=503))

    made(move(service, registry, pack, "1.5.0"))
    made(move(service, registry, pack, "1.4.0"))
    made(create(service, registry))

    require(service, KEY)
    pins = [{"id": pack, "revision": revision} for revision in (2, 3)]
    assert [service.pin(f"role-{pin['revision']}", [pin]).status for pin in pins] == [200, 200]
