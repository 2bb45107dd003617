"""Making, listing and revoking API keys, through the real handlers."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.aws import TABLE
from tests.gateway import Answer
from tests.service import ACME, GLOBEX, Service

from packyard.http.authorizer import Unauthorized
from packyard.operations.keys import MAX_LIVE
from packyard.store.api_key_items import to_item
from packyard.store.wire import to_wire
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret
from packyard.tenants.caller import SCOPES, Caller
from packyard.tenants.org import BillingPosture, Org

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
CI = {"label": "ci", "scopes": ["caps:write"]}
NARROWED = replace(
    ACME, principal="key:narrow", pack_name="slack", scopes=frozenset({"caps:write", "keys:write"})
)


def make(service: Service, caller: Caller = ACME, key: str | None = None, **changes: Any) -> Answer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return service.send("keys", "POST", "/keys", caller=caller, json=CI | changes, headers=headers)


def keys(service: Service, caller: Caller = ACME, /, **query: str) -> list[Any]:
    listed: list[Any] = service.send("keys", "GET", "/keys", caller=caller, query=query).body["keys"]
    return listed


def revoke(service: Service, key_id: str, caller: Caller = ACME) -> Answer:
    return service.send("keys", "DELETE", f"/keys/{key_id}", caller=caller)


def context(service: Service, secret: str) -> dict[str, str]:
    """Return what the authorizer says of a key's caller."""
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {secret}", "methodArn": METHOD_ARN}
    answer: dict[str, str] = service.invoke("authorize", event)["context"]
    return answer


@pytest.fixture(autouse=True)
def acme(service: Service) -> None:
    service.services.tenants.put_org(Org(org_id=ACME.org_id, slug="acme", billing=BillingPosture.ACTIVE))


def test_a_key_acts_with_the_scopes_the_pack_and_the_end_that_were_asked_for(service: Service) -> None:
    answer = make(service, pack_name="slack", expires_in=3600)

    assert answer.status == 201
    assert context(service, answer.body["key"]) == {
        "org_id": ACME.org_id,
        "org_slug": "acme",
        "principal": answer.body["principal"],
        "scopes_in_pack": "caps:write",
        "may_create": "true",
        "pack_name": "slack",
        "ends_at": answer.body["expires_at"],
    }
    assert answer.body["expires_at"] == "2026-03-01T13:00:00.000Z"


def test_the_answer_says_who_made_the_key_and_no_cache_keeps_it(service: Service) -> None:
    answer = make(service)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == {
        "id": hash_secret(answer.body["key"]),
        "principal": f"key:{answer.body['id'][:16]}",
        "prefix": answer.body["key"][:7],
        "label": "ci",
        "scopes": ["caps:write"],
        "created_at": "2026-03-01T12:00:00.000Z",
        "created_by": "key:acme",
        "expires_at": "2026-05-30T12:00:00.000Z",
        "key": answer.body["key"],
    }


def test_the_list_has_all_but_the_secret(service: Service) -> None:
    made = make(service).body
    secret = made.pop("key")

    assert keys(service) == [made]
    assert secret not in json.dumps(service.aws.dynamodb.scan(TableName=service.services.settings.table))


def test_full_access_stands_for_all_scopes_and_for_a_pack_for_those_that_concern_one(
    service: Service,
) -> None:
    assert make(service, scopes=["full_access"]).body["scopes"] == sorted(SCOPES)
    narrow = make(service, scopes=["full_access"], pack_name="slack").body["scopes"]
    assert narrow == ["caps:write", "keys:write", "policy:write"]


def test_a_key_without_scopes_only_reads(service: Service) -> None:
    assert context(service, make(service, scopes=[]).body["key"])["scopes"] == ""


