"""API keys are kept as hashes, and looked up by them: nobody who reads the table, or times answers, comes by a key.

Nothing compares a secret with a secret. What a client shows is hashed before anything else looks at it, and the hash is
what one read by key is for: how long that takes tells nothing of how much of a key was right. What is compared here is
compared by `hmac.compare_digest`: the signatures of cursors.
"""

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.aws import TABLE
from tests.service import ACME, Service, running_service

from packyard.http.authorizer import Unauthorized
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.org import BillingPosture, Org

SECRET = new_secret(bytes(range(32)))
LAYER = Path(__file__).parents[2] / "layers" / "packyard" / "python" / "packyard"


def enrol(service: Service) -> None:
    service.services.tenants.put_org(Org(org_id=ACME.org_id, slug="acme", billing=BillingPosture.ACTIVE))
    service.services.tenants.put_api_key(
        ApiKey(
            key_hash=hash_secret(SECRET),
            org_id=ACME.org_id,
            label="ci",
            permission_set=PermissionSet.FULL_ACCESS,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
    )


def asked(service: Service, secret: str) -> list[dict[str, Any]]:
    """Return what the table is asked for when a key is shown."""
    calls: list[dict[str, Any]] = []

    def called(params: dict[str, Any], **_: Any) -> None:
        calls.append(params)

    events = service.aws.dynamodb.meta.events
    events.register("provide-client-params", called, unique_id="keys")
    arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {secret}", "methodArn": arn}
    try:
        service.invoke("authorize", event)
    except Unauthorized:
        pass
    finally:
        events.unregister("provide-client-params", unique_id="keys")
    return calls


def test_the_table_holds_the_hash_of_a_key_and_nothing_that_it_could_be_made_from() -> None:
    with running_service() as service:
        enrol(service)
        items = json.dumps(service.aws.dynamodb.scan(TableName=TABLE)["Items"])

    assert hash_secret(SECRET) in items
    for part in (SECRET, SECRET[3:], SECRET[:20], b64encode(SECRET.encode()).decode()):
        assert part not in items


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(SECRET[:-1] + "x", id="right but for the last character"),
        pytest.param(f"sk_x{SECRET[4:]}", id="right but for the first"),
        pytest.param(new_secret(b"x" * 32), id="wrong altogether"),
        pytest.param(SECRET[:3] + SECRET[3:].upper(), id="in capitals"),
        pytest.param(f"{SECRET}\x00", id="right, and more"),
        pytest.param("sk_", id="empty"),
    ],
)
def test_a_wrong_key_is_one_read_by_its_hash_however_much_of_it_is_right(shown: str) -> None:
    with running_service() as service:
        enrol(service)
        (call,) = asked(service, shown)

    assert call["Key"] == {"PK": {"S": f"KEY#{hash_secret(shown)}"}, "SK": {"S": "KEY"}}
    assert shown not in json.dumps(call)


def test_neither_the_key_nor_its_hash_is_compared_by_our_own_code() -> None:
    """A `==` on a secret would show here: authentication has none, and cursors have the standard library's."""
    authenticate = (LAYER / "operations" / "authenticate.py").read_text()
    store = (LAYER / "store" / "tenants.py").read_text()

    assert "==" not in authenticate
    assert not [line for line in store.splitlines() if "==" in line and ("hash" in line or "secret" in line)]
    assert "hmac.compare_digest(" in (LAYER / "store" / "cursor.py").read_text()
