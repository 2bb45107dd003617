"""No organisation reaches what another has: every answer is as if that were not there.

For every operation of the API's document, every place where a request can name something, and every credential: a
request that names something of another organisation gets, byte for byte, the answer to one that names what does not
exist. What leaves the process for it is the same, parameter for parameter. Nothing of the other organisation changes.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.gateway import Request
from tests.publishers import GITHUB, token
from tests.reliability import budget, tally
from tests.reliability.other_tenants import (
    Named,
    Operation,
    Pair,
    Place,
    conditions,
    operations,
    pairs,
    request,
)
from tests.reliability.two_organisations import (
    CALLER,
    DOMAIN,
    MARK,
    OTHER,
    Heard,
    TwoOrganisations,
    running_two_organisations,
)
from tests.service import PUBLIC_URL

from packyard.http.authorizer import Unauthorized

OPERATIONS = operations()
PLACES = [place for operation in OPERATIONS for place in operation.places()]
# With what is in no body, a request may do what it asks for: under a key of its own, into a file or a role of its own.
# A list of own things may be narrowed down to what it does not have.
MAY_SUCCEED = {
    *(("key", "header"), ("file", "path"), ("role", "path"), ("filter", "body")),
    *((kind, "query") for kind in ("pack", "role", "actor", "event")),
}

FUNCTIONS = Path(__file__).parents[2] / "functions"
# What answers everybody alike, or nobody.
KNOW_NO_ORGANISATION = {
    "api_docs",
    "console",
    "signing_keys",
    "ping_door",
    "attest_image",
    "build_upload",
    "clean_up",
    "deliver",
    "fan_out",
    "follow_packs",
    "retry_delivery",
    "measure_backlog",
    "prepare_artifacts",
    "rescan_packs",
    "scan_content",
}
# What reads credentials: asked with all of them below, and in `test_distribution_door.py`.
CREDENTIALS = {"authorize", "authorize_pull"}


@pytest.fixture(scope="module")
def both() -> Iterator[TwoOrganisations]:
    with running_two_organisations() as running:
        use_keys(running)
        yield running


def use_keys(both: TwoOrganisations) -> None:
    """Let the other organisation send each request that takes an idempotency key with the one that is called theirs."""
    for place in PLACES:
        if place.kind == "key":
            (pair,) = pairs(both, place)
            asked = request(both, place.operation, Named(place, pair.theirs))
            asked = replace(
                asked, headers={**asked.headers, "Host": f"{OTHER.org_slug}.{DOMAIN}"}, caller=OTHER
            )
            answer = both.invoke(place.operation.function, asked.event())
            # A shared pack is seen, and not changed.
            assert answer.status in {200, 201, 202, 403, 404}, answer.body
    both.saved = both.deployment.save()


@pytest.fixture(autouse=True)
def fresh(both: TwoOrganisations) -> None:
    both.again()


def heard(both: TwoOrganisations, credential: str, place: Place, named: Named) -> Heard:
    both.again()
    asked = request(both, place.operation, named)
    answer = both.ask(place.operation.function, asked, both.credentials[credential])
    # Of an image, what a registry would be asked for is its repository.
    return answer.without(named.value, *_as_proposed(named.value), f"/{MARK}/", "/none/")


def _as_proposed(value: str) -> Iterator[str]:
    """Yield what a refusal may propose instead of a value, or name of it: it says no more than the value did."""
    bare = value.partition("://")[2] or value
    single = re.sub("/+", "/", bare)
    host, _, path = single.partition("/")
    repository = re.split("[:@]", path, maxsplit=1)[0]
    named = (bare, bare.lower(), bare.strip(), single, single.lower(), path, repository, host)
    yield from dict.fromkeys(form for form in named if form)


def faults(
    both: TwoOrganisations, credential: str, place: Place, pair: Pair, *, whole: bool
) -> Iterator[str]:
    """Yield what gives away that something of the other organisation's is there."""
    before = both.kept_by_other()
    for how in conditions(place, whole=whole):
        nobodys = heard(both, credential, place, Named(place, pair.nobodys, how))
        theirs = heard(both, credential, place, Named(place, pair.theirs, how))
        tally.count("isolation cases")
        if theirs != nobodys:
            yield f"{how}: {difference(theirs, nobodys)}"
        if theirs.status < 400 and (place.kind, place.where) not in MAY_SUCCEED:
            yield f"{how}: was answered {theirs.status}"
        if MARK in theirs.body or OTHER.org_id in theirs.body:
            yield f"{how}: the answer tells of it: {theirs.body}"
    if both.kept_by_other() != before:
        yield "something of theirs has changed"
    if place.kind == "image" and both.deployment.service.registry.requests:
        yield f"our registry was asked for {both.deployment.service.registry.requests}"


def difference(theirs: Heard, nobodys: Heard) -> str:
    said = [
        f"{name} {getattr(theirs, name)}, of what is not there {getattr(nobodys, name)}"
        for name in ("status", "headers", "body")
        if getattr(theirs, name) != getattr(nobodys, name)
    ]
    only = [f"only of theirs: {call}" for call in theirs.calls if call not in nobodys.calls]
    only += [f"only of what is not there: {call}" for call in nobodys.calls if call not in theirs.calls]
    return "; ".join([*said, *only]) or f"so many calls: {len(theirs.calls)}, {len(nobodys.calls)}"


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("credential", ["a key that writes", "a key that reads", "a token that writes"])
def test_what_is_another_organisation_s_is_as_what_is_not_there(
    both: TwoOrganisations, credential: str, place: Place
) -> None:
    all_pairs = pairs(both, place)
    # Behind the authorizer a token is a caller like a key.
    foremost = credential == "a key that writes"
    some = all_pairs if foremost else budget.spread(all_pairs, ci=1, of_whom=f"{credential}: {place}")
    both.deployment.service.registry.requests.clear()

    failures = [
        f"{pair.what} {fault}"
        for pair in some
        # The conditions are about revisions, which are alike whatever the pack is.
        for fault in faults(
            both, credential, place, pair, whole=budget.SOAK or (foremost and pair is some[0])
        )
    ]

    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("function", ["pull_manifest", "pull_blob"])
