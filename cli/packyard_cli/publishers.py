"""Commands about trusted publishers (API contract, section 10)."""

import argparse
from typing import Any, Final

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.packs import confirm
from packyard_cli.result import Result, table
from packyard_cli.service import JsonBody, segment

_NAMED_BY: Final = {"github": ("repository", "repository_id"), "gitlab": ("project_path", "project_id")}


def list_publishers(_: argparse.Namespace, context: Context) -> Result:
    """List whose CI may publish the organisation's packs."""
    publishers = list(context.service().pages("/trusted-publishers", "publishers"))
    return Result(
        document={"publishers": publishers},
        lines=table(
            [_row(publisher) for publisher in publishers], heading=("PACK", "ISSUER", "CLAIMS", "ENDS", "ID")
        )
        or ["No trusted publishers."],
        essence=[publisher["id"] for publisher in publishers],
    )


def add(options: argparse.Namespace, context: Context) -> Result:
    """Let a CI publish a pack without a stored secret.

    Raises:
        Failure: The options do not say whose CI, or the service refused.
    """
    asked: dict[str, Any] = {"pack_name": options.pack, **_whose(options)}
    if options.issuer_url is not None:
        asked["issuer_url"] = options.issuer_url
    if options.event:
        asked["events"] = options.event
    publisher = context.service().call("POST", "/trusted-publishers", body=JsonBody.of(asked)).body
    return Result(
        document=publisher,
        lines=[f"{publisher['issuer']} may publish {publisher['pack_name']}: {publisher['id']}"],
        essence=[publisher["id"]],
    )


def remove(options: argparse.Namespace, context: Context) -> Result:
    """Remove a trusted publisher, after the user has agreed."""
    confirm(f"Remove the trusted publisher {options.publisher}?", options, context)
    body = context.service().call("DELETE", f"/trusted-publishers/{segment(options.publisher)}").body
    return Result(document=body, lines=[f"{options.publisher} is removed."], essence=[options.publisher])


def _whose(options: argparse.Namespace) -> dict[str, Any]:
    claims: dict[str, Any] = dict(_claim(text) for text in options.claim)
    for name in ("workflow", "environment", "ref"):
        if getattr(options, name) is not None:
            claims[name] = getattr(options, name)
    if options.protected:
        claims["ref_protected"] = True
    for issuer, (name, by_id) in _NAMED_BY.items():
        whose = getattr(options, issuer)
        if whose is not None:
            return {"issuer": issuer, "claims": {by_id if whose.isdigit() else name: whose, **claims}}
    if options.aws is not None:
        # arn:aws:iam::123456789012:role/publish
        account = (options.aws.split(":") + [""] * 5)[4]
        return {"issuer": "aws", "claims": {"account": account, "role_arn": options.aws, **claims}}
    return {"issuer": options.issuer, "claims": claims}


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Failure(Exit.USAGE, f"--claim {text} states no value.", "Write --claim NAME=VALUE.")
    return name, value


def _row(publisher: dict[str, Any]) -> list[str]:
    known = {**publisher.get("pinned", {}), **publisher["claims"]}
    claims = " ".join(f"{name}={value}" for name, value in sorted(known.items()))
    return [
        publisher["pack_name"],
        publisher.get("issuer_url", publisher["issuer"]),
        claims,
        publisher.get("expires_at", "never"),
        publisher["id"],
    ]
