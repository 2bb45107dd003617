"""Comparing tokens with trusted publishers, claim by claim: what is let in, what is refused, and what is told of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.publishers import AWS, GITHUB, GITLAB, ROLE_ARN, SHA

from packyard.tenants.ci_run import MAX_PRINCIPAL, facts_of, principal_of
from packyard.tenants.publisher import ISSUER_URLS, IssuerKind, Publisher
from packyard.tenants.publisher_claims import parse_claims
from packyard.tenants.publisher_match import Comparison, compare

IDS = {"repository_id": 123456, "repository_owner_id": 98765, "workflow": "release.yml"}
PROJECT = {"project_id": 20, "namespace_id": "72"}
ROLE = {"account": "123456789012", "role_arn": ROLE_ARN}
OTHER_ISSUER = "https://ci.example"


def publisher(kind: IssuerKind, claims: Mapping[str, Any], events: set[str] | None = None) -> Publisher:
    return Publisher(
        id="pub_01JQ2V7N3T5W8XABCDEFGHJKMN",
        org_id="org_01hzacme0000000000000000aa",
        pack_name="slack",
        kind=kind,
        issuer=ISSUER_URLS.get(kind, OTHER_ISSUER),
        claims=parse_claims(kind, claims),
        events=frozenset(events or ()),
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        created_by="user:ada",
    )


def github(
    changes: Mapping[str, Any] = {}, claims: Mapping[str, Any] = IDS, *, events: set[str] | None = None
) -> Comparison:
    """Compare a token of GitHub, with changes, to a publisher."""
    known = publisher(IssuerKind.GITHUB, claims, events)
    return compare(known, known.issuer, {**GITHUB, **changes})


def gitlab(
    changes: Mapping[str, Any] = {}, claims: Mapping[str, Any] = PROJECT, *, events: set[str] | None = None
) -> Comparison:
    known = publisher(IssuerKind.GITLAB, claims, events)
    return compare(known, known.issuer, {**GITLAB, **changes})


def told(comparison: Comparison) -> dict[str, str]:
    return {mismatch.claim: mismatch.hint for mismatch in comparison.mismatches}


@pytest.mark.parametrize(
    ("changes", "claims"),
    [
        pytest.param({}, IDS, id="as configured"),
        pytest.param({}, {"repository": "Acme/Slack-Pack", "workflow": "release.yml"}, id="a name in another case"),
        pytest.param({}, {**IDS, "workflow": ".github/workflows/release.yml"}, id="the workflow by its path"),
        pytest.param({"environment": "PyPI"}, {**IDS, "environment": "pypi"}, id="an environment in another case"),
        pytest.param({}, {**IDS, "ref": "refs/tags/v*"}, id="a tag by its start"),
        pytest.param({}, {**IDS, "ref_protected": True}, id="a protected ref"),
        pytest.param({"ref_protected": True}, {**IDS, "ref_protected": True}, id="a boolean that is one"),
        pytest.param({"repository_id": 123456}, IDS, id="an id that is a number"),
        pytest.param(
            {"job_workflow_ref": "acme/shared/.github/workflows/publish.yml@refs/heads/main"}, IDS,
            id="a reusable workflow that the configured one calls: pypi/warehouse#11096",
        ),
        # GitHub changelog of 2026: the sub of new repositories has ids, and templates can change it altogether.
        pytest.param({"sub": "anything:at-all"}, IDS, id="a customised sub: pypi/warehouse#19405"),
    ],
)  # fmt: skip
def test_a_token_of_the_publisher_is_let_in(changes: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    assert github(changes, claims).mismatches == ()


@pytest.mark.parametrize(
    ("changes", "claims", "hints"),
    [
        pytest.param({"repository_id": "7"}, IDS, {"repository_id": ""}, id="another repository"),
        pytest.param({"repository_owner_id": "7"}, IDS, {"repository_owner_id": ""}, id="another owner"),
        pytest.param({"repository_id": None}, IDS, {"repository_id": ""}, id="no id"),
        pytest.param({"repository_id": ["123456"]}, IDS,
            {"repository_id": "a list or an object is never equal to a text"}, id="a list of ids"),
        pytest.param({}, {**IDS, "workflow": "release.yaml"},
            {"workflow": "the two differ in .yml and .yaml only"}, id=".yaml for .yml: npm/cli#8730"),
        pytest.param({}, {**IDS, "workflow": "Release.yml"}, {"workflow": ""}, id="a workflow in another case"),
        pytest.param(
            {"job_workflow_ref": "acme/slack-pack/.github/workflows/publish.yml@refs/heads/main"},
            {**IDS, "workflow": "publish.yml"},
            {"workflow": "that is the reusable workflow; state the file of the workflow that calls it"},
            id="the reusable workflow is configured",
        ),
        pytest.param({"workflow_ref": None}, IDS, {"workflow": ""}, id="no workflow"),
        pytest.param({"workflow_ref": "release.yml"}, IDS, {"workflow": ""}, id="a workflow without a place"),
        pytest.param(
            {"workflow_ref": "acme/policies/.github/workflows/release.yml@refs/heads/main"}, IDS,
            {"workflow_ref": ""}, id="a workflow of another repository, by an organisation's rules",
        ),
        pytest.param(
            {
                "workflow_ref": "acme/slack-pack/.github/workflows/x.yml@refs/heads/a/.github/workflows/release.yml@y",
                "job_workflow_ref": "acme/slack-pack/.github/workflows/x.yml@refs/heads/main",
            },
            IDS, {"workflow": ""}, id="a branch whose name ends as the right workflow",
        ),
        pytest.param({}, {**IDS, "environment": "pypi"}, {"environment": ""}, id="no environment"),
        pytest.param({}, {**IDS, "ref": "refs/heads/main"}, {"ref": ""}, id="a tag for a branch"),
        pytest.param({}, {**IDS, "ref": "refs/tags/v1*.0.0.0"}, {"ref": ""}, id="a start and an end that overlap"),
        pytest.param({"ref_protected": "false"}, {**IDS, "ref_protected": True}, {"ref_protected": ""},
            id="not protected"),
        pytest.param({"ref_protected": "True"}, {**IDS, "ref_protected": True},
            {"ref_protected": "the two differ in case only"}, id="a boolean that nobody writes"),
    ],
)  # fmt: skip
def test_a_claim_that_differs_is_named(
    changes: Mapping[str, Any], claims: Mapping[str, Any], hints: Mapping[str, str]
) -> None:
    assert told(github(changes, claims)) == hints


@pytest.mark.parametrize("event", ["push", "release", "schedule", "workflow_dispatch", "repository_dispatch"])
def test_usual_events_of_github_may_publish(event: str) -> None:
    assert github({"event_name": event}).mismatches == ()


@pytest.mark.parametrize(
    "event",
    [
        "pull_request", "pull_request_target", "pull_request_review", "workflow_run", "issue_comment", "issues",
        "discussion", "fork", "watch", "merge_group", "PUSH", "", None, ["push"],
    ],
)  # fmt: skip
def test_no_other_event_of_github_may(event: Any) -> None:
    assert list(told(github({"event_name": event}))) == ["event_name"]


def test_events_that_are_listed_are_the_only_ones() -> None:
    assert github({"event_name": "pull_request"}, events={"pull_request"}).mismatches == ()
    assert list(told(github({"event_name": "push"}, events={"pull_request"}))) == ["event_name"]


@pytest.mark.parametrize("event", ["push", "web", "schedule", "api", "trigger"])
def test_usual_pipelines_of_gitlab_may_publish(event: str) -> None:
    assert gitlab({"pipeline_source": event}).mismatches == ()


@pytest.mark.parametrize(
    "event",
    ["merge_request_event", "external_pull_request_event", "parent_pipeline", "pipeline", "chat", None],
)
def test_no_other_pipeline_of_gitlab_may(event: Any) -> None:
    assert list(told(gitlab({"pipeline_source": event}))) == ["pipeline_source"]


@pytest.mark.parametrize(
    ("changes", "claims", "wrong"),
    [
        pytest.param({}, PROJECT, [], id="as configured"),
        pytest.param({}, {"project_path": "ACME/packs/Slack"}, [], id="a path in another case"),
        pytest.param({}, {**PROJECT, "ref": "refs/tags/v*"}, [], id="a tag"),
        pytest.param({"ref": "main", "ref_path": "refs/tags/main"}, {**PROJECT, "ref": "refs/heads/main"}, ["ref"],
            id="a tag that is named as the branch"),
        pytest.param({"ref_protected": "false"}, {**PROJECT, "ref_protected": "true"}, ["ref_protected"],
            id="a text for a boolean"),
        pytest.param({"environment": "production"}, {**PROJECT, "environment": "Production"}, ["environment"],
            id="another environment of GitLab, whose names differ in case"),
        pytest.param({"project_id": "21", "namespace_id": "99"}, PROJECT, ["project_id", "namespace_id"],
            id="the fork of a merge request: its project_* claims name the fork"),
    ],
)  # fmt: skip
def test_claims_of_gitlab_are_compared(
    changes: Mapping[str, Any], claims: Mapping[str, Any], wrong: list[str]
) -> None:
    assert list(told(gitlab(changes, claims))) == wrong


@pytest.mark.parametrize(
    ("inner", "sub", "wrong"),
    [
        pytest.param({}, ROLE_ARN, [], id="as configured"),
        pytest.param({}, "arn:aws:iam::123456789012:user/ada", [], id="on behalf of a person (SubjectMode)"),
        pytest.param({"principal_id": f"{ROLE_ARN}2"}, ROLE_ARN, ["role_arn"], id="another role, on behalf of ours"),
        pytest.param({"principal_id": None}, ROLE_ARN, ["role_arn"], id="no principal"),
        pytest.param({"aws_account": "210987654321"}, ROLE_ARN, ["account"], id="another account"),
        pytest.param({"request_tags": {"aws_account": "123456789012"}, "aws_account": "1"}, ROLE_ARN, ["account"],
            id="the account in a caller's own words"),
    ],
)  # fmt: skip
def test_claims_of_aws_are_compared(inner: Mapping[str, Any], sub: str, wrong: list[str]) -> None:
    known = publisher(IssuerKind.AWS, ROLE)
    claims = {"sub": sub, "https://sts.amazonaws.com/": {**AWS["https://sts.amazonaws.com/"], **inner}}

    assert list(told(compare(known, known.issuer, claims))) == wrong


def test_a_name_among_exact_claims_is_always_compared() -> None:
    known = publisher(IssuerKind.OTHER, {"repository": "acme/slack-pack", "project_path": "x"})

    found = compare(known, known.issuer, {"repository": "Acme/slack-pack", "project_path": "x"})

    assert told(found) == {"repository": "the two differ in case only"}


@pytest.mark.parametrize("claim", ["event_name", "pipeline_source"])
def test_another_issuer_that_names_events_is_held_to_them(claim: str) -> None:
    # Forgejo writes the claims of GitHub (codeberg.org/forgejo/forgejo, services/actions/oidc.go).
    known = publisher(IssuerKind.OTHER, {"sub": "s"})

    assert compare(known, known.issuer, {"sub": "s", claim: "push"}).mismatches == ()
    assert list(told(compare(known, known.issuer, {"sub": "s", claim: "pull_request_target"}))) == [claim]


def test_ids_that_are_not_known_come_with_the_first_token_and_have_to() -> None:
    names = {"repository": "acme/slack-pack", "workflow": "release.yml"}

    assert github({}, names).pins == {"repository_id": "123456", "repository_owner_id": "98765"}
    assert github({}, {**names, "repository_id": 123456}).pins == {"repository_owner_id": "98765"}
    assert github().pins == {}
    assert list(told(github({"repository_owner_id": None}, names))) == ["repository_owner_id"]


def test_only_an_owner_whose_id_is_known_may_learn_what_is_configured() -> None:
    names = {"repository": "acme/slack-pack", "workflow": "build.yml"}

    assert github({}, {**IDS, "workflow": "build.yml"}).owner_known
    assert not github({"repository_owner_id": "666"}).owner_known
    assert not github({}, names).owner_known


@pytest.mark.parametrize(
    ("kind", "claims", "principal"),
    [
        (IssuerKind.GITHUB, GITHUB, f"ci:github:acme/slack-pack@{SHA[:12]}/runs/4711"),
        (IssuerKind.GITLAB, GITLAB, f"ci:gitlab:acme/packs/slack@{SHA[:12]}/pipelines/574"),
        (IssuerKind.AWS, AWS, "ci:aws:123456789012:publish"),
        (IssuerKind.OTHER, {"sub": 'a "b" \\ ü\n'}, "ci:oidc:ci.example/a__b_____?"),
        (IssuerKind.OTHER, {"sub": "x" * 400}, f"ci:oidc:ci.example/{'x' * 199}_"),
        (IssuerKind.OTHER, {"sub": "\ud800"}, "ci:oidc:ci.example/?"),
        (IssuerKind.GITHUB, {**GITHUB, "repository": "a" * 400}, None),
    ],
)
def test_the_history_names_repository_commit_and_run(
    kind: IssuerKind, claims: Mapping[str, Any], principal: str | None
) -> None:
    configured: dict[IssuerKind, Mapping[str, Any]] = {
        IssuerKind.GITHUB: IDS,
        IssuerKind.GITLAB: PROJECT,
        IssuerKind.AWS: ROLE,
        IssuerKind.OTHER: {"sub": "s"},
    }
    known = publisher(kind, configured[kind])

    found = principal_of(facts_of(known, known.issuer, claims))

    assert len(found) <= MAX_PRINCIPAL
    assert found == (principal or found)


@pytest.mark.parametrize(
    ("kind", "issuer", "url"),
    [
        (IssuerKind.GITHUB, "https://token.actions.githubusercontent.com", "https://github.com/acme/slack-pack/actions/runs/4711"),
        (IssuerKind.GITHUB, "https://token.actions.githubusercontent.com/acme", "https://github.com/acme/slack-pack/actions/runs/4711"),
        (IssuerKind.GITHUB, "https://ghe.example/_services/token", "https://ghe.example/acme/slack-pack/actions/runs/4711"),
        (IssuerKind.GITLAB, "https://gitlab.com", "https://gitlab.com/acme/packs/slack/-/pipelines/574"),
    ],
)  # fmt: skip
def test_a_run_has_the_address_where_people_see_it(kind: IssuerKind, issuer: str, url: str) -> None:
    known = publisher(kind, IDS if kind is IssuerKind.GITHUB else PROJECT)

    assert facts_of(known, issuer, GITHUB if kind is IssuerKind.GITHUB else GITLAB)["run_url"] == url


def test_facts_are_short_texts_on_one_line() -> None:
    known = publisher(IssuerKind.GITHUB, IDS)
    facts = facts_of(
        known, known.issuer, {**GITHUB, "ref": "x\n" * 400, "sha": ["a"], "actor": None, "run_id": 5}
    )

    assert all(len(value) <= 200 and value.isprintable() for value in facts.values())
    assert ("commit" in facts, "actor" in facts, facts["run_id"]) == (False, False, "5")
