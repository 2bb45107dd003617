"""`packyard publishers`, and `packyard push` in CI systems without a stored secret."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.command import URL, Command, pack_folder, received
from tests.issuer import Issuer, public
from tests.publishers import GITHUB, GITLAB, KEY, add, put_acme, token
from tests.service import Service

RUNNER = "https://runner.example/token?api-version=2.0"
ON_GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": RUNNER, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner's own"}
AUDIENCE = f"{URL}#acme"


@pytest.fixture
def issuer(service: Service) -> Iterator[Issuer]:
    """The issuer of a CI system, and a service that clients know by the command's URL."""
    service.new_process(settings=replace(service.services.settings, public_url=URL))
    put_acme(service)
    with Issuer(keys=[public(KEY)]) as running:
        yield running


@pytest.fixture
def in_ci(packyard: Command, issuer: Issuer, service: Service) -> Callable[..., Command]:
    """Return what puts the command into a job whose runner gives tokens for the audience that it is asked for."""

    def put(environment: Mapping[str, str], **claims: Any) -> Command:
        packyard.environment.pop("PACKYARD_TOKEN", None)
        packyard.environment |= environment

        def runner(_: int) -> Any:
            asked = parse_qs(urlsplit(packyard.gateway.sent[-1][1]).query)["audience"][0]
            return received(
                200, {"value": token(issuer.url, GITHUB, at=service.clock(), aud=asked, **claims)}
            )

        packyard.gateway.instead("GET", r"^https://runner\.example/", runner)
        return packyard

    return put


def test_a_publisher_is_added_listed_and_removed(packyard: Command) -> None:
    added = packyard(
        *("publishers", "add", "slack", "--github", "acme/slack-pack", "--workflow", "release.yml"),
        *("--environment", "release", "--ref", "refs/tags/v*", "--protected", "--event", "release", "--json"),
    )
    shown = packyard("publishers", "list")
    removed = packyard("publishers", "remove", added.document["id"], "--yes")

    assert added.exit_code == shown.exit_code == removed.exit_code == 0, (added.err, shown.err, removed.err)
    assert added.document["claims"] == {
        "repository": "acme/slack-pack",
        "workflow": "release.yml",
        "environment": "release",
        "ref": "refs/tags/v*",
        "ref_protected": "true",
    }
    assert added.document["events"] == ["release"]
    assert shown.out.splitlines()[1].split()[:2] == ["slack", "github"]
    assert packyard("publishers", "list").out == "No trusted publishers.\n"


@pytest.mark.parametrize(
    ("options", "issuer", "claims"),
    [
        (("--github", "123456", "--workflow", "r.yml"), "github", {"repository_id": "123456", "workflow": "r.yml"}),
        (("--gitlab", "acme/packs/slack"), "gitlab", {"project_path": "acme/packs/slack"}),
        (("--gitlab", "20", "--claim", "namespace_id=72"), "gitlab", {"project_id": "20", "namespace_id": "72"}),
        (
            ("--aws", "arn:aws:iam::123456789012:role/publish"), "aws",
            {"account": "123456789012", "role_arn": "arn:aws:iam::123456789012:role/publish"},
        ),
        (("--issuer", "https://ci.example", "--claim", "sub=a=b"), "https://ci.example", {"sub": "a=b"}),
    ],
)  # fmt: skip
def test_options_say_whose_ci_it_is(
    packyard: Command, options: Sequence[str], issuer: str, claims: Mapping[str, str]
) -> None:
    added = packyard("publishers", "add", "slack", *options, "--json")

    assert added.exit_code == 0, added.err
    assert (added.document["issuer"], added.document["claims"]) == (issuer, claims)


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [((), 2), (("--issuer", "https://ci.example", "--claim", "sub"), 2), (("--aws", "role"), 3)],
)
def test_what_says_nothing_of_a_ci_is_refused(
    packyard: Command, options: Sequence[str], exit_code: int
) -> None:
    assert packyard("publishers", "add", "slack", *options).exit_code == exit_code


def test_a_push_in_github_actions_needs_no_secret(
    in_ci: Callable[..., Command], service: Service, issuer: Issuer, tmp_path: Path
) -> None:
    add(service, issuer.url)
    packyard = in_ci(ON_GITHUB)

    pushed = packyard("push", pack_folder(tmp_path / "pack"))
    again = packyard("push", pack_folder(tmp_path / "pack", version="1.4.1"))

    assert (pushed.exit_code, again.exit_code) == (0, 0), pushed.err + again.err
    assert "@sha256:" in pushed.out
    assert "Signed in by the token of this job (GitHub Actions), for the pack slack alone." in pushed.err
    method, url = packyard.gateway.sent[0]
    assert (method, parse_qs(urlsplit(url).query)) == (
        "GET",
        {"api-version": ["2.0"], "audience": [AUDIENCE]},
    )
    assert packyard.gateway.headers[0]["Authorization"] == "bearer runner's own"


def test_the_runners_token_goes_to_the_runner_only(
    in_ci: Callable[..., Command], service: Service, issuer: Issuer, tmp_path: Path
) -> None:
    add(service, issuer.url)
    packyard = in_ci(ON_GITHUB)

    packyard("push", pack_folder(tmp_path / "pack"))

    said = [headers.get("Authorization", "") for headers in packyard.gateway.headers[1:]]
    assert not any("runner" in text for text in said)


def test_a_push_in_gitlab_uses_the_token_in_the_variable(
    in_ci: Callable[..., Command], service: Service, issuer: Issuer, tmp_path: Path
) -> None:
    add(service, issuer.url, issuer="gitlab", claims={"project_path": "acme/packs/slack"})
    text = token(issuer.url, GITLAB, at=service.clock(), aud=AUDIENCE)

    pushed = in_ci({"PACKYARD_ID_TOKEN": text})("push", pack_folder(tmp_path / "pack"))

    assert pushed.exit_code == 0, pushed.err


