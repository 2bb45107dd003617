"""Commands about API keys (API contract, section 10)."""

import argparse
from typing import Any, Final

from packyard_cli.context import Context
from packyard_cli.packs import confirm
from packyard_cli.result import Result, table
from packyard_cli.service import JsonBody, segment

_DAY_SECONDS: Final = 86_400


def list_keys(_: argparse.Namespace, context: Context) -> Result:
    """List the organisation's API keys."""
    keys = list(context.service().pages("/keys", "keys"))
    return Result(
        document={"keys": keys},
        lines=table([_row(key) for key in keys], heading=("LABEL", "SCOPES", "PACK", "ENDS", "ID"))
        or ["No keys."],
        essence=[key["id"] for key in keys],
    )


def make(options: argparse.Namespace, context: Context) -> Result:
    """Make an API key, and print its secret, which is shown this once."""
    asked: dict[str, Any] = {"label": options.label, "scopes": options.scope or ["caps:write"]}
    if options.pack is not None:
        asked["pack_name"] = options.pack
    if options.days is not None:
        asked["expires_in"] = options.days * _DAY_SECONDS
    key = context.service().call("POST", "/keys", body=JsonBody.of(asked)).body
    context.printer.note(f"The key {key['id']} ends {key['expires_at']}. Its secret is shown this once:")
    return Result(document=key, lines=[key["key"]], essence=[key["key"]])


def revoke(options: argparse.Namespace, context: Context) -> Result:
    """Revoke an API key, after the user has agreed."""
    confirm(f"Revoke the key {options.key}?", options, context)
    key = context.service().call("DELETE", f"/keys/{segment(options.key)}").body
    return Result(document=key, lines=[f"{key['label']} is revoked."], essence=[key["id"]])


def _row(key: dict[str, Any]) -> list[str]:
    ends = "revoked" if "revoked_at" in key else str(key.get("expires_at", "never"))
    return [key["label"], ",".join(key["scopes"]) or "none", key.get("pack_name", "any"), ends, key["id"]]
