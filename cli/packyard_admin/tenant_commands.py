"""Commands about organisations and API keys."""

import argparse
from typing import Any

from packyard.packs.timestamp import format_timestamp
from packyard.tenants.api_key import ApiKey, PermissionSet
from packyard.tenants.org import BillingPosture, Org
from packyard_admin.admin import Admin
from packyard_admin.operator import operator
from packyard_admin.values import instant
from packyard_cli.context import Context
from packyard_cli.packs import confirm
from packyard_cli.result import Result, table


def create_org(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Create an organisation."""
    org = admin.tenants.create_org(
        options.slug,
        billing=BillingPosture(options.posture),
        trial_ends_at=instant("--trial-ends", options.trial_ends),
        platform=options.platform,
        by=operator(options.by),
    )
    return Result(document=_org_view(org), lines=[org.org_id], essence=[org.org_id])


def show_org(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Show an organisation."""
    return _org(admin.tenants.find_org(options.org))


def set_posture(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Change how an organisation stands with billing."""
    changed = admin.tenants.set_posture(
        options.org,
        billing=BillingPosture(options.posture),
        trial_ends_at=instant("--trial-ends", options.trial_ends),
        by=operator(options.by),
    )
    return _org(changed)


def issue_key(admin: Admin, options: argparse.Namespace, context: Context) -> Result:
    """Issue an API key, and print its secret, which is shown this once."""
    key, secret = admin.tenants.issue_key(
        options.org,
        label=options.label,
        permission_set=PermissionSet(options.permission_set),
        operate=options.operate,
        expires_at=instant("--expires", options.expires),
        by=operator(options.by),
    )
    context.printer.note(f"{key.principal} of {key.org_id}. Its secret is not stored and not shown again:")
    return Result(document={**_key_view(key), "key": secret}, lines=[secret], essence=[secret])


def list_keys(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """List an organisation's API keys, without their secrets."""
    keys = admin.tenants.list_keys(options.org)
    return Result(
        document={"keys": [_key_view(key) for key in keys]},
        lines=_key_lines(keys) or ["No keys."],
        essence=[key.principal for key in keys],
    )


def revoke_key(admin: Admin, options: argparse.Namespace, context: Context) -> Result:
    """Revoke an API key, after the operator has agreed."""
    confirm(f"Revoke {options.key} of {options.org}?", options, context)
    key = admin.tenants.revoke_key(options.org, options.key, by=operator(options.by))
    return Result(document=_key_view(key), lines=_key_lines([key]), essence=[key.principal])


def _org(org: Org) -> Result:
    row = [
        org.slug,
        org.billing,
        "" if org.trial_ends_at is None else format_timestamp(org.trial_ends_at),
        "yes" if org.platform else "no",
        org.org_id,
    ]
    return Result(
        document=_org_view(org),
        lines=table([row], heading=("SLUG", "BILLING", "TRIAL ENDS", "PLATFORM", "ID")),
        essence=[org.org_id],
    )


def _org_view(org: Org) -> dict[str, Any]:
    view = {"id": org.org_id, "slug": org.slug, "billing": org.billing.value, "platform": org.platform}
    if org.trial_ends_at is not None:
        view["trial_ends_at"] = format_timestamp(org.trial_ends_at)
    return view


def _key_view(key: ApiKey) -> dict[str, Any]:
    fields = {
        "id": key.principal,
        "org_id": key.org_id,
        "label": key.label,
        "permission_set": None if key.permission_set is None else key.permission_set.value,
        "scopes": sorted(key.granted) if key.permission_set is None else None,
        "pack_name": key.pack_name,
        "created_at": format_timestamp(key.created_at),
        "created_by": key.created_by,
        "expires_at": None if key.expires_at is None else format_timestamp(key.expires_at),
        "revoked_at": None if key.revoked_at is None else format_timestamp(key.revoked_at),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _key_lines(keys: list[ApiKey]) -> list[str]:
    rows = []
    for key in keys:
        expires = "never" if key.expires_at is None else format_timestamp(key.expires_at)
        revoked = "" if key.revoked_at is None else format_timestamp(key.revoked_at)
        allows = key.permission_set or " ".join(sorted(key.granted)) or "(reads)"
        made_by = key.created_by or "operator"
        rows.append(
            [
                key.principal,
                allows,
                key.pack_name or "any",
                format_timestamp(key.created_at),
                made_by,
                expires,
                revoked,
                key.label,
            ]
        )
    return table(rows, heading=("ID", "ALLOWS", "PACK", "CREATED", "BY", "EXPIRES", "REVOKED", "LABEL"))
