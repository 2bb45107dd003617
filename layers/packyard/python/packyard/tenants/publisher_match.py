"""Comparing a verified token with a trusted publisher, claim by claim.

Ids are compared whenever they are known, and names only until they are: a renamed repository keeps its id, and a name
that somebody else has taken comes with other ids. The workflow is the caller's, by `workflow_ref`: what a reusable
workflow does is up to those who call it (OpenSSF, "Trusted publishers for all package repositories").
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from packyard.tenants.ci_run import AWS_NAMESPACE
from packyard.tenants.ci_token import shown
from packyard.tenants.publisher import PINNED_CLAIMS, IssuerKind, Publisher
from packyard.tenants.publisher_claims import MAX_VALUE, claim_text

# From the start: what follows the first @ is a ref, whose name may look like a path.
_WORKFLOW_FILE: Final = re.compile(r"[^/@]+/[^/@]+/\.github/workflows/([^/@]+)@.+", re.DOTALL)
# Which claim says who owns what the CI works for.
OWNER_CLAIMS: Final[Mapping[IssuerKind, str]] = MappingProxyType(
    {
        IssuerKind.GITHUB: "repository_owner_id",
        IssuerKind.GITLAB: "namespace_id",
        IssuerKind.AWS: "account",
    }
)
_EVENT_CLAIMS: Final = ("event_name", "pipeline_source")
# The claim that names what the ids stand for.
_NAMES: Final[Mapping[IssuerKind, str]] = MappingProxyType(
    {IssuerKind.GITHUB: "repository", IssuerKind.GITLAB: "project_path"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A claim that is not what the publisher has.

    Attributes:
        claim: Its name in the token, or in the publisher.
        came: What the token has; None for nothing.
        configured: What the publisher has.
        hint: What helps; empty if the two values say it.
    """

    claim: str
    came: str | None
    configured: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of comparing a token with a publisher.

    Attributes:
        publisher: The publisher.
        mismatches: Every claim that differs; empty if the token is the publisher's.
        owner_known: Whether the owner's id is known and is the token's. Only then may the token's holder learn what is
            configured.
        pins: What the token brings of the claims that the publisher has yet to learn.
    """

    publisher: Publisher
    mismatches: tuple[Mismatch, ...]
    owner_known: bool
    pins: Mapping[str, str]


def compare(publisher: Publisher, issuer: str, claims: Mapping[str, Any]) -> Comparison:
    """Compare the verified claims of a token with a publisher.

    Args:
        publisher: The publisher, whose issuer it is.
        issuer: The claim `iss`.
        claims: The verified claims.
    """
    known = publisher.known
    by_id = not publisher.missing
    # A name is compared only until its ids are known. Exact claims of another issuer are always compared.
    not_compared = _NAMES.get(publisher.kind) if by_id else None
    mismatches = []
    for name, configured in known.items():
        if name == not_compared:
            continue
        check = _CHECKS.get((publisher.kind, name), _equal)
        found = check(name, configured, claims)
        if found is not None:
            mismatches.append(found)
    if publisher.kind is IssuerKind.GITHUB and not mismatches:
        mismatches += _own_workflow(claims)
    if (event := _event(publisher, claims)) is not None:
        mismatches.append(event)
    pins = {} if by_id else _pins(publisher, issuer, claims)
    mismatches += [
        Mismatch(claim=name, came=None, configured="an id", hint="the first token has to bring it")
        for name in publisher.missing
        if name not in pins
    ]
    owner = OWNER_CLAIMS.get(publisher.kind, "")
    owner_known = owner in known and not any(mismatch.claim == owner for mismatch in mismatches)
    return Comparison(publisher=publisher, mismatches=tuple(mismatches), owner_known=owner_known, pins=pins)


def may_be_of_the_account(publisher: Publisher, claims: Mapping[str, Any]) -> bool:
    """Return whether claims that nobody has verified name the account of a publisher that has yet to learn its issuer.

    So that its issuer is asked for its keys only for tokens that name that account.
    """
    if publisher.kind is not IssuerKind.AWS or "issuer" not in publisher.missing:
        return True
    return _account("account", publisher.claims["account"], claims) is None


def _equal(name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    return _compared(name, claims.get(name), configured)


def _caseless(name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    """Compare what the issuer takes for the same in any case (pypi/warehouse, oidc/models/github.py and gitlab.py)."""
    came = claims.get(name)
    if isinstance(came, str) and came.casefold() == configured.casefold():
        return None
    return _compared(name, came, configured)


def _compared(name: str, came: Any, configured: str, hint: str = "") -> Mismatch | None:
    if claim_text(came) == configured:
        return None
    if not hint and isinstance(came, str) and came.casefold() == configured.casefold():
        hint = "the two differ in case only"
    if not hint and isinstance(came, list | dict):
        hint = "a list or an object is never equal to a text"
    return Mismatch(claim=name, came=None if came is None else shown(came), configured=configured, hint=hint)


def _workflow(_name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    caller, called = _file(claims.get("workflow_ref")), _file(claims.get("job_workflow_ref"))
    if caller == configured:
        return None
    hint = ""
    if caller is not None and caller.rpartition(".")[0] == configured.rpartition(".")[0]:
        hint = "the two differ in .yml and .yaml only"
    elif caller is not None and called == configured:
        hint = "that is the reusable workflow; state the file of the workflow that calls it"
    came = claims.get("workflow_ref")
    return Mismatch(
        claim="workflow",
        came=caller or (None if came is None else shown(came)),
        configured=configured,
        hint=hint,
    )


def _file(workflow_ref: Any) -> str | None:
    found = _WORKFLOW_FILE.fullmatch(workflow_ref) if isinstance(workflow_ref, str) else None
    return None if found is None else shown(found[1])


def _own_workflow(claims: Mapping[str, Any]) -> list[Mismatch]:
    """Check that the workflow is the repository's own: rules of an organisation can run one of another repository."""
    repository, workflow = claims.get("repository"), claims.get("workflow_ref")
    own = f"{repository}/.github/workflows/".casefold()
    if isinstance(repository, str) and isinstance(workflow, str) and workflow.casefold().startswith(own):
        return []
    return [
        Mismatch(
            claim="workflow_ref",
            came=None if workflow is None else shown(workflow),
            configured="a workflow of the repository itself",
        )
    ]


