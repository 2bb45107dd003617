"""What trusted publishers learn from first tokens, and what happens when they change meanwhile."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.issuer import Issuer, public
from tests.publishers import (
    AWS_KEY,
    GITHUB,
    KEY,
    add,
    events_of,
    exchange,
    listed_publishers,
    put_acme,
    refused_claims,
    token_of,
)
from tests.service import ACME, Service

from packyard.store.publishers import PublisherStore
from packyard.tenants.publisher import Publisher


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(keys=[public(KEY), public(AWS_KEY)]) as running:
        yield running


@pytest.fixture(autouse=True)
def acme(service: Service) -> None:
    put_acme(service)


def test_the_first_token_pins_the_ids_of_what_was_named(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    assert "pinned" not in listed_publishers(service)[0]

    exchange(service, token_of(service, issuer))

    assert listed_publishers(service)[0]["pinned"] == {
        "repository_id": "123456",
        "repository_owner_id": "98765",
    }


def test_a_renamed_repository_and_owner_still_publish(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    exchange(service, token_of(service, issuer))
    renamed = {
        "repository": "acme-corp/slack",
        "repository_owner": "acme-corp",
        "workflow_ref": "acme-corp/slack/.github/workflows/release.yml@refs/tags/v1.0.1",
    }

    assert exchange(service, token_of(service, issuer, {**GITHUB, **renamed})).status == 200


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        pytest.param(
            {"repository_id": "777", "repository_owner_id": "666"},
            {"repository_owner_id": {"came": "666"}},
            id="made again by somebody who has taken the owner's name: nothing of what is configured is told",
        ),
        pytest.param(
            {"repository_owner_id": "666"},
            {"repository_owner_id": {"came": "666"}},
            id="given to another owner",
        ),
        pytest.param(
            {"repository_id": "777"},
            {"repository_id": {"came": "777", "configured": "123456"}},
            id="deleted and made again by the owner, who may know what is configured",
        ),
    ],
)
def test_a_repository_of_the_same_name_and_other_ids_is_another_one(
    service: Service, issuer: Issuer, ids: Mapping[str, str], named: Any
) -> None:
    add(service, issuer.url)
    exchange(service, token_of(service, issuer))

    assert refused_claims(exchange(service, token_of(service, issuer, {**GITHUB, **ids}))) == named


class _Overtaken(PublisherStore):
    """Something happens once, right after the publishers were read."""

    def __init__(self, service: Service, meanwhile: Callable[[], object]) -> None:
        super().__init__(table=service.services.table, events=service.services.events)
        self._meanwhile = [meanwhile]

    def of_pack(self, org_id: str, pack_name: str) -> Sequence[Publisher]:
        found = super().of_pack(org_id, pack_name)
        if self._meanwhile:
            self._meanwhile.pop()()
        return found


def test_of_two_first_tokens_at_once_one_pins_its_ids(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    first, second = (
        token_of(service, issuer),
        token_of(service, issuer, repository_id="777", repository_owner_id="666"),
    )
    won: list[int] = []
    store = _Overtaken(service, lambda: won.append(exchange(service, second).status))
    service.new_process(parts={"publishers": store})

    assert refused_claims(exchange(service, first)) == {"repository_owner_id": {"came": "98765"}}
    assert won == [200]
    assert listed_publishers(service)[0]["pinned"] == {"repository_id": "777", "repository_owner_id": "666"}


def test_a_publisher_that_is_removed_while_it_is_compared_makes_no_key(
    service: Service, issuer: Issuer
) -> None:
    path = f"/trusted-publishers/{add(service, issuer.url).body['id']}"
    store = _Overtaken(service, lambda: service.send("trusted_publishers", "DELETE", path))
    service.new_process(parts={"publishers": store})

    assert exchange(service, token_of(service, issuer)).status == 401
    assert events_of(service, type="key.issued") == []


def test_a_publisher_of_a_key_that_has_ended_takes_no_tokens(service: Service, issuer: Issuer) -> None:
    end = service.clock() + timedelta(minutes=5)
    maker = replace(ACME, principal="key:maker", ends_at=end)
    added = add(service, issuer.url, maker)
    assert added.body["expires_at"] == "2026-03-01T12:05:00.000Z"

    exchanged = exchange(service, token_of(service, issuer))
    assert exchanged.body["expires_at"] == "2026-03-01T12:05:00.000Z", "no key outlives it"
    service.clock.advance(timedelta(minutes=5))

    assert exchange(service, token_of(service, issuer)).status == 401
