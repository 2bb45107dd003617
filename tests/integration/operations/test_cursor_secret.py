"""The secret that signs cursors, as Secrets Manager keeps it: read when a cursor needs it, rotated under clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.aws import CURSOR_SECRET
from tests.gateway import Answer
from tests.service import PackArchive, Service

from packyard.composition import bootstrap

Ask = Callable[[dict[str, str]], Answer]


@pytest.fixture(params=["packs", "revisions"])
def ask(service: Service, request: pytest.FixtureRequest) -> Ask:
    """Ask for a page of a list that has three entries."""
    made = [service.upload(PackArchive(name=name).build()) for name in ("a", "b", "c")]
    pack_id = made[0].body["id"]
    for visibility in ("community", "org"):
        service.update(pack_id, visibility)
    if request.param == "packs":
        return lambda query: service.list_packs(**query)
    path = f"/packs/{pack_id}/revisions"
    return lambda query: service.send("list_revisions", "GET", path, query=query)


@pytest.fixture
def secrets(service: Service) -> Any:
    return service.services.client("secretsmanager")


@pytest.fixture
def reads(secrets: Any) -> list[str]:
    """Take down which versions are read."""
    seen: list[str] = []
    secrets.meta.events.register(
        "provide-client-params.secrets-manager.GetSecretValue",
        lambda params, **_: seen.append(params["VersionStage"]),
    )
    return seen


@contextmanager
def another_container(service: Service) -> Iterator[None]:
    with bootstrap.using(replace(service.services)):
        yield


def test_a_whole_list_costs_no_reading(ask: Ask, reads: list[str]) -> None:
    assert "next_cursor" not in ask({"limit": "100"}).body

    assert reads == []


def test_pages_cost_one_reading(ask: Ask, reads: list[str]) -> None:
    query = {"limit": "1"}
    for _ in range(2):
        query["cursor"] = ask(query).body["next_cursor"]

    assert ask(query).status == 200
    assert reads == ["AWSCURRENT"]


def test_a_client_that_pages_does_not_notice_a_rotation(service: Service, ask: Ask, secrets: Any) -> None:
    first = ask({"limit": "1"}).body["next_cursor"]
    secrets.put_secret_value(SecretId=CURSOR_SECRET, SecretString="the next secret")
    service.clock.advance(timedelta(seconds=1))

    with another_container(service):
        second = ask({"limit": "1", "cursor": first})
        assert second.status == 200
        newly_signed = second.body["next_cursor"]
    third = ask({"limit": "1", "cursor": newly_signed})

    assert third.status == 200
    assert ask({"limit": "1", "cursor": first}).status == 200


def test_a_second_rotation_ends_the_cursors_of_the_first(service: Service, ask: Ask, secrets: Any) -> None:
    cursor = ask({"limit": "1"}).body["next_cursor"]
    for text in ("the next secret", "the one after"):
        secrets.put_secret_value(SecretId=CURSOR_SECRET, SecretString=text)

    with another_container(service):
        refused = ask({"limit": "1", "cursor": cursor})

    assert refused.status == 400
    assert "start again without it" in str(refused.body)


def test_a_secret_that_is_gone_is_503_where_a_cursor_is_needed(
    service: Service, ask: Ask, secrets: Any
) -> None:
    cursor = ask({"limit": "1"}).body["next_cursor"]
    secrets.delete_secret(SecretId=CURSOR_SECRET, ForceDeleteWithoutRecovery=True)

    with another_container(service):
        answers = [ask({"limit": "1"}), ask({"limit": "1", "cursor": cursor})]
        assert [answer.status for answer in answers] == [503, 503]
        assert {answer.body["error"]["code"] for answer in answers} == {"service_unavailable"}
        assert ask({"limit": "100"}).status == 200


def test_a_secret_that_is_about_to_go_is_503_too(service: Service, ask: Ask, secrets: Any) -> None:
    secrets.delete_secret(SecretId=CURSOR_SECRET)

    with another_container(service):
        assert ask({"limit": "1"}).status == 503