def test_at_the_door_another_organisation_s_image_is_as_what_is_not_there(
    both: TwoOrganisations, function: str
) -> None:
    shelf = both.deployment.service.registry.shelves.repositories[f"packs/{OTHER.org_id}/{MARK}"]
    theirs = next(iter(shelf.manifests if function == "pull_manifest" else shelf.blobs))
    what, nobodys = function.removeprefix("pull_") + "s", f"sha256:{'0' * 64}"

    def pull(repository: str, digest: str) -> Heard:
        both.again()
        event = Request(method="GET", resource=f"/{repository}/{what}/{digest}").event()
        event["requestContext"]["authorizer"] = {"org_id": CALLER.org_id, "role_id": "own-role"}
        tally.count("isolation cases")
        return both.invoke(function, event).without(digest)

    own = f"{CALLER.org_slug}/own"
    for repository in (f"{OTHER.org_slug}/{MARK}", f"{OTHER.org_slug}/none", "nobody/none"):
        assert pull(repository, theirs) == pull("nobody/none", nobodys)
    assert pull(own, theirs) == pull(own, nobodys)
    assert pull(own, theirs).status == 404


def test_at_the_door_a_key_opens_no_role_of_another_organisation(both: TwoOrganisations) -> None:
    def token(role: str) -> Heard:
        _, _, secret = both.credentials["a key that writes"].partition(" ")
        basic = b64encode(f"{role}:{secret}".encode()).decode()
        event = Request(method="GET", resource="/token", headers={"Authorization": f"Basic {basic}"}).event()
        return both.invoke("exchange_pull_token", event).without(role)

    assert token(f"{MARK}-role") == token("none-role")
    assert (token("none-role").status, token("own-role").status) == (401, 200)


def test_a_token_that_is_not_signed_learns_of_no_organisation_and_no_publisher(
    both: TwoOrganisations,
) -> None:
    def heard(org: str, pack: str) -> tuple[int, str, int]:
        at, issuer = both.deployment.service.clock(), f"https://{MARK}.example"
        text = token(issuer, GITHUB, at=at, aud=f"{PUBLIC_URL}#{org}")
        body = json.dumps({"token": text, "org": org, "pack_name": pack}).encode()
        headers = {"Content-Type": "application/json"}
        event = Request(method="POST", resource="/oidc/exchange", headers=headers, body=body).event()
        answer = both.invoke("exchange_oidc", event).without(org, pack)
        return answer.status, answer.body, len(answer.calls)

    nobodys = heard("nobodys-org", "nobodys-pack")
    assert nobodys[0] == 401
    assert heard(OTHER.org_slug, "nobodys-pack") == nobodys


def test_every_function_that_answers_an_organisation_is_tried() -> None:
    tried = {operation.function for operation in OPERATIONS}
    at_the_door = {"pull_manifest", "pull_blob", "exchange_pull_token"}
    by_a_token_of_ci = {"exchange_oidc"}

    assert {folder.parent.name for folder in FUNCTIONS.glob("*/app.py")} == (
        tried | at_the_door | by_a_token_of_ci | KNOW_NO_ORGANISATION | CREDENTIALS
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.function)
def test_without_a_caller_a_function_answers_401_and_asks_nobody(
    both: TwoOrganisations, operation: Operation
) -> None:
    answers = set()
    for place in operation.places():
        for pair in pairs(both, place):
            for value in (pair.theirs, pair.nobodys):
                event = request(both, operation, Named(place, value)).event()
                answers.add(both.invoke(operation.function, event).without(value))
                tally.count("isolation cases")

    (answer,) = answers
    assert answer.status == 401
    # ClawHub's client prints what it gets, so that its door answers in plain words.
    of_clawhub = operation.function == "door_clawhub"
    assert of_clawhub or answer.error["code"] == "unauthenticated"
    assert answer.calls == ()


def test_a_credential_that_is_not_good_is_refused_alike_whatever_is_wrong_with_it(
    both: TwoOrganisations,
) -> None:
    for name, authorization in both.refused.items():
        with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
            both.authorize(authorization)
        tally.count("isolation cases", len(OPERATIONS))
        assert name


def test_a_credential_speaks_for_its_own_organisation_only(both: TwoOrganisations) -> None:
    contexts = [both.authorize(authorization) for authorization in both.credentials.values()]

    assert {context["org_id"] for context in contexts} == {CALLER.org_id}
    assert {context["org_slug"] for context in contexts} == {CALLER.org_slug}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.function)
def test_a_key_that_reads_changes_nothing(both: TwoOrganisations, operation: Operation) -> None:
    answer = both.ask(operation.function, request(both, operation), both.credentials["a key that reads"])

    if operation.details.get("x-scope"):
        assert answer.status == 403
        assert answer.error["code"] == "permission_denied"
        assert answer.calls == ()
    else:
        # At a door, the path of the request may lead to nothing, to what is being made, or to no method.
        at_a_door = operation.function.startswith("door_")
        assert answer.status in ((200, 202, 404, 405) if at_a_door else (200,))
