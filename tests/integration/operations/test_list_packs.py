"""GET /packs, through its real handler."""

from datetime import timedelta

import pytest
from tests.gateway import Request
from tests.service import ACME, GLOBEX, PackArchive, Service

from packyard.packs.timestamp import format_timestamp, parse_timestamp


def names(answer_body: dict[str, list[dict[str, str]]]) -> list[str]:
    return [pack["name"] for pack in answer_body["packs"]]


@pytest.fixture
def stocked(service: Service) -> Service:
    """Acme and Globex have two packs of their own each, and have shared one each."""
    for caller, prefix in ((ACME, "a"), (GLOBEX, "g")):
        for name, visibility in (("one", "org"), ("two", "org"), ("shared", "community")):
            archive = PackArchive(name=f"{prefix}-{name}", fields={"category": name}).build()
            assert service.upload(archive, caller, visibility=visibility).status == 201
    return service


def test_a_list_holds_own_packs_and_those_of_the_community_by_name(stocked: Service) -> None:
    answer = stocked.list_packs()

    assert answer.status == 200
    assert names(answer.body) == ["a-one", "a-shared", "a-two", "g-shared"]
    assert "next_cursor" not in answer.body
    assert [pack.get("org_id") for pack in answer.body["packs"]] == [ACME.org_id] * 3 + [None]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"owned": "true"}, ["a-one", "a-shared", "a-two"]),
        ({"owned": "false"}, ["g-shared"]),
        ({"category": "shared"}, ["a-shared", "g-shared"]),
        ({"category": "absent"}, []),
        ({"tier": "community"}, ["a-one", "a-shared", "a-two", "g-shared"]),
        ({"tier": "verified"}, []),
        ({"q": "a-"}, ["a-one", "a-shared", "a-two"]),
        ({"q": "a-s", "owned": "true"}, ["a-shared"]),
        ({"q": ""}, ["a-one", "a-shared", "a-two", "g-shared"]),
        ({"name": "a-shared"}, ["a-shared"]),
        ({"name": "a"}, []),
        ({"name": "a-shared", "q": "a-s"}, ["a-shared"]),
        ({"name": "a-shared", "q": "a-t"}, []),
        ({"name": "g-one"}, []),
        # Without the stream, the index of words is empty.
        ({"search": "shared"}, []),
    ],
    ids=str,
)
def test_filters_narrow_the_list(stocked: Service, query: dict[str, str], expected: list[str]) -> None:
    assert names(stocked.list_packs(**query).body) == expected


def test_what_has_changed_after_an_instant_is_listed(service: Service) -> None:
    for name in ("before", "changed", "after"):
        pack = service.upload(PackArchive(name=name).build()).body
        service.clock.advance(timedelta(minutes=1))
        service.follow(pack["id"])
    since = format_timestamp(parse_timestamp(pack["updated_at"]))
    changed = service.list_packs(name="changed").body["packs"][0]["id"]
    service.clock.advance(timedelta(minutes=1))
    assert service.update(changed, "community").status == 200
    service.follow(changed)
    earlier = format_timestamp(parse_timestamp(since) - timedelta(milliseconds=1))

    assert names(service.list_packs(updated_after=since).body) == ["changed"]
    assert names(service.list_packs(updated_after=earlier).body) == ["after", "changed"]
    assert names(service.list_packs(updated_after=since, search="after").body) == []
    assert names(service.list_packs(updated_after=earlier, search="after").body) == ["after"]
    assert names(service.list_packs(updated_after="2026-01-01T23:00:00-23:00", owned="false").body) == []