# -- no key is wider than its maker -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maker", "asked", "told"),
    [
        pytest.param(
            replace(ACME, scopes=frozenset({"keys:write"})),
            {},
            "lacks caps:write",
            id="a scope that it lacks",
        ),
        pytest.param(
            replace(ACME, scopes=SCOPES - {"policy:write"}),
            {"scopes": ["full_access"]},
            "lacks policy:write",
            id="all scopes without having them",
        ),
        pytest.param(NARROWED, {"pack_name": "jira"}, "for the pack slack only", id="another pack"),
        pytest.param(
            NARROWED, {"scopes": ["roles:write"]}, "lacks roles:write", id="roles for one pack's key"
        ),
    ],
)
def test_what_its_maker_may_not_do_a_key_may_not_either(
    service: Service, maker: Caller, asked: dict[str, Any], told: str
) -> None:
    answer = make(service, maker, **asked)

    assert answer.status == 403
    assert told in answer.error["message"]
    assert keys(service) == []


def test_a_key_made_with_a_key_for_one_pack_is_for_that_pack(service: Service) -> None:
    assert make(service, NARROWED).body["pack_name"] == "slack"
    assert make(service, NARROWED, pack_name="slack").status == 201


def test_a_key_ends_with_its_maker_and_not_later(service: Service) -> None:
    maker = replace(ACME, ends_at=service.clock.now + timedelta(hours=1))

    refused = make(service, maker, expires_in=3601)

    assert refused.status == 403
    assert "ends at 2026-03-01T13:00:00.000Z" in refused.error["message"]
    assert make(service, maker, expires_in=3600).body["expires_at"] == "2026-03-01T13:00:00.000Z"
    assert make(service, maker).body["expires_at"] == "2026-03-01T13:00:00.000Z"


def test_a_credential_that_has_just_ended_makes_no_key(service: Service) -> None:
    assert make(service, replace(ACME, ends_at=service.clock.now)).status == 403


def test_without_the_scope_keys_are_neither_made_nor_revoked(service: Service) -> None:
    key_id = make(service).body["id"]
    other = replace(ACME, scopes=frozenset({"caps:write"}))

    for answer in (make(service, other), revoke(service, key_id, other)):
        assert answer.status == 403
        assert "keys:write" in answer.error["message"]


def test_an_organisation_that_may_not_create_makes_no_key_and_revokes_those_that_it_has(
    service: Service,
) -> None:
    key_id = make(service).body["id"]
    owing = replace(ACME, may_create=False)

    assert make(service, owing).status == 423
    assert revoke(service, key_id, owing).status == 200


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"label": ""}, "label", "1 to 120 printable"),
        ({"label": "a\nb"}, "label", "1 to 120 printable"),
        ({"label": 7}, "label", "must be text"),
        ({"scopes": "caps:write"}, "scopes", "must be a list"),
        ({"scopes": ["caps:wirte"]}, "scopes", "did you mean caps:write?"),
        ({"scopes": ["caps:write", "caps:write"]}, "scopes", "twice"),
        ({"scopes": [["caps:write"]]}, "scopes", "must be a list of texts"),
        ({"scopes": ["roles:write"], "pack_name": "slack"}, "scopes", "cannot have roles:write"),
        ({"pack_name": "Slack"}, "pack_name", "such as slack"),
        ({"pack_name": None}, "pack_name", "must be text"),
        ({"expires_in": 59}, "expires_in", "from 60 to 31622400"),
        ({"expires_in": 31_622_401}, "expires_in", "from 60 to 31622400"),
        ({"expires_in": True}, "expires_in", "whole number"),
        ({"expires_in": 3600.5}, "expires_in", "whole number"),
        ({"expires_at": "tomorrow"}, "expires_at", "did you mean expires_in?"),
    ],
)
def test_a_request_that_is_wrong_is_told_by_field(
    service: Service, changes: dict[str, Any], field: str, told: str
) -> None:
    answer = make(service, **changes)

    assert answer.status == 400
    assert list(answer.fields) == [field]
    assert told in answer.fields[field]


# -- an idempotency key -------------------------------------------------------------------------------------------


