"""A function's policy is what it needs: every call that it makes is allowed, and nothing is that it never does."""

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from moto import mock_aws
from tests.internet import internet
from tests.reliability import tally
from tests.reliability.function_scenarios import SCENARIOS, Stage
from tests.reliability.operations import build_scene
from tests.reliability.permissions import Need, recording
from tests.reliability.transformed import CREDENTIALS, FOREIGN_REGISTRY, LOGIN, roles, statements
from tests.reliability.wire import straight
from tests.reliability.world import World, running_world

FUNCTIONS = sorted(roles())

# Lambda itself takes the messages from a queue, in the function's name ("Using Lambda with Amazon SQS", permissions).
BY_LAMBDA = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# The one action here for which IAM knows no resource (ECR's service authorization reference).
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken"}
# What SAM gives to every role. The first can write logs and nothing else, and names no group because SAM knows none;
# X-Ray's actions know no resources.
OF_EVERY_ROLE = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
}


@pytest.fixture(scope="module")
def needs() -> dict[str, set[Need]]:
    """What each function has needed in all scenarios, with ECR and with a registry that wants a login."""
    with running_world() as world:
        found = _played(world)
    with running_world(ecr=False) as world:
        world.service.registry.basic = "packyard:secret"
        services = world.service.services
        services.settings = replace(services.settings, registry_login=LOGIN)
        for function, made in _played(world).items():
            # What else is asked of such a registry needs no permission of AWS.
            found[function] |= {need for need in made if need.resource == LOGIN}
    return found


def _played(world: World) -> dict[str, set[Need]]:
    """Play all scenarios in a world and return what each function has needed."""
    with internet() as net, mock_aws():
        services = world.service.services
        secrets = services.client("secretsmanager")
        kept = {
            CREDENTIALS: {FOREIGN_REGISTRY: {"ecr": True}},
            LOGIN: {"username": "packyard", "password": "secret"},
        }
        for arn, content in kept.items():
            secrets.create_secret(Name=arn.rpartition(":")[2], SecretString=json.dumps(content))
        world.new_process()
        build_scene(world)
        scene, settings = world.save(), services.settings
        with recording(world) as recorder:
            tap = recorder.sent if settings.registry_kind == "ecr" else straight
            stage = Stage(world, recorder, net, net.serve(FOREIGN_REGISTRY))
            for play in SCENARIOS.values():
                services.settings, recorder.service.begin = settings, world.new_process
                world.restore(scene)
                world.wire.tap = tap
                play(stage)
        return recorder.needs


def allowed(name: str) -> list[tuple[str, str]]:
    """Return every pair of an action and a resource that a function's policy lists."""
    return [
        (action, resource)
        for statement in statements(name)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def covers(grant: tuple[str, str], need: Need) -> bool:
    return grant[0] == need.action and fnmatchcase(need.resource, grant[1])


def folder(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_that_a_function_does_is_allowed(name: str, needs: dict[str, set[Need]]) -> None:
    grants = allowed(name)
    made = needs.get(folder(name), set())
    tally.count("calls held against policies", len(made))

    missing = [need for need in sorted(made) if not any(covers(grant, need) for grant in grants)]

    assert missing == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_allowed_that_a_function_never_does(name: str, needs: dict[str, set[Need]]) -> None:
    made = needs.get(folder(name), set())

    unused = [
        grant
        for grant in allowed(name)
        if grant[0] not in BY_LAMBDA and not any(covers(grant, need) for need in made)
    ]

    assert unused == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_resource_is_named_that_can_be(name: str) -> None:
    for action, resource in allowed(name):
        assert "*" not in action
        assert resource != "*" or action in WITHOUT_RESOURCE
        # What follows the account or the bucket is never left open as a whole.
        assert not resource.endswith((":*", ":repository/*", ":::*", "packyard-test-staging/*")), action


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_gets_nothing_from_policies_that_others_write_but_logs_and_traces(name: str) -> None:
    assert set(roles()[name]["ManagedPolicyArns"]) == OF_EVERY_ROLE


@pytest.mark.parametrize("name", FUNCTIONS)
def test_messages_are_taken_by_those_who_consume_them_and_only_from_their_queue(name: str) -> None:
    taken = {resource.rpartition("-")[2] for action, resource in allowed(name) if action in BY_LAMBDA}

    assert taken == {"BuildUpload": {"build"}, "CleanUp": {"cleanup"}}.get(name, set())


def test_every_function_has_been_at_work(needs: dict[str, set[Need]]) -> None:
    assert set(needs) == {folder(name) for name in FUNCTIONS} - {"api_docs"}


def test_our_login_may_be_read_by_those_who_talk_to_the_registry_and_only_where_there_is_one() -> None:
    readers = {name for name in FUNCTIONS if ("secretsmanager:GetSecretValue", LOGIN) in allowed(name)}
    conditions = {
        statement["Fn::If"][0]
        for name in FUNCTIONS
        for policy in roles()[name].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in statement and statement["Fn::If"][1].get("Resource") == {"Ref": "RegistryLoginArn"}
    }

    assert readers == {
        *("BuildUpload", "CleanUp", "ClonePack", "CreatePack", "DeletePack", "GetFile", "ListFiles"),
        *("PutFile", "ReplacePack", "ReuploadPack", "UploadPack"),
    }
    assert conditions == {"HasRegistryLogin"}