def _github_ref(name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    return _ref(name, claims.get("ref"), configured)


def _gitlab_ref(name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    # `ref` is the same text for a branch and for a tag of that name.
    return _ref(name, claims.get("ref_path"), configured)


def _ref(name: str, came: Any, configured: str) -> Mismatch | None:
    if isinstance(came, str) and "*" in configured:
        start, _, end = configured.partition("*")
        if came.startswith(start) and came.endswith(end) and len(came) >= len(start) + len(end):
            return None
    return _compared(name, came, configured)


def _account(name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    return _compared(name, _of_aws(claims).get("aws_account"), configured)


def _role_arn(name: str, configured: str, claims: Mapping[str, Any]) -> Mismatch | None:
    # `sub` may name the one on whose behalf the role acts (STS, SubjectMode). `principal_id` is always the role.
    return _compared(name, _of_aws(claims).get("principal_id", claims.get("sub")), configured)


def _of_aws(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    found = claims.get(AWS_NAMESPACE)
    return found if isinstance(found, dict) else {}


def _nothing(_name: str, _configured: str, _claims: Mapping[str, Any]) -> Mismatch | None:
    """An AWS account's issuer is compared before its keys are asked for."""
    return None


_CHECKS: Final[Mapping[tuple[IssuerKind, str], Callable[[str, str, Mapping[str, Any]], Mismatch | None]]] = (
    MappingProxyType(
        {
            (IssuerKind.GITHUB, "repository"): _caseless,
            (IssuerKind.GITHUB, "workflow"): _workflow,
            (IssuerKind.GITHUB, "environment"): _caseless,
            (IssuerKind.GITHUB, "ref"): _github_ref,
            (IssuerKind.GITLAB, "project_path"): _caseless,
            (IssuerKind.GITLAB, "ref"): _gitlab_ref,
            (IssuerKind.AWS, "account"): _account,
            (IssuerKind.AWS, "role_arn"): _role_arn,
            (IssuerKind.AWS, "issuer"): _nothing,
        }
    )
)


def _event(publisher: Publisher, claims: Mapping[str, Any]) -> Mismatch | None:
    """Return the event that may not publish, where the token names one."""
    if publisher.kind is IssuerKind.AWS:
        return None
    required = {IssuerKind.GITHUB: "event_name", IssuerKind.GITLAB: "pipeline_source"}.get(publisher.kind)
    stated = [name for name in ((required,) if required else _EVENT_CLAIMS) if name in claims or required]
    for name in stated:
        came = claims.get(name)
        if claim_text(came) not in publisher.allowed_events:
            return Mismatch(
                claim=name,
                came=None if came is None else shown(came),
                configured=", ".join(sorted(publisher.allowed_events)),
                hint="the publisher's events can allow it; think of who can cause it",
            )
    return None


def _pins(publisher: Publisher, issuer: str, claims: Mapping[str, Any]) -> dict[str, str]:
    values = {**claims, "issuer": issuer}
    texts = {name: claim_text(values.get(name)) for name in PINNED_CLAIMS[publisher.kind]}
    return {
        name: text
        for name, text in texts.items()
        if text and len(text) <= MAX_VALUE and name in publisher.missing
    }