def test_a_repeat_is_told_which_key_was_made_and_not_its_secret(service: Service) -> None:
    made = make(service, key="k1")

    repeat = make(service, key="k1")

    assert made.status == 201
    assert repeat.status == 409
    assert repeat.error["code"] == "already_created"
    assert repeat.error["details"] == {"id": made.body["id"]}
    assert len(keys(service)) == 1
    assert made.body["key"] not in json.dumps(
        service.aws.dynamodb.scan(TableName=service.services.settings.table)
    )


def test_a_repeat_that_differs_is_refused_and_so_is_one_of_somebody_else(service: Service) -> None:
    make(service, key="k1")

    assert make(service, key="k1", label="other").status == 400
    assert make(service, replace(ACME, principal="key:colleague"), key="k1").status == 400


def test_a_refusal_frees_the_idempotency_key(service: Service) -> None:
    assert make(service, replace(ACME, scopes=frozenset({"keys:write"})), key="k1").status == 403

    assert make(service, key="k1").status == 201


# -- the list -----------------------------------------------------------------------------------------------------


def test_the_list_is_paged_the_newest_first(service: Service) -> None:
    made = []
    for number in range(3):
        service.clock.advance(timedelta(seconds=1))
        made.append(make(service, label=str(number)).body["id"])

    first = service.send("keys", "GET", "/keys", query={"limit": "2"})
    rest = service.send("keys", "GET", "/keys", query={"limit": "2", "cursor": first.body["next_cursor"]})

    assert [key["id"] for key in first.body["keys"]] == [made[2], made[1]]
    assert [key["id"] for key in rest.body["keys"]] == [made[0]]
    assert "next_cursor" not in rest.body


def test_the_operator_s_keys_are_listed_too(service: Service) -> None:
    operators = ApiKey(
        key_hash=hash_secret("sk_x"),
        org_id=ACME.org_id,
        label="laptop",
        permission_set=PermissionSet.READ_ONLY,
        created_at=service.clock.now,
    )
    service.services.tenants.put_api_key(operators)

    assert keys(service) == [
        {
            "id": operators.key_hash,
            "principal": operators.principal,
            "label": "laptop",
            "scopes": [],
            "created_at": "2026-03-01T12:00:00.000Z",
        }
    ]


def test_a_key_for_one_pack_sees_the_keys_for_that_pack(service: Service) -> None:
    make(service)
    make(service, pack_name="jira")
    narrow = make(service, pack_name="slack").body["id"]

    assert [key["id"] for key in keys(service, NARROWED)] == [narrow]


def test_a_cursor_of_the_whole_list_is_not_for_a_key_for_one_pack(service: Service) -> None:
    for _ in range(2):
        make(service)
    cursor = service.send("keys", "GET", "/keys", query={"limit": "1"}).body["next_cursor"]

    answer = service.send("keys", "GET", "/keys", caller=NARROWED, query={"cursor": cursor})

    assert answer.status == 400


# -- the end ------------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_at_once_and_the_list_says_who_revoked_it(service: Service) -> None:
    made = make(service).body
    assert context(service, made["key"])

    answer = revoke(service, made["id"], replace(ACME, principal="user:ada"))

    assert answer.status == 200
    with pytest.raises(Unauthorized):
        context(service, made["key"])
    (listed,) = keys(service)
    assert listed == answer.body
    assert (listed["revoked_at"], listed["revoked_by"]) == ("2026-03-01T12:00:00.000Z", "user:ada")


def test_a_key_has_no_revision_to_put_a_condition_on(service: Service) -> None:
    key_id = make(service).body["id"]

    answer = service.send("keys", "DELETE", f"/keys/{key_id}", headers={"If-Match": '"1"'})

    assert answer.fields == {"If-Match": "is not taken here: a key has no revisions"}


def test_revoking_again_changes_nothing(service: Service) -> None:
    key_id = make(service).body["id"]
    first = revoke(service, key_id)
    before = stored(service, key_id)
    service.clock.advance(timedelta(hours=1))

    second = revoke(service, key_id, replace(ACME, principal="user:ada"))

    assert second.body == first.body
    assert stored(service, key_id) == before


