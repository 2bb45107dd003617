"""`packyard usage`, and the operator's commands about usage, against moto."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.command import Command, pack_folder
from tests.event_lists import events
from tests.integration.cli.test_admin import Operator
from tests.service import PackArchive, Service, running_service
from tests.usage import limit, usage

from packyard.packs.event import SHOWN_AFTER
from packyard.packs.usage import Quota
from packyard.tenants.caller import Caller


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name, value in (("ACCESS_KEY_ID", "testing"), ("SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with running_service() as running:
        yield running


@pytest.fixture
def operator(service: Service, packyard: Command) -> Operator:
    where = ["--region", "eu-central-1", "--table", service.services.settings.table]
    return Operator(packyard, where)


@pytest.fixture
def acme(operator: Operator) -> Caller:
    scopes = frozenset({"audit:read", "caps:write"})
    return Caller(
        org_id=operator.org("acme"), org_slug="acme", principal="key:1", scopes=scopes, may_create=True
    )


def test_the_operator_sets_limits_that_hold_and_sees_them(
    service: Service, operator: Operator, acme: Caller
) -> None:
    operator.does("quota", "set", "acme", "--packs", "1", "--stored-bytes", "10GiB", "--by", "ada")

    shown = operator.reads("quota", "show", acme.org_id)
    assert shown["packs"] == {"used": 0, "limit": 1, "set": "own"}
    assert shown["stored_bytes"]["limit"] == 10 << 30
    assert shown["publishes_a_day"] == {"used": 0, "limit": None, "set": "default"}
    assert service.upload(PackArchive(name="one").build(), acme).status == 201
    assert service.upload(PackArchive(name="two").build(), acme).error["code"] == "quota_exceeded"
    lines = operator.does("quota", "set", "acme", "--packs", "unlimited")
    assert [line.split() for line in lines][1] == ["packs", "1", "unlimited", "own"]
    assert service.upload(PackArchive(name="two").build(), acme).status == 201
    operator.does("quota", "set", "acme", "--packs", "default")
    assert operator.reads("quota", "show", "acme")["packs"]["set"] == "default"


def test_a_change_of_limits_is_an_event_and_no_change_is_none(
    service: Service, operator: Operator, acme: Caller
) -> None:
    for _ in range(2):
        operator.does("quota", "set", "acme", "--packs", "1", "--builds-at-once", "2", "--by", "ada")
    # The command has the machine's clock.
    service.clock.now = datetime.now(UTC) + 2 * SHOWN_AFTER

    (event,) = events(service, acme, type="policy.updated")

    assert event["actor"] == "operator:ada"
    assert event["data"] == {
        "policy": "quotas",
        "limits": {"packs": 1, "builds_at_once": 2},
        "limits_before": {"packs": None, "builds_at_once": None},
    }


def test_packs_of_before_the_counting_are_counted_once(
    service: Service, operator: Operator, acme: Caller
) -> None:
    pack = service.upload(PackArchive(name="one").build(), acme).body
    table = service.services.settings.table
    row = {"PK": {"S": f"PACK#{pack['id']}"}, "SK": {"S": "PACK"}}
    counts = {"PK": {"S": f"USAGE#{acme.org_id}"}, "SK": {"S": "USAGE"}}
    service.aws.dynamodb.update_item(TableName=table, Key=row, UpdateExpression="REMOVE stored_bytes")
    service.aws.dynamodb.delete_item(TableName=table, Key=counts)

    assert operator.gets("usage", "recount", "acme") == [pack["id"]]
    assert operator.does("usage", "recount", "acme") == ["1 packs are counted; 0 were corrected."]

    assert (usage(service, acme)["packs"], usage(service, acme)["stored_bytes"]) == (1, pack["size_bytes"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "names no limit"),
        (("--packs", "-1"), "--packs '-1' is not a whole number from 0 on"),
        (("--packs", "1GiB"), "--packs '1GiB' is not"),
        (("--stored-bytes", "1 GB"), "KiB, MiB, GiB or TiB"),
        (("--stored-bytes", "9999TiB"), "is not a whole number"),
        (("--builds-at-once", "0"), "from 1 on"),
        (("--publishes-a-day", "many"), "unlimited, or default"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(
    operator: Operator, acme: Caller, arguments: tuple[str, ...], says: str
) -> None:
    flat = [f"{arguments[0]}={arguments[1]}"] if arguments else []

    assert says in operator.is_refused(2, "quota", "set", acme.org_id, *flat)


def test_an_organisation_sees_what_it_uses(packyard: Command) -> None:
    shown = packyard("usage")

    assert shown.exit_code == 0, shown.err
    rows = [line.split() for line in shown.out.splitlines()]
    assert rows[0] == ["WHAT", "USED", "LIMIT", "RESETS"]
    assert [row[0] for row in rows[1:]] == ["packs", "stored_bytes", "publishes_a_day", "builds_at_once"]
    assert packyard("usage", "--json").document["builds_at_once"] == {"used": 0, "limit": 8}
    assert packyard("usage", "--quiet").out.splitlines()[0] == "packs 0"


def test_a_push_over_the_limit_of_the_day_ends_at_once_and_says_when_it_may_go_on(
    service: Service, packyard: Command, tmp_path: Path
) -> None:
    limit(service, Quota.PUBLISHES_A_DAY, 0)

    refused = packyard("push", pack_folder(tmp_path / "pack"))

    assert refused.exit_code != 0
    assert "0 is the most on a day (UTC)" in refused.err
    assert "2026-03-02T00:00:00.000Z" in refused.err
    assert packyard.slept == []
