"""DELETE /packs/{id} on the deployed template: its row for each status, and the queue that finishes what was begun."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from local.aws import Endpoint
from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, assert_refused

SETTLE_SECONDS = 60


def aws(stack: StackDescription, service: Any) -> Any:
    port = urlsplit(stack["endpoint_url"]).port
    assert port is not None
    return Endpoint(port).session().client(service, endpoint_url=stack["endpoint_url"])


def repositories(stack: StackDescription) -> set[str]:
    """Return the registry's repositories; what the emulator keeps of one that is gone does not count."""
    described = aws(stack, "ecr").describe_repositories()["repositories"]
    return {repository["repositoryName"] for repository in described}


def repository_of(pack: dict[str, Any]) -> str:
    return f"packs/{pack['org_id']}/{pack['name']}"


def test_a_deleted_pack_is_gone_with_its_repository_and_its_name_is_free(
    stack: StackDescription, acme: Client
) -> None:
    pack = acme.published("doomed")
    assert repository_of(pack) in repositories(stack)

    deleted = acme.call("DELETE", f"/packs/{pack['id']}")
    again = acme.call("DELETE", f"/packs/{pack['id']}")

    assert (deleted.status, deleted.body) == (again.status, again.body) == (200, {"status": "deleted"})
    assert_refused(acme.call("GET", f"/packs/{pack['id']}"), 404, "pack_not_found")
    assert acme.call("GET", "/packs?owned=true&q=doomed").body["packs"] == []
    assert repository_of(pack) not in repositories(stack)
    successor = acme.published("doomed")
    assert successor["id"] != pack["id"]
    assert repository_of(pack) in repositories(stack)
    assert aws(stack, "ecr").describe_images(
        repositoryName=repository_of(pack), imageIds=[{"imageTag": successor["version"]}]
    )["imageDetails"]


def test_what_the_caller_does_not_own_is_404(acme: Client, globex: Client) -> None:
    shared = globex.published("shared-and-kept", visibility="community")

    assert_refused(acme.call("DELETE", f"/packs/{shared['id']}"), 404, "pack_not_found")
    assert_refused(acme.call("DELETE", f"/packs/{UNKNOWN}"), 404, "pack_not_found")
    assert_refused(acme.call("DELETE", "/packs/slack"), 404, "pack_not_found")
    assert acme.call("GET", f"/packs/{shared['id']}").status == 200


def test_a_pack_in_use_is_409_until_the_role_lets_go(acme: Client) -> None:
    pack = acme.published("attached")
    role = "/agent-roles/deletion-test/packs"
    assert acme.call("PUT", role, json={"pack_ids": [pack["id"]]}).status == 200

    refused = acme.call("DELETE", f"/packs/{pack['id']}")
    assert acme.call("PUT", role, json={"pack_ids": []}).status == 200
    deleted = acme.call("DELETE", f"/packs/{pack['id']}")

    assert_refused(refused, 409, "pack_in_use")
    assert refused.body["error"]["details"]["references"]["role_ids"] == ["deletion-test"]
    assert deleted.status == 200


def test_a_precondition_is_honoured(acme: Client) -> None:
    pack = acme.published("conditional")
    path = f"/packs/{pack['id']}"

    assert_refused(acme.call("DELETE", path, headers={"If-Match": '"7"'}), 412, "precondition_failed")
    assert_refused(acme.call("DELETE", path, headers={"If-Match": "7"}), 400, "validation_error")
    assert acme.call("DELETE", path, headers={"If-Match": '"1"'}).status == 200


@pytest.mark.parametrize("permission_set", ["submit_observe", "read_only"])
def test_a_key_that_may_not_write_may_not_delete(stack: StackDescription, permission_set: str) -> None:
    client = Client.of(stack, "acme", permission_set)

    assert_refused(client.call("DELETE", f"/packs/{UNKNOWN}"), 403, "permission_denied")


@pytest.mark.parametrize("org", ["lapsed", "trial-over"])
def test_an_organisation_that_has_not_paid_is_never_answered_423(stack: StackDescription, org: str) -> None:
    assert_refused(Client.of(stack, org).call("DELETE", f"/packs/{UNKNOWN}"), 404, "pack_not_found")


def test_a_stranger_is_401(stack: StackDescription) -> None:
    assert_refused(Client.of(stack).call("DELETE", f"/packs/{UNKNOWN}"), 401, "unauthenticated")


def test_a_deletion_whose_function_died_is_finished_from_the_queue(
    stack: StackDescription, acme: Client
) -> None:
    pack = acme.published("left-half-way")
    decide(stack, pack["id"])
    message = {"kind": "pack_deletion", "pack_id": pack["id"], "due_at": "2026-01-01T00:00:00.000Z"}

    aws(stack, "sqs").send_message(QueueUrl=stack["cleanup_queue_url"], MessageBody=json.dumps(message))

    wait_until_gone(acme, pack["id"])
    assert repository_of(pack) not in repositories(stack)
    assert acme.call("DELETE", f"/packs/{pack['id']}").status == 200


def decide(stack: StackDescription, pack_id: str) -> None:
    """Leave a pack as a deletion does that dies right after its decision."""
    aws(stack, "dynamodb").update_item(
        TableName=stack["table"],
        Key={"PK": {"S": f"PACK#{pack_id}"}, "SK": {"S": "PACK"}},
        UpdateExpression="SET #status = :deleting, deleting_by = :who, deleting_at = :when",
        ConditionExpression="attribute_exists(PK)",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":deleting": {"S": "deleting"},
            ":who": {"S": "key:test"},
            ":when": {"S": "2026-01-01T00:00:00.000Z"},
        },
    )


def wait_until_gone(client: Client, pack_id: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while client.call("GET", f"/packs/{pack_id}").status != 404:
        assert time.monotonic() < deadline, "clean_up has not finished the deletion"
        time.sleep(0.5)
