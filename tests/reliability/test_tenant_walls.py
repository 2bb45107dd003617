"""No organisation reaches another: what is a neighbour's is, to everybody else, as if it were not there.

Every operation of the API's document, with something of the neighbour's in every place where a request can name
something, under every credential: the answer is, byte for byte, the one to a request that names what does not exist;
what leaves the process for it is the same, parameter for parameter; and nothing of the neighbour's changes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
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
from tests.reliability.two_organisations import CALLER, DOMAIN, HUSH, NEIGHBOUR, Heard, Street, running_street

from packyard.http.authorizer import Unauthorized

OPERATIONS = operations()
PLACES = [place for operation in OPERATIONS for place in operation.places()]
# With what is in no body, a request may do what it asks for: under a key of its own, into a file or a role of its own.
MAY_SUCCEED = {("key", "header"), ("file", "path"), ("role", "path")}


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with running_street() as running:
        use_keys(running)
        yield running


def use_keys(street: Street) -> None:
    """Let the neighbour send each request that takes an idempotency key with the one that is called theirs."""
    for place in PLACES:
        if place.kind == "key":
            (pair,) = pairs(street, place)
            asked = request(street, place.operation, Named(place, pair.theirs))
            asked = replace(
                asked, headers={**asked.headers, "Host": f"{NEIGHBOUR.org_slug}.{DOMAIN}"}, caller=NEIGHBOUR
            )
            answer = street.invoke(place.operation.function, asked.event())
            assert answer.status in {200, 201, 404}, answer.body
    street.saved = street.deployment.save()


@pytest.fixture(autouse=True)
def fresh(street: Street) -> None:
    street.again()


def heard(street: Street, credential: str, place: Place, named: Named) -> Heard:
    street.again()
    asked = request(street, place.operation, named)
    answer = street.ask(place.operation.function, asked, street.credentials[credential])
    # Of an image, what a registry would be asked for is its repository.
    return answer.without(named.value, *_as_proposed(named.value), f"/{HUSH}/", "/none/")


def _as_proposed(value: str) -> Iterator[str]:
    """Yield what a refusal may propose instead of a value, or name of it: it says no more than the value did."""
    bare = value.partition("://")[2] or value
    single = re.sub("/+", "/", bare)
    host, _, path = single.partition("/")
    repository = re.split("[:@]", path, maxsplit=1)[0]
    named = (bare, bare.lower(), bare.strip(), single, single.lower(), path, repository, host)
    yield from dict.fromkeys(form for form in named if form)


def faults(street: Street, credential: str, place: Place, pair: Pair) -> Iterator[str]:
    """Yield what gives away that something of the neighbour's is there."""
    before = street.kept_by_neighbour()
    for headers in conditions(place):
        nobodys = heard(street, credential, place, Named(place, pair.nobodys, headers))
        theirs = heard(street, credential, place, Named(place, pair.theirs, headers))
        tally.count("isolation cases")
        if theirs != nobodys:
            yield f"{headers}: {difference(theirs, nobodys)}"
        if theirs.status < 400 and (place.kind, place.where) not in MAY_SUCCEED:
            yield f"{headers}: was answered {theirs.status}"
        if HUSH in theirs.body or NEIGHBOUR.org_id in theirs.body:
            yield f"{headers}: the answer tells of it: {theirs.body}"
    if street.kept_by_neighbour() != before:
        yield "something of theirs has changed"
    if place.kind == "image" and street.deployment.service.registry.requests:
        yield f"our registry was asked for {street.deployment.service.registry.requests}"


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
def test_what_is_a_neighbour_s_is_as_what_is_not_there(street: Street, credential: str, place: Place) -> None:
    all_pairs = pairs(street, place)
    # Behind the authorizer a token is a caller like a key.
    some = all_pairs if credential == "a key that writes" else budget.spread(all_pairs, ci=3)
    street.deployment.service.registry.requests.clear()

    failures = [f"{pair.what} {fault}" for pair in some for fault in faults(street, credential, place, pair)]

    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.function)
def test_without_a_caller_a_function_answers_401_and_asks_nobody(
    street: Street, operation: Operation
) -> None:
    answers = set()
    for place in operation.places():
        for pair in pairs(street, place):
            for value in (pair.theirs, pair.nobodys):
                event = request(street, operation, Named(place, value)).event()
                answers.add(street.invoke(operation.function, event).without(value))
                tally.count("isolation cases")

    (answer,) = answers
    assert answer.status == 401
    assert answer.error["code"] == "unauthenticated"
    assert answer.calls == ()


def test_a_credential_that_is_not_good_is_refused_alike_whatever_is_wrong_with_it(street: Street) -> None:
    for name, authorization in street.refused.items():
        with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
            street.authorize(authorization)
        tally.count("isolation cases", len(OPERATIONS))
        assert name


def test_a_credential_speaks_for_its_own_organisation_only(street: Street) -> None:
    contexts = [street.authorize(authorization) for authorization in street.credentials.values()]

    assert {context["org_id"] for context in contexts} == {CALLER.org_id}
    assert {context["org_slug"] for context in contexts} == {CALLER.org_slug}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.function)
def test_a_key_that_reads_changes_nothing(street: Street, operation: Operation) -> None:
    answer = street.ask(
        operation.function, request(street, operation), street.credentials["a key that reads"]
    )

    if operation.details.get("x-scope"):
        assert answer.status == 403
        assert answer.error["code"] == "permission_denied"
        assert answer.calls == ()
    else:
        assert answer.status == 200