def test_a_push_in_codebuild_lets_aws_ask_for_the_token(
    in_ci: Callable[..., Command], service: Service, issuer: Issuer, tmp_path: Path
) -> None:
    add(service, issuer.url, issuer=issuer.url, issuer_url=None, claims={"sub": "arn:aws:iam::1:role/r"})
    commands: list[Sequence[str]] = []

    def run_program(command: Sequence[str]) -> tuple[int, str, str]:
        commands.append(command)
        claims = {"sub": "arn:aws:iam::1:role/r"}
        return 0, token(issuer.url, claims, at=service.clock(), aud=AUDIENCE) + "\n", ""

    packyard = in_ci({"CODEBUILD_BUILD_ID": "slack:1"})
    packyard.run_program = run_program
    pushed = packyard("push", pack_folder(tmp_path / "pack"))

    assert pushed.exit_code == 0, pushed.err
    [command] = commands
    assert list(command[:5]) == ["aws", "sts", "get-web-identity-token", "--audience", AUDIENCE]


def test_a_build_whose_role_may_not_ask_is_told_so(in_ci: Callable[..., Command], tmp_path: Path) -> None:
    packyard = in_ci({"CODEBUILD_BUILD_ID": "slack:1"})
    packyard.run_program = lambda _: (254, "", "\nAn error occurred (AccessDenied) when calling ...\n")

    pushed = packyard("push", pack_folder(tmp_path / "pack"))

    assert pushed.exit_code == 4
    assert "AccessDenied" in pushed.err
    assert "sts:GetWebIdentityToken" in pushed.err


def test_a_credential_that_is_given_is_used_instead(in_ci: Callable[..., Command], tmp_path: Path) -> None:
    packyard = in_ci({**ON_GITHUB, "PACKYARD_TOKEN": "sk_acme"})

    assert packyard("push", pack_folder(tmp_path / "pack")).exit_code == 0
    assert not any("runner" in url or "oidc" in url for _, url in packyard.gateway.sent)


def test_only_a_push_signs_in_by_itself(in_ci: Callable[..., Command]) -> None:
    packyard = in_ci(ON_GITHUB)

    assert packyard("list").exit_code == 4
    assert packyard.gateway.sent == []


def test_what_the_service_refuses_is_told_in_its_words(
    in_ci: Callable[..., Command], service: Service, issuer: Issuer, tmp_path: Path
) -> None:
    claims = {"repository_id": 123456, "repository_owner_id": 98765, "workflow": "release.yaml"}
    add(service, issuer.url, claims=claims)

    pushed = in_ci(ON_GITHUB)("push", pack_folder(tmp_path / "pack"))

    assert pushed.exit_code == 4
    assert "workflow is release.yml, and release.yaml is configured" in pushed.err
    assert "packyard publishers add" in pushed.err


def test_an_answer_that_was_lost_costs_another_token(
    in_ci: Callable[..., Command], service: Service, issuer: Issuer, tmp_path: Path
) -> None:
    add(service, issuer.url)
    packyard = in_ci(ON_GITHUB)
    used = {
        "code": "unauthenticated",
        "message": "used",
        "request_id": "r",
        "details": {"claims": {"jti": {}}},
    }
    packyard.gateway.instead(
        "POST", "/oidc/exchange", lambda number: received(401, {"error": used}) if number == 0 else None
    )

    assert packyard("push", pack_folder(tmp_path / "pack")).exit_code == 0
    assert sum("runner" in url for _, url in packyard.gateway.sent) == 2


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, ["PACKYARD_ID_TOKEN is not set", "ACTIONS_ID_TOKEN_REQUEST_URL is not set", "no build of AWS CodeBuild"]),
        ({"GITHUB_ACTIONS": "true"}, ["give the job the permission id-token: write"]),
        ({"GITLAB_CI": "true"}, [f'id_tokens: {{PACKYARD_ID_TOKEN: {{aud: "{AUDIENCE}"}}}}']),
        ({"PACKYARD_URL": "https://a1.execute-api.eu-central-1.amazonaws.com/v1"}, ["PACKYARD_ORG is not set"]),
        ({"PACKYARD_URL": "http://127.0.0.1:4566/v1", **ON_GITHUB}, ["PACKYARD_ORG is not set"]),
    ],
)  # fmt: skip
def test_without_any_login_it_says_what_was_tried(
    in_ci: Callable[..., Command], tmp_path: Path, environment: Mapping[str, str], told: Sequence[str]
) -> None:
    pushed = in_ci(environment)("push", pack_folder(tmp_path / "pack"))

    assert pushed.exit_code == 4
    assert all(text in pushed.err for text in told), pushed.err


@pytest.mark.parametrize(
    ("environment", "answer"),
    [
        ({**ON_GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": "http://runner.example/token"}, None),
        (ON_GITHUB, received(403, b"no")),
        (ON_GITHUB, received(200, b"no")),
        (ON_GITHUB, received(200, {"value": 5})),
    ],
)
def test_a_runner_that_gives_no_token_is_told(
    packyard: Command, tmp_path: Path, environment: Mapping[str, str], answer: Any
) -> None:
    del packyard.environment["PACKYARD_TOKEN"]
    packyard.environment |= environment
    packyard.gateway.instead("GET", r"^https?://runner\.example/", lambda _: answer)

    assert packyard("push", pack_folder(tmp_path / "pack")).exit_code == 4
    assert packyard.gateway.paths("POST") == []
