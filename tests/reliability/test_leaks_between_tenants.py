"""Where one organisation's things touch another's, and what must not come over: names, counts, actors, contents."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.gateway import Answer
from tests.image_sources import image_source, pull
from tests.internet import internet
from tests.reliability.two_organisations import (
    CALLER,
    MARK,
    OTHER,
    OTHERS_FILE,
    TwoOrganisations,
    running_two_organisations,
)
from tests.service import PackArchive
from tests.third_party_images import image, layer

from packyard.errors import InvalidRequest
from packyard.registry.credentials import Anonymous
from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials
from packyard.tenants.org import BillingPosture


@pytest.fixture(scope="module")
def running() -> Iterator[TwoOrganisations]:
    with running_two_organisations() as both:
        yield both


@pytest.fixture
def both(running: TwoOrganisations) -> TwoOrganisations:
    running.again()
    return running


def told(answer: Answer) -> str:
    return json.dumps(answer.body) + json.dumps(answer.headers)


def share(both: TwoOrganisations, name: str = "uploaded") -> str:
    """Let the other organisation share a pack with everybody, and return its id."""
    pack_id: str = both.notes[f"their {name}"]
    assert both.deployment.service.update(pack_id, "community", OTHER).status == 200
    return pack_id


def test_a_name_that_another_organisation_has_taken_is_free(both: TwoOrganisations) -> None:
    answer = both.deployment.service.upload(PackArchive(name=MARK).build(), CALLER)

    assert answer.status == 201


def test_of_the_roles_that_hold_a_pack_its_owner_learns_how_many_and_no_more(both: TwoOrganisations) -> None:
    service = both.deployment.service
    mine = both.notes["own-other"]
    assert service.set_role(f"{MARK}-role", [mine], OTHER).status == 200

    for answer in (service.delete(mine, CALLER), service.update(mine, "org", CALLER)):
        assert answer.status == 409
        assert answer.error["details"] == {"references": {"role_ids": [], "other_organisations": 1}}
        assert MARK not in told(answer)


def test_a_role_that_would_get_hidden_and_missing_packs_is_told_of_them_alike(both: TwoOrganisations) -> None:
    hidden, missing = both.notes["their uploaded"], "pack_01HZ9000000000000000000000"
    mine = both.notes["own"]

    answers = [
        both.deployment.service.set_role("own-role", ids, CALLER)
        for ids in ([mine, hidden, missing], [missing, mine, hidden], [hidden], [missing])
    ]

    assert [answer.status for answer in answers] == [404] * 4
    assert [answer.error["details"]["pack_ids"] for answer in answers] == [
        [hidden, missing],
        [missing, hidden],
        [hidden],
        [missing],
    ]
    assert len({answer.error["message"] for answer in answers}) == 1
    assert both.deployment.service.get_role("own-role", CALLER).body["pack_ids"] == [mine]


def test_what_another_organisation_has_shared_and_taken_back_is_gone_for_others(
    both: TwoOrganisations,
) -> None:
    service = both.deployment.service
    shared = share(both)
    assert service.get(shared, CALLER).status == 200
    assert service.update(shared, "org", OTHER).status == 200

    asked = [
        service.get(shared, CALLER),
        service.clone(shared, CALLER, name="copy"),
        service.set_role("own-role", [shared], CALLER),
        service.send("list_files", "GET", f"/packs/{shared}/files", caller=CALLER),
        service.send("get_file", "GET", f"/packs/{shared}/files/{OTHERS_FILE}", caller=CALLER),
    ]

    assert [answer.status for answer in asked] == [404] * len(asked)
    assert shared not in told(service.list_packs(CALLER))


def test_a_search_finds_what_another_organisation_shares_and_nothing_that_it_has_taken_back(
    both: TwoOrganisations,
) -> None:
    service = both.deployment.service
    shared = share(both)
    name = service.get(shared, CALLER).body["name"]
    hidden = both.notes["their uploaded"]
    for pack_id in (shared, hidden):
        assert "PACK" not in service.follow(pack_id)
    assert shared in told(service.list_packs(CALLER, search=name))

    # The index still has its words.
    assert service.update(shared, "org", OTHER).status == 200
    hidden_name = service.get(hidden, OTHER).body["name"]

    for words in (name, name[:3], hidden_name, MARK):
        assert service.list_packs(CALLER, search=words).body == {"packs": []}
    for exact in (name, hidden_name):
        assert service.list_packs(CALLER, name=exact).body == {"packs": []}
    assert shared in told(service.list_packs(OTHER, search=name))


def test_a_listing_that_goes_on_behind_a_pack_that_was_taken_back_does_not_show_it(
    both: TwoOrganisations,
) -> None:
    service = both.deployment.service
    shared = share(both)
    first = service.list_packs(CALLER, limit="1", owned="false")
    assert [pack["id"] for pack in first.body["packs"]] == [shared]
    assert service.update(shared, "org", OTHER).status == 200

    again = service.list_packs(CALLER, limit="1", owned="false")
    cursors = [page.body["next_cursor"] for page in (first, again) if "next_cursor" in page.body]
    after = [service.list_packs(CALLER, limit="1", owned="false", cursor=cursor) for cursor in cursors]

    assert not [page for page in (again, *after) if MARK in told(page)]


def test_who_has_changed_a_shared_pack_is_its_owner_s_to_know(both: TwoOrganisations) -> None:
    shared = share(both)

    answer = both.deployment.service.send(
        "list_revisions", "GET", f"/packs/{shared}/revisions", caller=CALLER
    )

    assert answer.status == 404


def test_a_shared_pack_and_a_copy_of_it_tell_nothing_of_their_owner_s_others(both: TwoOrganisations) -> None:
    service = both.deployment.service
    shared = share(both)
    copy = service.clone(shared, CALLER, name="copy")
    history = service.send("list_revisions", "GET", f"/packs/{copy.body['id']}/revisions", caller=CALLER)

    assert copy.status == 201
    assert OTHER.org_id not in told(copy) + told(history)
    assert OTHER.principal not in told(history)
    for answer in (service.get(shared, CALLER), service.list_packs(CALLER, owned="false")):
        body: Any = answer.body.get("packs", [answer.body])
        assert [("org_id" in pack, pack["owned"]) for pack in body] == [(False, False)]


@pytest.mark.parametrize("posture", [BillingPosture.PAST_DUE, BillingPosture.DECOMMISSIONING])
def test_how_another_organisation_stands_with_billing_shows_nowhere(
    both: TwoOrganisations, posture: BillingPosture
) -> None:
    shared = share(both)

    def answers() -> list[str]:
        service = both.deployment.service
        asked = [
            service.get(shared, CALLER),
            service.update(shared, "org", CALLER),
            service.delete(shared, CALLER),
            service.list_packs(CALLER),
        ]
        return [json.dumps(answer.body).replace(answer.headers["X-Request-Id"], "") for answer in asked]

    before = answers()
    tenants = both.deployment.service.services.tenants
    other = tenants.get_org(OTHER.org_id)
    assert other is not None
    tenants.set_posture(other, billing=posture, trial_ends_at=None)

    assert answers() == before


def private_registry(both: TwoOrganisations) -> str:
    """Let a registry of others know the other organisation alone, and the other organisation share an image of it."""
    deployment = both.deployment
    host = f"127.0.0.1:{deployment.elsewhere.port}"
    entry = {host: {"username": "user", "password": "secret", "orgs": [OTHER.org_id]}}
    service = deployment.service
    credentials = ThirdPartyCredentials(
        load=lambda: json.dumps(entry), ecr_token=lambda _region: Anonymous(), clock=service.clock
    )
    source = replace(service.services.image_source, credentials=credentials)
    service.new_process(parts={"image_source": source})
    shelf = deployment.elsewhere.shelves.repository(f"team/{MARK}", create=True)
    large = bytes(range(256)) * (5 << 12)
    files = (("pack.yaml", f"name: {MARK}-private\nversion: 1.0.0\n".encode()), ("data/large.bin", large))
    image(layer(*files)).shelve(shelf, "1")
    deployment.elsewhere.basic = "user:secret"
    body = {"image_ref": f"{host}/team/{MARK}:1", "visibility": "community"}
    made = deployment.service.send("create_pack", "POST", "/packs", caller=OTHER, json=body)
    assert made.status == 201, made.body
    pack_id: str = made.body["id"]
    return pack_id


@pytest.mark.parametrize(("function", "tail"), [("list_files", ""), ("get_file", "/data/large.bin")])
def test_what_another_organisation_has_read_from_a_registry_of_theirs_is_not_kept_for_others(
    both: TwoOrganisations, function: str, tail: str
) -> None:
    pack_id = private_registry(both)
    path = f"/packs/{pack_id}/files{tail}"

    def ask(caller: Any) -> int:
        return both.deployment.service.send(function, "GET", path, caller=caller).status

    try:
        before = ask(CALLER)
        theirs = ask(OTHER)
        after = ask(CALLER)
    finally:
        both.deployment.elsewhere.basic = None

    assert theirs in {200, 302}
    assert before == after == 400


ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "alias",
    [
        pytest.param("123456789012.dkr.ecr-fips.eu-central-1.amazonaws.com", id="FIPS"),
        pytest.param("123456789012.dkr-ecr.eu-central-1.on.aws", id="IPv6"),
        pytest.param("123456789012.dkr-ecr-fips.eu-central-1.on.aws", id="FIPS with IPv6"),
    ],
)
def test_by_another_name_our_registry_opens_no_more_than_by_its_own(alias: str) -> None:
    repository = f"packs/{OTHER.org_id}/{MARK}"
    with internet() as net:
        registry = net.serve(alias)
        image(layer(("pack.yaml", b"name: hush\nversion: 1.0.0\n"))).shelve(
            registry.shelves.repository(repository, create=True), "1"
        )
        user = {"username": "AWS", "password": "token"}
        source = image_source(net=net, own=f"https://{ECR}", secret={alias: user})

        with pytest.raises(InvalidRequest, match="does not exist, or may not be pulled"):
            pull(source, f"{alias}/{repository}:1", org_id=CALLER.org_id)

    assert registry.requests == []
