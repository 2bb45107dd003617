"""What an organisation uses, and what happens when it may not use more (API contract, section 9)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.changes import change
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.staged_uploads import start
from tests.staged_uploads import upload as stage
from tests.third_party_images import pack_image
from tests.usage import limit, usage

from packyard.packs.usage import UNLIMITED, Quota
from packyard.store.pack_counts import PackCounts
from packyard.tenants.caller import SCOPES, Caller

LARGE = {"data/noise": bytes(range(256)) * 64}


def ok(answer: Answer) -> Answer:
    assert answer.status < 300, answer.body
    return answer


def upload(service: Service, name: str, **contents: Any) -> Answer:
    return service.upload(PackArchive(name=name, **contents).build())


def reupload(service: Service, pack: str, name: str, version: str = "2.0.0", **query: str) -> Answer:
    body, headers = multipart({"archive": PackArchive(name=name, version=version, files=LARGE).build()})
    path = f"/packs/{pack}/upload"
    request = Request(
        method="POST", resource=path, path=path, query=query, headers=headers, body=body, caller=ACME
    )
    return service.request("reupload_pack", request)


def test_an_organisation_that_has_published_nothing_uses_nothing(service: Service) -> None:
    answer = service.send("get_usage", "GET", "/usage")

    assert answer.status == 200
    assert answer.body == {
        "packs": {"used": 0},
        "stored_bytes": {"used": 0},
        "publishes_a_day": {"used": 0, "resets_at": "2026-03-02T00:00:00.000Z"},
        "builds_at_once": {"used": 0, "limit": 8},
    }


def test_each_publish_counts_and_a_deletion_gives_back_the_pack_and_its_bytes(service: Service) -> None:
    first, second = ok(upload(service, "one")).body, ok(upload(service, "two")).body

    assert usage(service) == {
        "packs": 2,
        "stored_bytes": first["size_bytes"] + second["size_bytes"],
        "publishes_a_day": 2,
        "builds_at_once": 0,
    }
    ok(service.delete(first["id"]))
    ok(service.delete(first["id"]))
    assert usage(service) == {
        "packs": 1,
        "stored_bytes": second["size_bytes"],
        "publishes_a_day": 2,
        "builds_at_once": 0,
    }
    assert set(usage(service, GLOBEX).values()) == {0}


def test_a_new_image_counts_what_it_adds_and_what_keeps_the_image_counts_nothing(service: Service) -> None:
    pack = ok(upload(service, "one")).body
    changed = ok(reupload(service, pack["id"], "one")).body
    bytes_then = pack["size_bytes"] + changed["size_bytes"]
    assert (usage(service)["stored_bytes"], usage(service)["publishes_a_day"]) == (bytes_then, 2)

    ok(service.update(pack["id"], "community"))
    ok(reupload(service, pack["id"], "one"))
    ok(service.set_role("a", [pack["id"]]))

    assert (usage(service)["stored_bytes"], usage(service)["publishes_a_day"]) == (bytes_then, 2)
    assert usage(service)["packs"] == 1


def test_going_back_to_an_image_that_is_stored_adds_no_bytes(service: Service) -> None:
    pack = ok(upload(service, "one")).body
    ok(reupload(service, pack["id"], "one"))
    before = usage(service)

    ok(service.send("replace_pack", "PUT", f"/packs/{pack['id']}", json={"revision": 1}))

    assert usage(service) == before | {"publishes_a_day": before["publishes_a_day"] + 1}


def test_an_image_in_another_registry_is_a_pack_without_bytes(
    service: Service, elsewhere: FakeRegistry
) -> None:
    ok(register(service, elsewhere))

    assert usage(service) == {"packs": 1, "stored_bytes": 0, "publishes_a_day": 1, "builds_at_once": 0}


def test_a_clone_counts_where_it_is_stored(service: Service) -> None:
    pack = ok(service.upload(PackArchive(name="shared").build(), visibility="community")).body
    ok(service.clone(pack["id"], GLOBEX))

    assert usage(service, GLOBEX)["stored_bytes"] == usage(service)["stored_bytes"] == pack["size_bytes"]


def test_publishes_are_counted_anew_after_midnight(service: Service) -> None:
    ok(upload(service, "one"))
    limit(service, Quota.PUBLISHES_A_DAY, 1)
    refused = upload(service, "two")

    assert (refused.status, refused.error["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == str(12 * 3600)
    assert refused.error["details"] == {
        "quota": "publishes_a_day",
        "limit": 1,
        "used": 1,
        "resets_at": "2026-03-02T00:00:00.000Z",
    }
    service.clock.advance(timedelta(hours=12))
    ok(upload(service, "two"))
    assert usage(service)["publishes_a_day"] == 1


def test_the_counts_of_past_days_do_not_make_the_item_grow(service: Service) -> None:
    for day in range(40):
        ok(upload(service, f"p{day}"))
        service.clock.advance(timedelta(days=1))

    item = service.services.usage_ledger
    stored = service.aws.table.get({"PK": f"USAGE#{ACME.org_id}", "SK": "USAGE"})
    assert stored is not None
    assert item.usage(stored, day=service.clock().date()).packs == 40
    assert [name for name in stored if name.startswith("day_")] == ["day_2026-04-09"]


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def register(service: Service, elsewhere: FakeRegistry) -> Answer:
    shelf = elsewhere.shelves.repository("team/jira", create=True)
    pack_image(b"name: jira\nversion: 1.0.0\n").shelve(shelf, "1.0.0")
    reference = f"{urlsplit(elsewhere.url).netloc}/team/jira:1.0.0"
    return service.send("create_pack", "POST", "/packs", json={"image_ref": reference})


@contextmanager
def nothing_used(service: Service) -> Iterator[None]:
    before = usage(service)
    yield
    assert usage(service) == before


def test_the_last_place_is_given_once_and_the_refusal_says_what_helps(service: Service) -> None:
    limit(service, Quota.PACKS, 1)
    pack = ok(upload(service, "one")).body

    with nothing_used(service):
        refused = upload(service, "two")

    assert (refused.status, refused.error["code"]) == (409, "quota_exceeded")
    assert refused.error["details"] == {"quota": "packs", "limit": 1, "used": 1}
    assert "DELETE /packs/{id}" in refused.error["message"]
    ok(reupload(service, pack["id"], "one"))
    ok(service.delete(pack["id"]))
    ok(upload(service, "two"))


def test_what_is_over_a_lowered_limit_may_change_and_shrink(service: Service) -> None:
    pack = ok(upload(service, "one")).body
    other = ok(upload(service, "two", files=LARGE)).body
    for quota in (Quota.PACKS, Quota.STORED_BYTES):
        limit(service, quota, 0)

    ok(service.update(pack["id"], "community"))
    assert reupload(service, pack["id"], "one").status == 409
    ok(service.delete(other["id"]))
    ok(service.delete(pack["id"]))
    assert usage(service)["stored_bytes"] == 0


def test_bytes_fit_up_to_the_last_one(service: Service) -> None:
    size = ok(upload(service, "one")).body["size_bytes"]
    ok(service.delete(ok(upload(service, "two")).body["id"]))
    limit(service, Quota.STORED_BYTES, 2 * size - 1)

    refused = upload(service, "two")

    assert (refused.status, refused.error["details"]) == (
        409,
        {"quota": "stored_bytes", "limit": 2 * size - 1, "used": size},
    )
    limit(service, Quota.STORED_BYTES, 2 * size)
    ok(upload(service, "two"))
    assert usage(service)["stored_bytes"] == 2 * size


@pytest.mark.parametrize(
    "defaults",
    [{"quota_packs": 1}, {"quota_stored_bytes": 10}, {"quota_publishes_a_day": 1}],
    ids=lambda defaults: next(iter(defaults)),
)
def test_the_default_holds_where_the_operator_has_set_nothing(
    service: Service, defaults: Mapping[str, Any]
) -> None:
    service.new_process(settings=replace(service.services.settings, **defaults))
    quota = Quota(next(iter(defaults)).removeprefix("quota_"))
    first = upload(service, "one")
    assert first.status == (409 if quota is Quota.STORED_BYTES else 201)

    refused = upload(service, "two")

    assert refused.error["details"]["quota"] == quota.value
    limit(service, quota, UNLIMITED)
    assert "limit" not in service.send("get_usage", "GET", "/usage").body[quota.value]
    ok(upload(service, "two"))
    limit(service, quota, None)
    assert upload(service, "three").status in (409, 429)


def test_every_way_to_publish_keeps_the_limit(service: Service, elsewhere: FakeRegistry) -> None:
    pack = ok(upload(service, "one")).body["id"]
    limit(service, Quota.PUBLISHES_A_DAY, 1)

    with nothing_used(service):
        answers = {
            "upload": upload(service, "two"),
            "reupload": reupload(service, pack, "one"),
            "register": register(service, elsewhere),
            "clone": service.clone(pack, name="copy"),
            "change": change(service, pack, {"README.md": b"# New\n"}),
            "file": service.request(
                "put_file",
                Request(
                    method="PUT",
                    resource=f"/packs/{pack}/files/README.md",
                    path=f"/packs/{pack}/files/README.md",
                    body=b"# New\n",
                    caller=ACME,
                ),
            ),
        }
        staged = stage(service, PackArchive(name="staged").build())

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 429)
    assert (staged.body["status"], staged.body["error"]["code"]) == ("failed", "rate_limited")


def test_a_dry_run_says_what_the_limit_would_say_and_uses_nothing(service: Service) -> None:
    pack = ok(upload(service, "one")).body["id"]
    limit(service, Quota.PUBLISHES_A_DAY, 1)
    limit(service, Quota.PACKS, 1)

    with nothing_used(service):
        again = reupload(service, pack, "one", dry_run="true")
        started = ok(start(service, dry_run=True)).body

    assert (again.status, again.error["code"]) == (429, "rate_limited")
    assert started["status"] == "awaiting_archive"
    with nothing_used(service):
        limit(service, Quota.PUBLISHES_A_DAY, None)
        ok(reupload(service, pack, "one", dry_run="true"))
        body, headers = multipart({"archive": PackArchive(name="two").build()})
        request = Request(
            method="POST",
            resource="/packs/upload",
            query={"dry_run": "true"},
            headers=headers,
            body=body,
            caller=ACME,
        )
        assert service.request("upload_pack", request).error["code"] == "quota_exceeded"


@pytest.mark.parametrize(
    ("caller", "says"),
    [
        (replace(ACME, scopes=SCOPES - {"audit:read"}), "lacks the scope audit:read"),
        (replace(ACME, pack_name="slack"), "is for the pack slack only"),
    ],
)
def test_usage_is_for_those_who_may_audit_the_organisation(
    service: Service, caller: Caller, says: str
) -> None:
    refused = service.send("get_usage", "GET", "/usage", caller=caller)

    assert (refused.status, refused.error["code"]) == (403, "permission_denied")
    assert says in refused.error["message"]


def test_a_pack_of_before_the_counting_counts_when_it_is_counted_anew(service: Service) -> None:
    pack = ok(upload(service, "one")).body
    ok(reupload(service, pack["id"], "one"))
    counted = usage(service)
    _forget(service, pack["id"])
    counts = PackCounts(table=service.aws.table)

    # It can still change and go, without a trace in what was never counted.
    ok(change(service, pack["id"], {"README.md": b"# New\n"}))
    assert usage(service)["stored_bytes"] == 0
    for _ in range(2):
        for pack_id in counts.pack_ids(ACME.org_id):
            assert counts.recount(pack_id) is not None

    assert usage(service)["packs"] == 1
    assert usage(service)["stored_bytes"] > counted["stored_bytes"]
    ok(service.delete(pack["id"]))
    assert (usage(service)["packs"], usage(service)["stored_bytes"]) == (0, 0)
    assert counts.recount(pack["id"]) is None


def test_content_that_came_back_counts_once_when_it_is_counted_anew(service: Service) -> None:
    pack = ok(upload(service, "one")).body
    ok(reupload(service, pack["id"], "one"))
    exact = usage(service)["stored_bytes"]
    body, headers = multipart({"archive": PackArchive(name="one").build()})
    path = f"/packs/{pack['id']}/upload"
    back = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    ok(service.request("reupload_pack", back))
    assert usage(service)["stored_bytes"] == exact + pack["size_bytes"]

    count = PackCounts(table=service.aws.table).recount(pack["id"])

    assert count is not None
    assert (count.before, count.stored_bytes) == (exact + pack["size_bytes"], exact)
    assert usage(service)["stored_bytes"] == exact


def _forget(service: Service, pack_id: str) -> None:
    """Make a pack as it was before there were counts."""
    dynamodb, table = service.aws.dynamodb, service.services.settings.table
    row = {"PK": {"S": f"PACK#{pack_id}"}, "SK": {"S": "PACK"}}
    counts = {"PK": {"S": f"USAGE#{ACME.org_id}"}, "SK": {"S": "USAGE"}}
    dynamodb.update_item(TableName=table, Key=row, UpdateExpression="REMOVE stored_bytes")
    dynamodb.delete_item(TableName=table, Key=counts)
