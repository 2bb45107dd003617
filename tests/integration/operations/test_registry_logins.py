"""A role's login at the registry itself, through the real handler: what it opens, and when it is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.door import login
from tests.engine.points import Point
from tests.fake_registry.ecr import PASSWORD
from tests.gateway import Answer
from tests.reliability.deployment import Deployment, running_deployment
from tests.reliability.operations import prepare_all
from tests.service import ACME, GLOBEX, Service

from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import role_key
from packyard.store.wire import to_wire
from packyard.tenants.caller import Caller

ROLE = "support"
REGISTRY = {"login": "registry"}


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """A deployment whose registry is ECR: `slack` is ours, `jira` is in another registry, `shared` is another's."""
    with running_deployment() as running:
        prepare_all(running)
        yield running


@pytest.fixture
def asked(deployment: Deployment) -> Iterator[list[str]]:
    """What has left the process."""
    labels: list[str] = []

    def note(point: Point) -> Any:
        labels.append(point.label)
        return point.deliver()

    with deployment.wire.tapped(note):
        yield labels


def ask(
    service: Service, role_id: str = ROLE, caller: Caller = ACME, body: Any = REGISTRY, **more: Any
) -> Answer:
    path = f"/agent-roles/{role_id}/pull-token"
    return service.send("issue_pull_token", "POST", path, caller=caller, json=body, **more)


def set_role(deployment: Deployment, *names: str) -> None:
    answer = deployment.service.set_role(ROLE, [deployment.notes[name] for name in names])
    assert answer.status == 200, answer.body


def test_it_is_ecr_s_own(deployment: Deployment, asked: list[str]) -> None:
    set_role(deployment, "slack")
    asked.clear()

    answer = ask(deployment.service)

    host = deployment.service.registry.url.partition("://")[2]
    user, _, password = PASSWORD.partition(":")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (answer.body["registry"], answer.body["username"], answer.body["password"]) == (
        host,
        user,
        password,
    )
    assert list(json.loads(answer.body["docker_config"])["auths"]) == [host]
    assert asked == ["dynamodb.GetItem", "sts.AssumeRole", "ecr.GetAuthorizationToken"]


def test_it_lasts_for_as_long_as_ecr_says(deployment: Deployment) -> None:
    set_role(deployment, "slack")

    answer = ask(deployment.service)

    assert answer.body["expires_at"] == format_timestamp(deployment.service.clock.now + timedelta(hours=12))


def test_a_role_from_before_there_were_pins_gets_one_for_what_it_has_now(
    deployment: Deployment, asked: list[str]
) -> None:
    set_role(deployment, "slack")
    table, key = deployment.service.services.settings.table, to_wire(role_key(ACME.org_id, ROLE))
    deployment.service.aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE pins")
    asked.clear()

    assert ask(deployment.service).status == 200
    assert asked[:2] == ["dynamodb.GetItem", "dynamodb.BatchGetItem"]


def test_no_answer_is_kept_for_an_idempotency_key(deployment: Deployment, asked: list[str]) -> None:
    set_role(deployment, "slack")
    asked.clear()

    for _ in range(2):
        assert ask(deployment.service, headers={"Idempotency-Key": "k"}).status == 200

    assert asked.count("sts.AssumeRole") == 2
    assert not [label for label in asked if "Put" in label or "Write" in label or "Update" in label]


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        (["shared"], "images of shared are in none of them"),
        (["slack", "jira"], "images of jira are in none of them"),
        (["slack", "jira", "shared"], "images of jira, shared are in none of them"),
        ([], "the role has no packs"),
    ],
)
def test_it_is_refused_for_a_role_with(
    deployment: Deployment, asked: list[str], names: list[str], cause: str
) -> None:
    set_role(deployment, *names)
    asked.clear()

    answer = ask(deployment.service)

    assert (answer.status, answer.error["code"]) == (400, "validation_error")
    message = answer.error["details"]["fields"]["login"]
    assert cause in message
    assert "distribution door" in message
    assert asked == ["dynamodb.GetItem"]
    # The door has a login for the same role.
    assert login(deployment.service, ROLE).status == 200


def test_it_is_refused_for_more_repositories_than_aws_has_room_for(
    deployment: Deployment, asked: list[str]
) -> None:
    set_role(deployment, "slack")
    roles = deployment.service.services.roles
    role = roles.get(org_id=ACME.org_id, role_id=ROLE)
    assert role is not None
    (pin,) = role.pins.values()
    host, _, _ = pin.image_ref.partition("/")
    pins = {}
    for number in range(49):
        image = f"{host}/packs/{ACME.org_id}/pack-{number:07}:1.0.0"
        pins[f"pack_{number}"] = replace(pin, pack_id=f"pack_{number}", image_ref=image)
    many = replace(role, pack_ids=tuple(pins), pins=pins)
    services = deployment.service.services
    reader: Any = _Fixed(services.role_reader, many)
    logins = replace(services.registry_logins, reader=reader)
    deployment.service.new_process(parts={"registry_logins": logins})
    asked.clear()

    answer = ask(deployment.service)
    deployment.new_process()

    message = answer.error["details"]["fields"]["login"]
    assert "49 repositories" in message
    assert "23 of these" in message
    assert "no such limit" in message
    assert asked == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"login": "ecr"}, "login"),
        ({"login": None}, "login"),
        ({"login": ["registry"]}, "login"),
        ({"registry": True}, "registry"),
    ],
)
def test_a_body_that_asks_for_something_else_is_refused(
    deployment: Deployment, asked: list[str], body: Any, field: str
) -> None:
    answer = ask(deployment.service, body=body)

    assert (answer.status, list(answer.error["details"]["fields"])) == (400, [field])
    assert asked == []


@pytest.mark.parametrize("body", [{}, {"login": "door"}])
def test_who_asks_for_nothing_else_gets_a_login_at_the_door(
    deployment: Deployment, asked: list[str], body: Any
) -> None:
    set_role(deployment, "slack")
    asked.clear()

    answer = ask(deployment.service, body=body)

    assert (answer.status, answer.body["username"]) == (200, ROLE)
    assert not [label for label in asked if label.startswith(("sts.", "ecr."))]


def test_another_organisation_s_role_is_as_one_that_is_not_there(deployment: Deployment) -> None:
    set_role(deployment, "slack")

    theirs, nobodys = ask(deployment.service, caller=GLOBEX), ask(deployment.service, "nobodys", GLOBEX)

    assert theirs.status == nobodys.status == 404
    assert theirs.error["message"] == nobodys.error["message"]


def test_registries_other_than_ecr_have_none(deployment: Deployment, asked: list[str]) -> None:
    settings = deployment.service.services.settings
    deployment.service.new_process(settings=replace(settings, registry_kind="distribution"))

    answer = ask(deployment.service)
    deployment.service.new_process(settings=settings)

    assert answer.status == 400
    assert "not Amazon ECR" in answer.error["details"]["fields"]["login"]
    assert asked == []


class _Fixed:
    """Reads one role, whatever is asked for."""

    def __init__(self, reader: Any, role: Any) -> None:
        self.packs = reader.packs
        self._role = role

    def role(self, _role_id: str, *, caller: Caller) -> Any:
        assert caller == ACME
        return self._role
