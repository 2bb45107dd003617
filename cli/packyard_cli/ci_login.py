"""A login for one push in a CI system, where there is no other: its token is exchanged for a key (API contract, 10)."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from packyard_cli.ci_tokens import CiToken, CiTokens, run_aws
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.service import JsonBody, Service

ORG_VARIABLE: Final = "PACKYARD_ORG"
# Before the domain that organisations' hosts have in common, such as packyard.example.
_LABELS: Final = 3
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def publishing_service(context: Context, pack_name: str, tokens: CiTokens | None = None) -> Service:
    """Return the service with a key for one pack, for the token of the job that this runs in.

    Args:
        context: What the command got. It has no login.
        pack_name: The pack to publish.
        tokens: Finds the token; by default as this machine has it.

    Raises:
        Failure: There is no token, or the service does not take it.
    """
    url = context.profiles().login(profile=context.profile, url=context.url).url
    tokens = tokens or CiTokens(
        environment=context.environment, transport=context.transport, run=context.run_program or run_aws
    )
    org = _org(url, context)
    audience = f"{canonical(url)}#{org}"
    token = tokens.find(audience) if org else None
    if token is None:
        raise _no_login(url, tokens, audience, org)
    nobody = context.service_at(url, None)
    try:
        key = _exchange(nobody, token, org, pack_name)
    except Failure as failure:
        # The answer to the first attempt may have been lost, and a token is exchanged once.
        if not token.again or "jti" not in failure.details.get("claims", {}):
            raise
        token = tokens.find(audience) or token
        key = _exchange(nobody, token, org, pack_name)
    context.printer.note(
        f"Signed in by the token of this job ({token.source}), for the pack {pack_name} alone."
    )
    return context.service_at(url, key)


def canonical(url: str) -> str:
    """Return the address of a service as the service itself writes it, to which tokens are addressed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _exchange(service: Service, token: CiToken, org: str, pack_name: str) -> str:
    body = {"token": token.text, "org": org, "pack_name": pack_name}
    try:
        return str(service.call("POST", "/oidc/exchange", body=JsonBody.of(body)).body["key"])
    except Failure as failure:
        if failure.exit_code is Exit.NOT_SIGNED_IN:
            failure.advice = (
                f"The token came from {token.source}. packyard publishers add makes this CI a trusted publisher of the "
                "pack; PACKYARD_TOKEN would be used instead of a token of CI."
            )
        raise


def _org(url: str, context: Context) -> str:
    """Return the organisation that pushes; empty if it is not known."""
    stated = context.environment.get(ORG_VARIABLE, "").strip()
    if stated:
        return stated
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        of_a_stage = host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        return labels[0] if len(labels) >= _LABELS and not of_a_stage else ""
    return ""


def _no_login(url: str, tokens: CiTokens, audience: str, org: str) -> Failure:
    tried = (
        tokens.tried(audience) if org else [f"{ORG_VARIABLE} is not set, and {url} does not say whose it is"]
    )
    failure = Failure(
        Exit.NOT_SIGNED_IN,
        f"There is no login for {url}.",
        f"Log in with packyard login {url}, or set PACKYARD_TOKEN. In CI, without a secret: docs/use/publishers.md.",
    )
    failure.told = [failure.message, *(f"  tried: {line}" for line in tried)]
    return failure
