"""What the operator sees with a key that may `operate`: of all organisations, and changing nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.aws import DEAD_LETTER_QUEUES, dead_letter_queues_in_memory, queue_url
from tests.credentials import authorized
from tests.engine.taps import Failure, PointName, Span
from tests.operator_view import (
    OPERATOR,
    ask,
    bury,
    leave_deleting,
    of_organisation,
)
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.usage import limit

from packyard.messaging.dead_letters import DeadLetters
from packyard.packs.usage import UNLIMITED, Quota
from packyard.tenants.api_key import ApiKey, hash_secret, new_secret
from packyard.tenants.caller import OPERATE, SCOPES, Caller
from packyard.tenants.org import BillingPosture, Org

PATHS = ("/operator/deletions", "/operator/dead-letters", "/operator/organisations/acme")
DELETIONS, DEAD_LETTERS, ORGANISATION = PATHS
NO_PACK = "pack_01HZ0000000000000000000001"
DELETION = json.dumps({"kind": "pack_deletion", "pack_id": NO_PACK, "due_at": "2026-03-01T00:00:00Z"})


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as running:
        for caller in (ACME, GLOBEX):
            running.services.tenants.put_org(
                Org(org_id=caller.org_id, slug=caller.org_slug, billing=BillingPosture.ACTIVE)
            )
        dead_letter_queues_in_memory()
        yield running


def deleting(service: Service, name: str, caller: Caller = ACME) -> str:
    """Leave a pack in the middle of its deletion, and return its id. The next one is a minute later."""
    pack: str = service.upload(PackArchive(name=name).build(), caller=caller).body["id"]
    leave_deleting(service, pack, caller)
    service.clock.advance(timedelta(minutes=1))
    return pack


def queues(service: Service) -> dict[str, Any]:
    answer = ask(service, DEAD_LETTERS)
    assert answer.status == 200, answer.body
    return {queue["name"]: queue for queue in answer.body["queues"]}


# -- who may look -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "told"),
    [
        pytest.param(ACME, "packyard admin key issue --operate", id="full access"),
        pytest.param(replace(ACME, scopes=frozenset()), "lacks the scope operate", id="reading"),
        pytest.param(replace(OPERATOR, pack_name="slack"), "for the pack slack only", id="narrowed"),
    ],
)
def test_a_tenant_s_key_is_refused_whatever_else_it_may(service: Service, caller: Caller, told: str) -> None:
    for path in PATHS:
        assert ask(service, path, None).status == 401
        answer = ask(service, path, caller)
        assert (answer.status, answer.error["code"]) == (403, "permission_denied")
        assert told in answer.error["message"]


def test_the_scope_alone_suffices_and_writes_nothing(service: Service) -> None:
    bare = replace(OPERATOR, scopes=frozenset({OPERATE}))

    assert ask(service, DELETIONS, bare).status == 200
    assert service.upload(PackArchive().build(), caller=bare).status == 403
    assert service.send("get_usage", "GET", "/usage", caller=bare).status == 403


def test_no_organisation_makes_such_a_key(service: Service) -> None:
    for scopes in ([OPERATE], ["caps:write", OPERATE]):
        body = {"label": "mine", "scopes": scopes}
        answer = service.send("keys", "POST", "/keys", caller=OPERATOR, json=body)
        assert answer.status == 400
        assert "only the operator of this service gives" in answer.fields["scopes"]

    made = service.send(
        "keys", "POST", "/keys", caller=OPERATOR, json={"label": "all", "scopes": ["full_access"]}
    )
    assert made.body["scopes"] == sorted(SCOPES)


def test_a_key_that_the_operator_issues_may_look_and_its_organisation_sees_what_it_may(
    service: Service,
) -> None:
    secret = new_secret(bytes(32), prefix="sk_operator_")
    key = ApiKey(
        key_hash=hash_secret(secret),
        org_id=ACME.org_id,
        label="ada",
        granted=frozenset({OPERATE}),
        created_at=service.clock(),
    )
    service.services.tenants.put_api_key(key)

    assert authorized(service, f"Bearer {secret}")["context"]["scopes"] == OPERATE
    (listed,) = service.send("keys", "GET", "/keys").body["keys"]
    assert (listed["scopes"], "created_by" in listed) == ([OPERATE], False)


# -- deletions ----------------------------------------------------------------------------------------------------


def test_deletions_of_all_organisations_are_listed_the_longest_waiting_first(service: Service) -> None:
    first, second = deleting(service, "old"), deleting(service, "new", GLOBEX)
    service.upload(PackArchive(name="standing").build())

    answer = ask(service, DELETIONS)

    assert answer.body == {
        "deletions": [
            {
                "pack_id": first,
                "name": "old",
                "org_id": ACME.org_id,
                "org_slug": "acme",
                "asked_at": "2026-03-01T12:00:00.000Z",
            },
            {
                "pack_id": second,
                "name": "new",
                "org_id": GLOBEX.org_id,
                "org_slug": "globex",
                "asked_at": "2026-03-01T12:01:00.000Z",
            },
        ]
    }


def test_the_list_of_deletions_comes_in_pages(service: Service) -> None:
    waiting = [deleting(service, f"pack-{number}") for number in range(3)]
    listed, query = [], {"limit": "1"}
    for _ in waiting:
        page = ask(service, DELETIONS, OPERATOR, **query).body
        listed += [deletion["pack_id"] for deletion in page["deletions"]]
        query["cursor"] = page.get("next_cursor", "")

    assert listed == waiting
    assert query["cursor"] == ""


def test_a_cursor_of_one_operator_s_organisation_is_of_no_use_to_another(service: Service) -> None:
    deleting(service, "one")
    deleting(service, "two")
    cursor = ask(service, DELETIONS, limit="1").body["next_cursor"]
    other = replace(GLOBEX, scopes=frozenset({OPERATE}))

    assert "cursor" in ask(service, DELETIONS, other, cursor=cursor).fields
    assert "limit" in ask(service, DELETIONS, limit="0").fields
    assert "owned" in ask(service, DELETIONS, owned="true").fields


def test_a_deletion_that_is_finished_is_listed_no_more(service: Service) -> None:
    pack = deleting(service, "slack")
    assert service.delete(pack).status == 200

    assert ask(service, DELETIONS).body == {"deletions": []}


# -- dead letters -------------------------------------------------------------------------------------------------


def test_each_queue_says_how_many_letters_there_are_and_what_they_are_about(service: Service) -> None:
    bury(service.aws, "cleanup", DELETION)
    bury(service.aws, "build", "of nobody")

    found = queues(service)

    assert list(found) == sorted(DEAD_LETTER_QUEUES)
    assert {name: queue["count"] for name, queue in found.items() if queue["count"]} == {
        "build": 1,
        "cleanup": 1,
    }
    (letter,) = found["cleanup"]["letters"]
    assert letter["subject"] == f"Finish the deletion of {NO_PACK}."
    assert found["build"]["letters"][0]["subject"] == "A message that this release cannot read."


def test_of_many_letters_ten_are_shown(service: Service) -> None:
    for _ in range(12):
        bury(service.aws, "cleanup", DELETION)

    found = queues(service)["cleanup"]

    assert found["count"] == 12
    assert len({letter["message_id"] for letter in found["letters"]}) == 10


def test_looking_hides_and_removes_nothing(service: Service) -> None:
    bury(service.aws, "cleanup", DELETION)
    url = queue_url(DEAD_LETTER_QUEUES["cleanup"])

    assert queues(service) == queues(service)
    assert DeadLetters(client=service.aws.sqs, url=url).redrive(service.aws.queue_url, limit=10) == 1
    assert queues(service)["cleanup"] == {"name": "cleanup", "count": 0, "letters": []}


def test_a_letter_that_somebody_else_looks_at_is_counted(service: Service) -> None:
    bury(service.aws, "cleanup", DELETION)
    service.aws.sqs.receive_message(QueueUrl=queue_url(DEAD_LETTER_QUEUES["cleanup"]), VisibilityTimeout=60)

    assert queues(service)["cleanup"] == {"name": "cleanup", "count": 1, "letters": []}


# -- organisations ------------------------------------------------------------------------------------------------


def test_an_organisation_is_found_by_slug_and_by_id_with_what_it_uses(service: Service) -> None:
    service.upload(PackArchive().build(), caller=GLOBEX)
    limit(service, Quota.PACKS, 2, GLOBEX)
    limit(service, Quota.BUILDS_AT_ONCE, UNLIMITED, GLOBEX)

    by_slug, by_id = of_organisation(service, "globex"), of_organisation(service, GLOBEX.org_id)

    assert by_slug.body == by_id.body
    used = by_slug.body.pop("usage")
    assert by_slug.body == {"id": GLOBEX.org_id, "slug": "globex", "billing": "active", "platform": False}
    assert used["packs"] == {"used": 1, "limit": 2, "set": "own"}
    assert used["stored_bytes"]["used"] > 0
    assert used["publishes_a_day"] == {
        "used": 1,
        "resets_at": "2026-03-02T00:00:00.000Z",
        "set": "default",
    }
    assert used["builds_at_once"] == {"used": 0, "set": "own"}


def test_the_end_of_a_trial_is_told(service: Service) -> None:
    tenants = service.services.tenants
    org = tenants.named("acme")
    assert org is not None
    tenants.set_posture(org, billing=BillingPosture.TRIAL, trial_ends_at=service.clock())

    assert of_organisation(service, "acme").body["trial_ends_at"] == "2026-03-01T12:00:00.000Z"


def test_an_organisation_that_there_is_not_is_404(service: Service) -> None:
    for named in ("initech", "org_01hz00000000000000000000aa", "Acme", "a" * 3000, "%00", "ä", "pack_1", "-"):
        answer = of_organisation(service, named)
        assert (answer.status, answer.error["code"]) == (404, "organisation_not_found")


# -- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (DELETIONS, "dynamodb.Query"),
        (DELETIONS, "dynamodb.BatchGetItem"),
        (DEAD_LETTERS, "sqs.GetQueueAttributes"),
        (DEAD_LETTERS, "sqs.ReceiveMessage"),
        (ORGANISATION, "dynamodb.GetItem"),
        (ORGANISATION, "dynamodb.BatchGetItem"),
    ],
)
def test_a_service_that_fails_for_good_is_503_and_once_is_not_seen(
    service: Service, path: str, call: str
) -> None:
    deleting(service, "slack")
    bury(service.aws, "cleanup", DELETION)
    at = PointName(call)

    with service.wire.tapped(Failure(at=at, span=Span.SERVICE)):
        for_good = ask(service, path)
    with service.wire.tapped(Failure(at=at, span=Span.ATTEMPT)):
        once = ask(service, path)

    assert (for_good.status, once.status) == (503, 200)
