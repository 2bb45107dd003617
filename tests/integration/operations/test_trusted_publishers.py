"""Adding, listing and removing trusted publishers, through the real handlers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.gateway import Answer
from tests.publishers import add
from tests.service import ACME, GLOBEX, Service

from packyard.packs.event import SHOWN_AFTER
from packyard.tenants.caller import Caller
from packyard.tenants.publisher import MAX_PUBLISHERS

ISSUER = "https://ghe.example/_services/token"
WORKFLOW = {"repository_id": 1, "workflow": "r.yml"}
NARROWED = replace(ACME, pack_name="slack", scopes=frozenset({"caps:write", "keys:write"}))


def listed(service: Service, caller: Caller = ACME, /, **query: str) -> Any:
    return service.send("trusted_publishers", "GET", "/trusted-publishers", caller=caller, query=query).body


def remove(service: Service, publisher: str, caller: Caller = ACME) -> Answer:
    return service.send("trusted_publishers", "DELETE", f"/trusted-publishers/{publisher}", caller=caller)


def events(service: Service) -> list[tuple[str, Any]]:
    service.clock.advance(SHOWN_AFTER)
    found = service.send("list_events", "GET", "/events").body["events"]
    return [(event["type"], event["data"]) for event in found]


def test_a_publisher_is_shown_as_it_was_stated(service: Service) -> None:
    answer = add(service, ISSUER, events=["release"])

    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "pack_name": "slack",
        "issuer": "github",
        "issuer_url": ISSUER,
        "claims": {"repository": "acme/slack-pack", "workflow": "release.yml"},
        "events": ["release"],
        "created_at": "2026-03-01T12:00:00.000Z",
        "created_by": "key:acme",
    }
    assert listed(service) == {"publishers": [answer.body]}


def test_everybodys_issuer_is_known_by_its_name(service: Service) -> None:
    assert "issuer_url" not in add(service, "", issuer_url=None).body
    assert (
        "issuer_url" not in add(service, "", issuer="gitlab", issuer_url=None, claims={"project_id": 7}).body
    )


def test_adding_and_removing_are_events(service: Service) -> None:
    publisher = add(service, ISSUER).body["id"]
    assert remove(service, publisher).body == {"status": "deleted"}

    data = {
        "publisher_id": publisher,
        "pack_name": "slack",
        "issuer": "github",
        "issuer_url": ISSUER,
        "claims": {"repository": "acme/slack-pack", "workflow": "release.yml"},
    }
    assert events(service) == [("publisher.removed", data), ("publisher.added", data)]
    assert listed(service) == {"publishers": []}


def test_a_list_goes_on_where_a_page_ended(service: Service) -> None:
    for name in ("slack", "jira", "slack-2"):
        add(service, ISSUER, pack_name=name)

    first = listed(service, limit="2")
    second = listed(service, limit="2", cursor=first["next_cursor"])

    names = [publisher["pack_name"] for page in (first, second) for publisher in page["publishers"]]
    assert names == ["jira", "slack", "slack-2"]
    assert "next_cursor" not in second


def test_a_repeat_with_one_idempotency_key_adds_one(service: Service) -> None:
    body = {"pack_name": "slack", "issuer": "gitlab", "claims": {"project_id": 7}}
    headers = {"Idempotency-Key": "k1"}

    answers = [
        service.send("trusted_publishers", "POST", "/trusted-publishers", json=body, headers=headers)
        for _ in range(2)
    ]

    assert [answer.status for answer in answers] == [201, 201]
    assert len(listed(service)["publishers"]) == 1


def test_there_are_a_hundred_at_most_and_a_removed_one_makes_room(service: Service) -> None:
    publishers = [
        add(service, ISSUER, pack_name=f"pack-{number}").body["id"] for number in range(MAX_PUBLISHERS)
    ]

    refused = add(service, ISSUER)
    assert (refused.status, refused.error["code"], refused.error["details"]) == (
        409,
        "quota_exceeded",
        {"limit": MAX_PUBLISHERS},
    )

    remove(service, publishers[0])
    assert add(service, ISSUER).status == 201


@pytest.mark.parametrize("publisher", ["pub_01JQ2V7N3T5W8XABCDEFGHJKMN", "pub_", "x", "slack"])
def test_what_is_not_there_is_404(service: Service, publisher: str) -> None:
    answer = remove(service, publisher)

    assert (answer.status, answer.error["code"]) == (404, "publisher_not_found")


def test_another_organisations_publisher_is_not_there(service: Service) -> None:
    publisher = add(service, ISSUER, GLOBEX).body["id"]

    assert remove(service, publisher).status == 404
    assert listed(service) == {"publishers": []}
    assert len(listed(service, GLOBEX)["publishers"]) == 1


def test_a_key_for_one_pack_sees_and_changes_those_of_that_pack(service: Service) -> None:
    other = add(service, ISSUER, pack_name="jira").body["id"]

    assert add(service, ISSUER, NARROWED, pack_name="jira").status == 403
    assert remove(service, other, NARROWED).status == 404
    own = add(service, ISSUER, NARROWED)
    assert own.status == 201
    assert listed(service, NARROWED) == {"publishers": [own.body]}


@pytest.mark.parametrize("scopes", [{"keys:write"}, {"caps:write"}, set()])
def test_a_publisher_allows_no_more_than_the_one_who_adds_it(service: Service, scopes: set[str]) -> None:
    assert add(service, ISSUER, replace(ACME, scopes=frozenset(scopes))).status == 403


def test_a_persons_session_ends_and_what_the_person_has_added_does_not(service: Service) -> None:
    end = service.clock()

    by_a_person = add(service, ISSUER, replace(ACME, principal="user:ada", ends_at=end))
    by_a_key = add(service, ISSUER, replace(ACME, principal="key:ci", ends_at=end))

    assert "expires_at" not in by_a_person.body
    assert by_a_key.body["expires_at"] == "2026-03-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"issuer": "GitHub", "issuer_url": None}, {"issuer": "did you mean github?"}),
        ({"issuer": 5, "issuer_url": None}, {"issuer": "must be"}),
        ({"issuer": "https://ci.example", "issuer_url": ISSUER}, {"issuer_url": "issuer has the URL already"}),
        ({"issuer": "http://ci.example", "issuer_url": None, "claims": {"a": "b"}}, {"issuer": "https"}),
        ({"issuer": "https://u@ci.example", "issuer_url": None, "claims": {"a": "b"}}, {"issuer": "user name"}),
        ({"issuer_url": "https://ci.example/"}, {"issuer_url": "slash"}),
        ({"issuer_url": "https://ci.example?x=1"}, {"issuer_url": "query"}),
        ({"issuer_url": ""}, {"issuer_url": "exactly as it is in the claim iss"}),
        ({"issuer_url": "gitlab"}, {"issuer_url": "https"}),
        ({"issuer": "https://gitlab.com", "issuer_url": None}, {"issuer": 'write "gitlab"'}),
        ({"issuer": "https://TOKEN.actions.githubusercontent.com/acme", "issuer_url": None}, {"issuer": "github"}),
        ({"issuer": "https://x1.tokens.sts.global.api.aws", "issuer_url": None}, {"issuer": 'write "aws"'}),
        ({"issuer": "aws", "issuer_url": "https://evil.example"}, {"issuer_url": "aws iam"}),
        ({"claims": []}, {"claims": "must be an object"}),
        ({"claims": {"repository": "acme/slack"}}, {"claims.workflow": "required"}),
        ({"claims": {"workflow": "release.yml"}}, {"claims": "repository_id"}),
        ({"claims": {"repository_id": 1, "workflow": "release"}}, {"claims.workflow": "ending"}),
        ({"claims": {"repository_id": "x", "workflow": "r.yml"}}, {"claims.repository_id": "whole number"}),
        ({"claims": {"repository_id": True, "workflow": "r.yml"}}, {"claims.repository_id": "whole number"}),
        ({"claims": {"repository": "slack", "workflow": "r.yml"}}, {"claims.repository": "OWNER/REPOSITORY"}),
        ({"claims": {"repository_id": 1, "workflow": "r.yml", "ref": "main"}}, {"claims.ref": "refs/heads/main"}),
        ({"claims": {"repository_id": 1, "workflow": "r.yml", "branch": "x"}}, {"claims.branch": "not a claim"}),
        ({"claims": {**WORKFLOW, "enviroment": "x"}}, {"claims.enviroment": "write environment"}),
        ({"claims": {**WORKFLOW, "ref_protected": False}}, {"claims.ref_protected": "true"}),
        ({"events": ["pull request"]}, {"events": "no name of an event"}),
        ({"events": ["push", "push"]}, {"events": "twice"}),
        ({"events": "push"}, {"events": "list"}),
        ({"pack_name": "Slack"}, {"pack_name": "slack"}),
        ({"workflow": "release.yml"}, {"workflow": "not a field"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_helps(
    service: Service, fields: Mapping[str, Any], named: Mapping[str, str]
) -> None:
    answer = add(service, ISSUER, **fields)

    assert answer.status == 400, answer.body
    for field, text in named.items():
        assert text in answer.fields[field], answer.fields
    assert listed(service) == {"publishers": []}


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"account": "123456789012"}, "claims.role_arn"),
        ({"account": 123456789012, "role_arn": "arn:aws:iam::123456789012:role/r"}, "claims.account"),
        ({"account": "123456789012", "role_arn": "arn:aws:iam::210987654321:role/r"}, "claims.role_arn"),
        ({"account": "123456789012", "role_arn": "arn:aws:sts::123456789012:assumed-role/r/s"}, "claims.role_arn"),
    ],
)  # fmt: skip
def test_a_role_of_aws_is_one_of_the_account(service: Service, claims: Mapping[str, Any], named: str) -> None:
    answer = add(service, "", issuer="aws", issuer_url=None, claims=claims)

    assert (answer.status, list(answer.fields)) == (400, [named])


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"iss": "https://ci.example"},
        {"aud": "x"},
        {"groups": ["a"]},
        {"sub": ""},
        {"sub": "x" * 513},
        {"a b": "c"},
        {f"claim{number}": "x" for number in range(17)},
    ],
)
def test_another_issuer_needs_a_claim_that_tells_its_users_apart(
    service: Service, claims: Mapping[str, Any]
) -> None:
    answer = add(service, "", issuer="https://ci.example", issuer_url=None, claims=claims)

    assert answer.status == 400
    assert all(name.startswith("claims") for name in answer.fields)