@pytest.mark.parametrize("limit", ["1", "2", "3", "100"])
def test_pages_joined_are_the_whole_list(stocked: Service, limit: str) -> None:
    found: list[str] = []
    query = {"limit": limit}
    while True:
        body = stocked.list_packs(**query).body
        found += names(body)
        if "next_cursor" not in body:
            break
        query["cursor"] = body["next_cursor"]

    assert found == ["a-one", "a-shared", "a-two", "g-shared"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"updated_after": "yesterday"}, "updated_after"),
        ({"updated_after": "2026-01-01"}, "updated_after"),
        ({"updated_after": "2026-01-01T00:00:00"}, "updated_after"),
        ({"updated_after": "2026-01-01T00:00:00 01:00"}, "updated_after"),
        ({"updated_after": "0001-01-01T00:00:00+23:59"}, "updated_after"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "\u0663"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"owned": "yes"}, "owned"),
        ({"owned": ""}, "owned"),
        ({"tier": "gold"}, "tier"),
        ({"category": "No Slug"}, "category"),
        ({"q": "A"}, "q"),
        ({"q": "a" * 65}, "q"),
        ({"q": "a#b"}, "q"),
        ({"name": "No Slug"}, "name"),
        ({"search": ""}, "search"),
        ({"search": "++"}, "search"),
        ({"search": "a b c d e f g h i"}, "search"),
        ({"search": "a" * 201}, "search"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "not-a-cursor"}, "cursor"),
        ({"cursor": "A" * 10_000}, "cursor"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_parameter_is_400_by_name(service: Service, query: dict[str, str], field: str) -> None:
    answer = service.list_packs(**query)

    assert (answer.status, answer.error["code"]) == (400, "validation_error")
    assert list(answer.fields) == [field]


def test_all_wrong_parameters_are_named_at_once(service: Service) -> None:
    answer = service.list_packs(limit="0", owned="yes", tier="gold", category="!", q="!")

    assert answer.fields.keys() == {"limit", "owned", "tier", "category", "q"}


def test_a_cursor_is_valid_only_for_its_organisation_and_the_same_filters(stocked: Service) -> None:
    cursor = stocked.list_packs(limit="1").body["next_cursor"]

    assert stocked.list_packs(GLOBEX, cursor=cursor).status == 400
    assert stocked.list_packs(cursor=cursor, owned="true").status == 400
    assert stocked.list_packs(cursor=cursor, updated_after="2020-01-01T00:00:00Z").status == 400
    assert stocked.list_packs(cursor=cursor[:-1] + ("A" if cursor[-1] != "A" else "B")).status == 400
    assert names(stocked.list_packs(cursor=cursor, limit="100").body) == ["a-shared", "a-two", "g-shared"]


def test_a_search_finds_packs_by_words_best_first_once_the_stream_has_told_of_them(stocked: Service) -> None:
    listed = stocked.list_packs().body["packs"] + stocked.list_packs(GLOBEX).body["packs"]
    for pack in listed:
        assert stocked.follow(pack["id"]) == []

    assert names(stocked.list_packs(search="SHARED").body) == ["a-shared", "g-shared"]
    assert names(stocked.list_packs(search="a sh").body) == ["a-shared"]
    assert names(stocked.list_packs(search="one").body) == ["a-one"]
    assert names(stocked.list_packs(search="shared", owned="false").body) == ["g-shared"]
    assert names(stocked.list_packs(search="shared", name="g-shared").body) == ["g-shared"]
    assert names(stocked.list_packs(search="shared", name="a", q="b").body) == []


def test_the_cursor_of_a_search_is_valid_only_for_the_same_words(stocked: Service) -> None:
    for pack in stocked.list_packs().body["packs"]:
        stocked.follow(pack["id"])
    first = stocked.list_packs(search="shared", limit="1").body
    cursor = first["next_cursor"]

    rest = stocked.list_packs(search="Shared", cursor=cursor).body

    assert names(first) + names(rest) == ["a-shared", "g-shared"]
    for other in ({"search": "share"}, {"search": "shared", "owned": "true"}, {}):
        assert stocked.list_packs(cursor=cursor, **other).status == 400
    assert stocked.list_packs(GLOBEX, search="shared", cursor=cursor).status == 400


def test_no_caller_is_401(service: Service) -> None:
    assert service.request("list_packs", Request(method="GET", resource="/packs")).status == 401
