"""What a verified token says of the run of CI that has it: for the history, for events and for provenance."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from packyard.tenants.ci_token import shown
from packyard.tenants.publisher import ISSUER_URLS, IssuerKind, Publisher

# The claims under AWS's own name (IAM user guide, "Understanding token claims").
AWS_NAMESPACE: Final = "https://sts.amazonaws.com/"
MAX_PRINCIPAL: Final = 255
_SHOWN_COMMIT: Final = 12
# By the name of a fact, the claim that has it.
_FACTS: Final[Mapping[IssuerKind, Mapping[str, str]]] = {
    IssuerKind.GITHUB: {
        "repository": "repository",
        "repository_id": "repository_id",
        "owner_id": "repository_owner_id",
        "workflow": "workflow_ref",
        "called_workflow": "job_workflow_ref",
        "ref": "ref",
        "commit": "sha",
        "run_id": "run_id",
        "run_attempt": "run_attempt",
        "event": "event_name",
        "environment": "environment",
        "actor": "actor",
    },
    IssuerKind.GITLAB: {
        "repository": "project_path",
        "repository_id": "project_id",
        "owner_id": "namespace_id",
        "workflow": "ci_config_ref_uri",
        "ref": "ref_path",
        "commit": "sha",
        "run_id": "pipeline_id",
        "job_id": "job_id",
        "event": "pipeline_source",
        "environment": "environment",
        "actor": "user_login",
    },
    IssuerKind.AWS: {},
    IssuerKind.OTHER: {"subject": "sub"},
}


def facts_of(publisher: Publisher, issuer: str, claims: Mapping[str, Any]) -> dict[str, str]:
    """Return what a token says of its run. All of it is text of at most 200 printable characters.

    Args:
        publisher: The publisher whose claims it has.
        issuer: The claim `iss`.
        claims: The verified claims.

    Returns:
        `publisher_id`, `kind` and `issuer`, and of the rest what the issuer says: `repository`, `repository_id`,
        `owner_id`, `workflow`, `called_workflow`, `ref`, `commit`, `run_id`, `run_attempt`, `job_id`, `run_url`,
        `event`, `environment`, `actor`, `account`, `role_arn`, `subject`.
    """
    facts: dict[str, Any] = {"publisher_id": publisher.id, "kind": publisher.kind.value, "issuer": issuer}
    facts |= {fact: claims.get(claim) for fact, claim in _FACTS[publisher.kind].items()}
    if publisher.kind is IssuerKind.AWS:
        facts |= {"account": publisher.claims["account"], "role_arn": publisher.claims["role_arn"]}
    facts["run_url"] = _run_url(publisher.kind, issuer, facts)
    return {
        name: shown(value) for name, value in facts.items() if isinstance(value, str | int) and value != ""
    }


def principal_of(facts: Mapping[str, str]) -> str:
    """Return who acts, for the history: `ci:`, the issuer, repository, commit and run, at most 255 characters.

    `ci:github:acme/slack@1f0c9a7b2d3e/runs/1234`, `ci:gitlab:acme/packs/slack@1f0c9a7b2d3e/pipelines/1234`,
    `ci:aws:123456789012:role/publish`, `ci:oidc:issuer.example/SUBJECT`. An installation of GitHub or GitLab of one's
    own has its host before the repository.
    """
    kind = IssuerKind(facts["kind"])
    host = urlsplit(facts["issuer"]).netloc
    own_host = "" if facts["issuer"] == ISSUER_URLS.get(kind) else f"{host}/"
    at = f"@{facts['commit'][:_SHOWN_COMMIT]}" if "commit" in facts else ""
    match kind:
        case IssuerKind.AWS:
            # arn:aws:iam::123456789012:role/publish
            text = f"ci:aws:{facts['account']}:{facts['role_arn'].partition(':role/')[2]}"
        case IssuerKind.OTHER:
            text = f"ci:oidc:{host}/{facts.get('subject', '')}"
        case _:
            runs = "runs" if kind is IssuerKind.GITHUB else "pipelines"
            repository = facts.get("repository") or facts.get("repository_id", "")
            text = f"ci:{kind.value}:{own_host}{repository}{at}/{runs}/{facts.get('run_id', '')}"
    # API Gateway puts principals into the JSON lines of its access log without escaping them, as those of JWTs.
    plain = "".join(c if "!" <= c <= "~" and c not in '"\\' else "_" for c in text)
    return plain[:MAX_PRINCIPAL]


def _run_url(kind: IssuerKind, issuer: str, facts: Mapping[str, Any]) -> str | None:
    """Return where people see the run; None where that is not known."""
    repository, run_id = facts.get("repository"), facts.get("run_id")
    if not isinstance(repository, str) or not isinstance(run_id, str | int):
        return None
    if kind is IssuerKind.GITLAB:
        return f"{issuer}/{repository}/-/pipelines/{run_id}"
    server = "https://github.com"
    if issuer != ISSUER_URLS[IssuerKind.GITHUB] and not issuer.startswith(
        f"{ISSUER_URLS[IssuerKind.GITHUB]}/"
    ):
        # GitHub Enterprise Server: https://HOST/_services/token
        server = issuer.removesuffix("/_services/token")
    return f"{server}/{repository}/actions/runs/{run_id}"
