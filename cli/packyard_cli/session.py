"""`packyard login`, `logout` and `whoami`."""

import argparse
import base64
import json
from datetime import UTC, datetime
from getpass import getpass
from typing import Any

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.offered_keys import keys_at_login
from packyard_cli.result import Result
from packyard_cli.service import Service
from packyard_cli.settings import DEFAULT_PROFILE, checked_token, checked_url

_SHOWN_CLAIMS = ("iss", "sub", "org_id", "org", "permissions", "exp")


def login(options: argparse.Namespace, context: Context) -> Result:
    """Keep a token, once the service has taken it.

    Raises:
        Failure: The service does not take the token, or is not reached; nothing is kept then.
    """
    address = options.service or context.url or context.environment.get("PACKYARD_URL")
    if not address:
        raise Failure(Exit.USAGE, "Name the service: packyard login https://acme.packyard.example/v1")
    url = checked_url(address)
    asked = context.stdin.isatty()
    token = checked_token(getpass("Token (it is not shown): ") if asked else context.stdin.read())
    _try(context.service_at(url, token))
    name = context.profile or DEFAULT_PROFILE
    profiles = context.profiles()
    place = profiles.keep(name, url=url, token=token, use_keyring=not options.no_keyring)
    keys, told = keys_at_login(context.service_at(url, token), context)
    return Result(
        document={"profile": name, "url": url, "token_kept_in": place, "trusted_keys": keys},
        lines=[f"Logged in at {url} as profile {name}.", f"The token is in {place}.", *told],
        essence=[name],
    )


def logout(_: argparse.Namespace, context: Context) -> Result:
    """Forget a profile. The key itself stays valid until it is revoked or expires.

    Raises:
        Failure: There is no such profile.
    """
    name = context.profiles().drop(context.profile)
    return Result(
        document={"profile": name, "forgotten": True},
        lines=[f"Profile {name} is forgotten here. The token stays valid until it expires or is revoked."],
        essence=[name],
    )


def whoami(_: argparse.Namespace, context: Context) -> Result:
    """Say what is known of the login. The API names no caller, so the organisation is known from its packs only.

    Raises:
        Failure: There is no login, or the service does not take it.
    """
    used = context.profiles().login(profile=context.profile, url=context.url)
    service = context.service()
    owned = _try(service)
    token = used.token or ""
    facts: dict[str, Any] = {
        "url": used.url,
        "profile": used.profile,
        "token_from": used.source,
        "token_kind": "api_key"
        if token.startswith("sk_")
        else "jwt"
        if token.startswith("eyJ")
        else "unknown",
        "accepted": True,
        "org_id": owned[0].get("org_id") if owned else None,
        "claims": _claims(token),
    }
    known = {name: value for name, value in facts.items() if value not in (None, {})}
    lines = [
        f"service       {used.url}",
        f"token         {facts['token_kind']}, from {used.source}: accepted",
    ]
    if used.profile:
        lines.insert(1, f"profile       {used.profile}")
    lines.append(f"organisation  {facts['org_id'] or 'not known: it has no pack yet'}")
    lines += [f"{name:13} {value} (as the token says)" for name, value in facts["claims"].items()]
    return Result(document=known, lines=lines, essence=[used.url])


def _try(service: Service) -> list[dict[str, Any]]:
    """Return an own pack, if there is one: a request that any valid token may make."""
    body = service.get("/packs", query={"limit": "1", "owned": "true"}).body
    if not isinstance(body, dict) or not isinstance(body.get("packs"), list):
        raise Failure(
            Exit.UNAVAILABLE,
            f"{service.login.url} is no Packyard service.",
            "Write its base URL, with /v1 at its end.",
        )
    return list(body["packs"])


def _claims(token: str) -> dict[str, Any]:
    """Return what a JWT says of itself; nobody has checked it here."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    if not isinstance(claims, dict):
        return {}
    shown = {name: claims[name] for name in _SHOWN_CLAIMS if name in claims}
    if isinstance(shown.get("exp"), int):
        shown["exp"] = datetime.fromtimestamp(shown["exp"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return shown