@pytest.mark.parametrize(
    ("key_id", "caller"),
    [
        pytest.param("0" * 64, ACME, id="no such key"),
        pytest.param("key:0123456789abcdef", ACME, id="a principal"),
        pytest.param("x" * 2000, ACME, id="no id"),
        pytest.param(None, GLOBEX, id="another organisation's"),
        pytest.param(None, NARROWED, id="not for the pack of the caller"),
    ],
)
def test_what_one_may_not_revoke_is_not_found(service: Service, key_id: str | None, caller: Caller) -> None:
    made = make(service).body

    answer = revoke(service, made["id"] if key_id is None else key_id, caller)

    assert answer.status == 404
    assert answer.error["code"] == "key_not_found"
    assert context(service, made["key"])


def test_a_key_for_one_pack_revokes_keys_for_that_pack(service: Service) -> None:
    assert revoke(service, make(service, pack_name="slack").body["id"], NARROWED).status == 200


def test_an_expired_key_is_refused_before_the_table_forgets_it(service: Service) -> None:
    made = make(service, expires_in=60).body
    assert stored(service, made["id"])["expires_at"] == int(service.clock.now.timestamp()) + 60

    service.clock.advance(timedelta(seconds=60))

    with pytest.raises(Unauthorized):
        context(service, made["key"])


def test_what_a_key_makes_when_it_has_been_forgotten_meanwhile_is_told_as_unknown(service: Service) -> None:
    store = service.services.api_keys
    key = store.get(make(service).body["id"])
    assert key is not None
    service.aws.dynamodb.delete_item(
        TableName=service.services.settings.table,
        Key={"PK": {"S": f"KEY#{key.key_hash}"}, "SK": {"S": "KEY"}},
    )

    assert store.revoke(key, by="user:ada", at=service.clock.now) is None
    assert store.get(key.key_hash) is None


# -- the limit ----------------------------------------------------------------------------------------------------


def test_an_organisation_has_a_limited_number_of_keys(service: Service) -> None:
    made = [make(service, label=str(number)).body["id"] for number in range(MAX_LIVE)]

    refused = make(service)

    assert refused.status == 409
    assert refused.error["code"] == "quota_exceeded"
    assert refused.error["details"] == {"limit": MAX_LIVE}
    assert "DELETE /keys/{id}" in refused.error["message"]
    revoke(service, made[0])
    assert make(service).status == 201


def test_keys_that_have_ended_count_until_they_are_forgotten(service: Service) -> None:
    ended = [
        ApiKey(
            key_hash=hash_secret(str(number)),
            org_id=ACME.org_id,
            label="x",
            created_at=service.clock.now,
            expires_at=service.clock.now,
        )
        for number in range(1000)
    ]
    # Without their events, and many at once: a thousand transactions take ten seconds.
    for first in range(1, 1000, 25):
        wanted: list[Any] = [{"PutRequest": {"Item": to_wire(to_item(key))}} for key in ended[first:][:25]]
        service.aws.dynamodb.batch_write_item(RequestItems={TABLE: wanted})
    assert make(service).status == 201

    refused = make(service)

    assert refused.status == 409
    assert refused.error["details"] == {"limit": 1000}


def stored(service: Service, key_id: str) -> dict[str, Any]:
    """Return a key's item, plain."""
    item = service.services.table.get({"PK": f"KEY#{key_id}", "SK": "KEY"})
    assert item is not None
    assert re.fullmatch("[0-9a-f]{64}", item["key_hash"])
    return item


@pytest.mark.parametrize("field", [{}, {"expires_in": 3600}, {"pack_name": "slack", "expires_in": 3600}])
def test_a_key_of_every_form_is_made_once_with_an_idempotency_key(
    service: Service, field: dict[str, Any]
) -> None:
    wanted = {"label": "ci", "scopes": ["caps:write"]} | field

    first, again = (
        service.send("keys", "POST", "/keys", json=wanted, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert (first.status, again.error["code"]) == (201, "already_created")
