"""A function's policy is what it needs: every call that it makes is allowed, and nothing is that it never does."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from moto import mock_aws
from tests.aws import CURSOR_SECRET, DEAD_LETTER_QUEUES, TABLE, aws_in_memory
from tests.engine.wire import deliver
from tests.internet import internet
from tests.reliability import tally
from tests.reliability.conflicts import CONFLICTS
from tests.reliability.deployment import Deployment, running_deployment
from tests.reliability.function_scenarios import SCENARIOS, Setup
from tests.reliability.operations import OPERATIONS, prepare_all
from tests.reliability.permissions import Need, key_use, recording, table_need
from tests.reliability.policies import Condition, Grant, allowed, grants
from tests.reliability.prepared_deployments import small_layers
from tests.reliability.transformed import (
    ACCOUNT,
    CREDENTIALS,
    FOREIGN_REGISTRY,
    KMS_KEY,
    LOGIN,
    REGION,
    SIGNING_KEY,
    WEBHOOK_KEY,
    arn_of,
    roles,
    statements,
)

from packyard.store.keys import DELETING_PARTITION, org_key
from packyard.store.tenants import TenantStore
from packyard.tenants.org import BillingPosture, Org

FUNCTIONS = sorted(roles())

# Lambda itself takes the messages from a queue, in the function's name ("Using Lambda with Amazon SQS", permissions).
# It also reads the table's stream ("Using AWS Lambda with Amazon DynamoDB", execution role permissions).
OF_THE_STREAM = {
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
}
BY_LAMBDA = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *OF_THE_STREAM}
# The one action here for which IAM knows no resource (ECR's service authorization reference).
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken"}
# The actions that DynamoDB fills `dynamodb:LeadingKeys` for, each of which names its items by their key (service
# authorization reference, "Actions, resources, and condition keys for Amazon DynamoDB").
WITH_LEADING_KEYS = {
    *("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem"),
    *("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
}
# What SAM gives to every role. It can write logs and nothing else, and names no group because SAM knows none.
OF_EVERY_ROLE = {"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
# What SAM gives to the role of a function in a VPC. Its code may use nothing of it (`ScanContent` in the template).
IN_A_NETWORK = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
# What somebody would do who has got hold of a function by what it parses.
HOSTILE = [
    ("an API key by put", table_need("PutItem", ["KEY#x"], {"PK", "SK", "org_id"})),
    ("an API key by update", table_need("UpdateItem", ["KEY#x"], {"PK", "SK", "org_id"})),
    ("an API key deleted", table_need("DeleteItem", ["KEY#x"], {"PK", "SK"})),
    ("an API key read", table_need("GetItem", ["KEY#x"], {"PK", "SK"})),
    ("an API key read among others", table_need("BatchGetItem", ["PACK#x", "KEY#x"], {"PK", "SK"})),
    ("a list of API keys", table_need("Query", ["ORG#x#keys"], {"GSI1PK"}, index="GSI1")),
    ("a slug", table_need("PutItem", ["SLUG#x"], {"PK", "SK", "org_id"})),
    ("a slug read", table_need("GetItem", ["SLUG#x"], {"PK", "SK"})),
    ("a dead letter removed", Need("sqs:DeleteMessage", arn_of("CleanupDeadLetters.Arn"))),
    ("a dead letter hidden for long", Need("sqs:ChangeMessageVisibility", arn_of("CleanupDeadLetters.Arn"))),
    ("a dead letter read", Need("sqs:ReceiveMessage", arn_of("CleanupDeadLetters.Arn"))),
    ("an organisation", table_need("PutItem", ["ORG#x"], {"PK", "SK", "billing"})),
    ("a posture", table_need("UpdateItem", ["ORG#x"], {"PK", "SK", "billing"})),
    ("a trial", table_need("UpdateItem", ["ORG#x"], {"PK", "SK", "trial_ends_at"})),
    ("an organisation deleted", table_need("DeleteItem", ["ORG#x"], {"PK", "SK"})),
    ("an organisation read", table_need("GetItem", ["ORG#x"], {"PK", "SK"})),
    ("a role", table_need("UpdateItem", ["ORG#x"], {"PK", "SK", "pack_ids"})),
    ("a role's history", table_need("PutItem", ["ROLE#x#r"], {"PK", "SK"})),
    ("a pack deleted", table_need("DeleteItem", ["PACK#x"], {"PK", "SK"})),
    ("an answer of somebody else", table_need("GetItem", ["ANSWER#x"], {"PK", "SK"})),
    ("a partition of a new kind", table_need("PutItem", ["NEW#x"], {"PK", "SK"})),
    ("an event", table_need("PutItem", ["EVENTS#x"], {"PK", "SK"})),
    ("an event changed", table_need("UpdateItem", ["EVENTS#x"], {"PK", "SK"})),
    ("an event deleted", table_need("DeleteItem", ["EVENTS#x"], {"PK", "SK"})),
    ("a list of events", table_need("Query", ["EVENTS#x"], {"PK"})),
    ("which versions were published", table_need("Query", ["VERSION#x#y"], {"PK"})),
    ("a published version forgotten", table_need("DeleteItem", ["VERSION#x#y"], {"PK", "SK"})),
    ("a version policy", table_need("UpdateItem", ["ORG#x"], {"PK", "SK", "version_policy"})),
    ("a signature policy", table_need("UpdateItem", ["ORG#x"], {"PK", "SK", "signature_policy"})),
    ("a usage", table_need("UpdateItem", ["USAGE#x"], {"PK", "SK"})),
    ("a usage read", table_need("BatchGetItem", ["USAGE#x"], {"PK", "SK"})),
    ("a usage read for a dry run", table_need("GetItem", ["USAGE#x"], {"PK", "SK"})),
    ("a usage written whole", table_need("PutItem", ["USAGE#x"], {"PK", "SK"})),
    ("a usage deleted", table_need("DeleteItem", ["USAGE#x"], {"PK", "SK"})),
    ("what is being deleted", table_need("Query", ["DELETING"], {"GSI3PK"}, index="GSI3")),
    ("everything", Need("dynamodb:Scan", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}")),
    ("a trusted publisher", table_need("PutItem", ["PUBLISHERS#x"], {"PK", "SK"})),
    ("a trusted publisher's claims", table_need("UpdateItem", ["PUBLISHERS#x"], {"PK", "SK", "claims"})),
    ("a trusted publisher's ids", table_need("UpdateItem", ["PUBLISHERS#x"], {"PK", "SK", "pinned"})),
    ("a list of trusted publishers", table_need("Query", ["PUBLISHERS#x"], {"PK"})),
    ("a token that was used forgotten", table_need("DeleteItem", ["USED#x"], {"PK", "SK"})),
    ("a token used up", table_need("PutItem", ["USED#x"], {"PK", "SK"})),
    ("a feed", table_need("PutItem", ["FEED#x"], {"PK", "SK"})),
    ("a feed of another role", table_need("UpdateItem", ["FEED#x"], {"PK", "SK", "role_id"})),
    (
        "a feed that is listed, of another role",
        table_need("UpdateItem", ["FEEDS#x"], {"PK", "SK", "role_id"}),
    ),
    ("the feed of an address", table_need("GetItem", ["FEED#x"], {"PK", "SK"})),
    ("a list of feeds", table_need("Query", ["FEEDS#x"], {"PK"})),
    ("a webhook", table_need("UpdateItem", ["HOOKS#x"], {"PK", "SK"})),
    ("webhooks read", table_need("GetItem", ["HOOKS#x"], {"PK", "SK"})),
    ("a delivery forged", table_need("UpdateItem", ["DELIVERIES#x#y"], {"PK", "SK"})),
    ("much at once", table_need("BatchWriteItem", ["PACK#x"], {"PK", "SK", "org_id"})),
    ("the index of words", table_need("BatchWriteItem", ["WORD#x#a"], {"PK", "SK"})),
    ("more than the index of words", table_need("BatchWriteItem", ["WORD#x#a", "KEY#x"], {"PK", "SK"})),
    ("a scan policy", table_need("UpdateItem", ["ORG#x"], {"PK", "SK", "rules"})),
    ("what is to be scanned again", table_need("Query", ["SCANS#0"], {"GSI3PK"}, index="GSI3")),
    ("results of scans forgotten", table_need("BatchWriteItem", ["PACK#x"], {"PK", "SK"})),
    ("a scan", Need("lambda:InvokeFunction", arn_of("ScanContentAliaslive"))),
    ("what signs cursors", Need("secretsmanager:GetSecretValue", CURSOR_SECRET)),
    ("the operator's key itself", Need("kms:Decrypt", KMS_KEY)),
]
# Whose work it is.
MAY = {
    "an API key by put": {"Keys", "ExchangeOidc"},
    "an API key read": {"Authorize", "ExchangePullToken", "Keys"},
    "a list of API keys": {"Keys"},
    "an organisation read": {
        *(
            "Authorize",
            "BuildUpload",
            "CleanUp",
            "ClonePack",
            "CreatePack",
            "DeleteRole",
            "ExchangePullToken",
            "FollowPacks",
        ),
        *("DoorAgentSkills", "DoorBundle", "DoorClawhub", "DoorMarketplace", "DoorMcp", "PrepareArtifacts"),
        *("Feeds", "GetLock", "GetRolePacks", "IssuePullToken", "OperatorView", "PullBlob", "PullManifest"),
        *(
            "RefreshRole",
            "ReplacePack",
            "Policies",
            "SetRolePacks",
            "UploadPack",
        ),
    },
    "a role": {"DeleteRole", "FollowPacks", "RefreshRole", "SetRolePacks"},
    "a role's history": {"DeleteRole", "FollowPacks", "RefreshRole", "SetRolePacks"},
    "a pack deleted": {"CleanUp", "DeleteRevision", "DeleteRole", "SetRolePacks"},
    "a scan policy": {"Policies"},
    "what is to be scanned again": {"RescanPacks"},
    "results of scans forgotten": {"CleanUp", "DeletePack", "RescanPacks"},
    "a scan": {"BuildUpload", "ChangePack", "PutFile", "RescanPacks", "ReuploadPack", "UploadPack"},
    "an event": {
        *("DoorAgentSkills", "DoorBundle", "DoorClawhub", "DoorMarketplace", "DoorMcp"),
        *("BuildUpload", "ChangePack", "CleanUp", "ClonePack", "Keys", "CreatePack", "DeletePack"),
        *("DeleteRole", "FollowPacks", "PutFile", "RefreshRole", "ReplacePack", "ReuploadPack"),
        *("DeleteRevision", "PackScan", "RescanPacks", "Retention", "Policies", "WithdrawRevision"),
        *(
            "Deliver",
            "ExchangeOidc",
            "ExchangePullToken",
            "Feeds",
            "RetryDelivery",
            "SetRolePacks",
            "TrustedPublishers",
            "UpdatePack",
            "UploadPack",
            "Webhooks",
        ),
    },
    "a list of events": {"ListEvents"},
    "the index of words": {"FollowPacks"},
    "which versions were published": {
        *("BuildUpload", "ChangePack", "ClonePack", "CreatePack", "PutFile", "ReplacePack", "ReuploadPack"),
        "UploadPack",
    },
    "a version policy": {"Policies"},
    "a signature policy": {"Policies"},
    "a usage": {
        *("BuildUpload", "ChangePack", "CleanUp", "ClonePack", "CreatePack", "DeletePack", "PutFile"),
        *("DeleteRevision", "ReplacePack", "ReuploadPack", "UploadPack"),
    },
    "a usage read": {"GetUsage", "OperatorView"},
    "a usage read for a dry run": {
        *("BuildUpload", "ChangePack", "CreatePack", "PutFile", "ReplacePack", "ReuploadPack", "UploadPack"),
    },
    "a trusted publisher": {"TrustedPublishers"},
    "a trusted publisher's claims": {"TrustedPublishers"},
    "a trusted publisher's ids": {"ExchangeOidc", "TrustedPublishers"},
    "a list of trusted publishers": {"ExchangeOidc", "TrustedPublishers"},
    "a token used up": {"ExchangeOidc"},
    "a feed": {"Feeds"},
    "a feed that is listed, of another role": {"Feeds"},
    "the feed of an address": {
        *("DoorAgentSkills", "DoorBundle", "DoorClawhub", "DoorMarketplace", "DoorMcp"),
        "ExchangePullToken",
    },
    "a list of feeds": {"Feeds"},
    "a webhook": {"Deliver", "RetryDelivery", "Webhooks"},
    "webhooks read": {"Deliver", "RetryDelivery", "WebhookDeliveries", "Webhooks"},
    "a delivery forged": {"Deliver", "RetryDelivery"},
    "what is being deleted": {"MeasureBacklog", "OperatorView"},
    "a slug read": {"ExchangeOidc", "OperatorView"},
    "a dead letter read": {"OperatorView"},
    "what signs cursors": {
        "Feeds",
        "ListEvents",
        "Keys",
        "ListPacks",
        "ListRevisions",
        "GetRolePacks",
        "OperatorView",
        "TrustedPublishers",
        "WebhookDeliveries",
    },
}


@pytest.fixture(scope="module")
def needs() -> dict[str, set[Need]]:
    """What each function has needed in all scenarios, with ECR and with a registry that wants a login."""
    with running_deployment() as deployment:
        found = _played(deployment)
    with running_deployment(ecr=False) as deployment:
        deployment.service.registry.basic = "packyard:secret"
        settings = deployment.service.services.settings
        deployment.service.new_process(settings=replace(settings, registry_login=LOGIN))
        for function, made in _played(deployment).items():
            # What else is asked of such a registry needs no permission of AWS. It gives no URLs of blobs, so that they
            # are staged.
            found[function] |= {need for need in made if need.resource == LOGIN}
            if function == "pull_blob":
                found[function] |= {need for need in made if need.action.startswith(("s3:", "kms:"))}
    for consumer in (
        "attest_image",
        "build_upload",
        "clean_up",
        "deliver",
        "prepare_artifacts",
        "retry_delivery",
    ):
        # To take a message from a queue that is under a key.
        found[consumer].add(key_use("Decrypt", "sqs"))
    return found


def _played(deployment: Deployment) -> dict[str, set[Need]]:
    """Play all scenarios in a deployment and return what each function has needed."""
    with internet() as net, mock_aws(), small_layers():
        services = deployment.service.services
        secrets = services.client("secretsmanager")
        kept = {
            CREDENTIALS: {FOREIGN_REGISTRY: {"ecr": True}},
            LOGIN: {"username": "packyard", "password": "secret"},
        }
        for arn, content in kept.items():
            secrets.create_secret(Name=arn.rpartition(":")[2], SecretString=json.dumps(content))
        deployment.new_process()
        prepare_all(deployment)
        scene, settings = deployment.save(), services.settings
        with recording(deployment) as recorder:
            tap = recorder.sent if settings.registry_kind == "ecr" else deliver
            setup = Setup(deployment, recorder, net, net.serve(FOREIGN_REGISTRY))
            for play in SCENARIOS.values():
                recorder.service.begin = deployment.new_process
                recorder.service.new_process(settings=settings)
                deployment.restore(scene)
                deployment.wire.tap = tap
                play(setup)
        return recorder.needs


def folder(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_that_a_function_does_is_allowed(name: str, needs: dict[str, set[Need]]) -> None:
    made = needs.get(folder(name), set())
    tally.count("calls held against policies", len(made))

    missing = [need for need in sorted(made) if not allowed(name, need)]

    assert missing == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_allowed_that_a_function_never_does(name: str, needs: dict[str, set[Need]]) -> None:
    made = needs.get(folder(name), set())

    unused = [
        narrow
        for grant in grants(name)
        for narrow in grant.narrowed()
        if grant.action not in BY_LAMBDA
        and not any(narrow.covers(need) or (grant.covers(need) and narrow.is_part_of(need)) for need in made)
    ]

    assert unused == []


def test_no_attribute_may_be_written_that_nothing_writes(needs: dict[str, set[Need]]) -> None:
    """Functions that do the same share a list, so that an attribute counts wherever one of them uses it."""
    lists = {
        (grant, condition)
        for name in FUNCTIONS
        for grant in grants(name)
        for condition in grant.conditions
        if (condition.operator, condition.key) == ("ForAllValues:StringLike", "dynamodb:Attributes")
    }
    assert lists

    for grant, condition in lists:
        covered = [need for made in needs.values() for need in made if grant.covers(need)]
        used = {name for need in covered for name in dict(need.context)["dynamodb:Attributes"]}
        # One attribute for each pack.
        assert {re.sub("#pack_.*", "#*", name) for name in used} == set(condition.values)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_grant_on_the_table_is_of_an_action_with_a_key_and_names_its_partitions(name: str) -> None:
    """`ForAllValues` is true of a request without leading keys, so that no action may be granted that can have none."""
    for grant in grants(name):
        if not grant.action.startswith("dynamodb:") or grant.action in OF_THE_STREAM:
            continue
        patterns = [
            pattern
            for condition in grant.conditions
            if (condition.operator, condition.key) == ("ForAllValues:StringLike", "dynamodb:LeadingKeys")
            for pattern in condition.values
        ]
        assert grant.action in WITH_LEADING_KEYS
        assert patterns
        # One partition is named whole; all others are a kind's.
        assert all(pattern == DELETING_PARTITION or "#" in pattern.rstrip("*") for pattern in patterns)


# One test for each deed, and not for each function too: two thousand tests take much longer than what they look at.
@pytest.mark.parametrize(("deed", "need"), HOSTILE, ids=[deed for deed, _ in HOSTILE])
def test_who_takes_a_function_over_does_not_get(deed: str, need: Need) -> None:
    assert {name for name in FUNCTIONS if allowed(name, need)} == MAY.get(deed, set())


def test_an_organisation_s_posture_is_out_of_reach_of_those_who_claim_names(
    needs: dict[str, set[Need]],
) -> None:
    """Names and organisations share a partition, so the attributes tell them apart."""
    with aws_in_memory() as aws:
        tenants = TenantStore(table=aws.table, events=aws.events)
        org = Org(org_id="org_a", slug="a", billing=BillingPosture.ACTIVE)
        tenants.put_org(org)
        tenants.set_posture(org, billing=BillingPosture.TRIAL, trial_ends_at=datetime(2030, 1, 1, tzinfo=UTC))
        item = aws.table.get(org_key("org_a"))
    assert item is not None
    written = {
        name
        for made in needs.values()
        for need in made
        for key in dict(need.context).get("dynamodb:LeadingKeys", ())
        if need.action == "dynamodb:UpdateItem" and key.startswith("ORG#")
        for name in dict(need.context)["dynamodb:Attributes"]
        if not {"pack_ids", "rules", "version_policy"} & set(dict(need.context)["dynamodb:Attributes"])
    }

    assert written & set(item) == {"PK", "SK"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_s_policies_fit(name: str) -> None:
    """IAM and STS quotas: 10,240 characters for all inline policies of a role, white space not counted."""
    assert len(json.dumps(statements(name), separators=(",", ":"))) < 10_240


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_resource_is_named_that_can_be(name: str) -> None:
    for grant in grants(name):
        assert "*" not in grant.action
        assert grant.resource != "*" or grant.action in WITHOUT_RESOURCE
        # What follows the account or the bucket is never left open as a whole.
        assert not grant.resource.endswith((":*", ":repository/*", ":::*", "packyard-test-staging/*")), grant


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_gets_nothing_from_policies_that_others_write_but_logs_and_traces(name: str) -> None:
    in_a_network = {IN_A_NETWORK} if name == "ScanContent" else set()

    assert set(roles()[name]["ManagedPolicyArns"]) == OF_EVERY_ROLE | in_a_network


@pytest.mark.parametrize("name", FUNCTIONS)
def test_messages_are_taken_by_those_who_consume_them_and_only_from_their_queue(name: str) -> None:
    taken = {grant.resource for grant in grants(name) if grant.action in BY_LAMBDA}
    if name == "OperatorView":
        # It looks at messages that were given up, and may not take one away.
        assert taken == {arn_of(f"{queue.capitalize()}DeadLetters.Arn") for queue in DEAD_LETTER_QUEUES}
        assert not {"sqs:DeleteMessage", "sqs:SendMessage"} & {grant.action for grant in grants(name)}
        return
    sources = {
        "AttestImage": "AttestationQueue.Arn",
        "BuildUpload": "BuildQueue.Arn",
        "CleanUp": "CleanupQueue.Arn",
        "Deliver": "DeliveryQueue.Arn",
        "FanOut": "Table.StreamArn",
        "FollowPacks": "Table.StreamArn",
        "PrepareArtifacts": "PreparationQueue.Arn",
        "RetryDelivery": "DeliveryRetryQueue.Arn",
    }

    assert taken == ({arn_of(sources[name])} if name in sources else set())


def test_whatever_may_write_is_killed_at_each_request() -> None:
    """So a new function that writes, or gives something out, fails here until the crash suite has its operation."""
    services = ("dynamodb:", "s3:", "sqs:", "ecr:", "sts:")
    may_write = {folder(name) for name in FUNCTIONS if _writes(name, *services)}

    assert may_write == {operation.function for operation in OPERATIONS.values()}


def test_whatever_may_change_an_item_is_let_overlap_with_others() -> None:
    may_change = {folder(name) for name in FUNCTIONS if _writes(name, "dynamodb:")}
    overlap = {operation.function for conflict in CONFLICTS.values() for operation in conflict}

    assert may_change - overlap == set()


def _writes(name: str, *services: str) -> bool:
    verbs = ("Put", "Update", "Delete", "BatchDelete", "Create", "Send", "AssumeRole")
    return any(
        grant.action.startswith(tuple(service + verb for service in services for verb in verbs))
        for grant in grants(name)
        if grant.action not in BY_LAMBDA
    )


def test_every_function_has_been_at_work(needs: dict[str, set[Need]]) -> None:
    assert set(needs) == {folder(name) for name in FUNCTIONS} - {
        "api_docs",
        "console",
        "ping_door",
        "scan_content",
    }


def test_our_login_may_be_read_by_those_who_talk_to_the_registry_and_only_where_there_is_one() -> None:
    readers = {name for name in FUNCTIONS if allowed(name, Need("secretsmanager:GetSecretValue", LOGIN))}
    conditions = {
        statement["Fn::If"][0]
        for name in FUNCTIONS
        for policy in roles()[name].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in statement and statement["Fn::If"][1].get("Resource") == {"Ref": "RegistryLoginArn"}
    }

    assert readers == {
        *(
            "BuildUpload",
            "ChangePack",
            "CleanUp",
            "ClonePack",
            "CreatePack",
            "DeletePack",
            "DeleteRevision",
            "DownloadPack",
            "GetDiff",
            "GetFile",
            "GetLock",
            "ListFiles",
        ),
        *("AttestImage", "ListAttestations"),
        *("DoorBundle", "PrepareArtifacts"),
        *("PullBlob", "PullManifest", "PutFile", "RescanPacks", "ReplacePack", "ReuploadPack", "UploadPack"),
    }
    assert conditions == {"HasRegistryLogin"}


def test_what_signs_cursors_may_be_read_by_those_who_make_them() -> None:
    need = Need("secretsmanager:GetSecretValue", CURSOR_SECRET)

    assert {name for name in FUNCTIONS if allowed(name, need)} == MAY["what signs cursors"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_operator_s_key_is_used_by_way_of_a_service_and_only_where_there_is_one(name: str) -> None:
    # The secrets of webhooks are under the same key, or one of their own, and open for webhooks alone.
    of_webhooks = [grant for grant in grants(name) if grant.resource == WEBHOOK_KEY]
    # That of statements signs digests.
    signs = [grant for grant in grants(name) if grant.resource == SIGNING_KEY]
    uses = [
        grant
        for grant in grants(name)
        if grant.action.startswith("kms:") and grant not in (*of_webhooks, *signs)
    ]
    stated = [
        one for policy in roles()[name].get("Policies", []) for one in policy["PolicyDocument"]["Statement"]
    ]

    assert all(grant.resource == KMS_KEY for grant in uses)
    assert not any(grant.covers(Need(grant.action, KMS_KEY)) for grant in uses)
    assert not any(grant.covers(Need(grant.action, WEBHOOK_KEY)) for grant in of_webhooks)
    assert {grant.action for grant in signs} <= {"kms:Sign", "kms:GetPublicKey"}
    assert not any(grant.covers(Need("kms:Sign", SIGNING_KEY)) for grant in signs), "only of a digest"
    for statement in stated:
        of_keys_of_ours = ("kms:EncryptionContext", "kms:Sign", "kms:GetPublicKey")
        text = json.dumps(statement)
        if "kms:" in text and not any(of_ours in text for of_ours in of_keys_of_ours):
            assert statement["Fn::If"][0] == "HasKmsKey"


@pytest.mark.parametrize(
    ("conditions", "context", "expected"),
    [
        ([("ForAllValues:StringLike", ("A#*",))], ("A#1", "A#2"), True),
        ([("ForAllValues:StringLike", ("A#*",))], ("A#1", "B#2"), False),
        ([("ForAllValues:StringLike", ("A#*", "B#*"))], ("A#1", "B#2"), True),
        ([("ForAllValues:StringLike", ("A#*",))], (), True),
        ([("StringEquals", ("A",))], ("A",), True),
        ([("StringEquals", ("A",))], ("B",), False),
        ([("StringEquals", ("A",))], (), False),
    ],
)
def test_conditions_are_read_as_iam_reads_them(
    conditions: list[tuple[str, tuple[str, ...]]], context: tuple[str, ...], expected: bool
) -> None:
    """IAM user guide, "Single-valued vs. multivalued context keys" and "Condition operators"."""
    grant = Grant("s:Do", "*", tuple(Condition(operator, "s:key", values) for operator, values in conditions))

    assert grant.covers(Need("s:Do", "thing", (("s:key", context),) if context else ())) is expected
