"""The caller as the gateway passes it on, and the checks that every operation begins with.

Their order is the contract's (section 1): credential, scope, billing posture, and then the shape of the request. Of the
shape, only the names in the query are checked here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import BillingInactive, PermissionDenied, Unauthenticated
from packyard.http.fields import Field
from packyard.http.query import require_known
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.tenants.api_key import SCOPES
from packyard.tenants.caller import OPERATE, WRITE, Caller
from packyard.tenants.version_policy import VersionPolicy


def to_context(caller: Caller) -> dict[str, str]:
    """Return the caller as an authorizer's context, which API Gateway passes on as strings only.

    The scopes of a caller that is narrowed to one pack have a name of their own. A function of an earlier release,
    which does not know of narrowing, finds no scopes in the context and answers 401 (decision 92).
    """
    narrowed = {} if caller.pack_name is None else {"pack_name": caller.pack_name}
    end = {} if caller.ends_at is None else {"ends_at": format_timestamp(caller.ends_at)}
    free = caller.version_policy is VersionPolicy.FREE
    policy = {} if free else {"version_policy": caller.version_policy.value}
    ci = {"ci": json.dumps(dict(caller.ci))} if caller.ci else {}
    return {
        "org_id": caller.org_id,
        "org_slug": caller.org_slug,
        "principal": caller.principal,
        _scopes_name(narrowed): " ".join(sorted(caller.scopes)),
        "may_create": "true" if caller.may_create else "false",
        **narrowed,
        **end,
        **policy,
        **ci,
    }


def _scopes_name(context: Mapping[str, Any]) -> str:
    return "scopes_in_pack" if "pack_name" in context else "scopes"


def _from_context(context: Mapping[str, Any]) -> Caller:
    try:
        return Caller(
            org_id=context["org_id"],
            org_slug=context["org_slug"],
            principal=context["principal"],
            scopes=frozenset(context[_scopes_name(context)].split()),
            may_create=context["may_create"] == "true",
            pack_name=context.get("pack_name"),
            ends_at=parse_timestamp(context["ends_at"]) if "ends_at" in context else None,
            version_policy=VersionPolicy(context.get("version_policy", VersionPolicy.FREE)),
            ci=json.loads(context["ci"]) if "ci" in context else {},
        )
    except KeyError:
        raise Unauthenticated from None


def reader(
    event: APIGatewayProxyEvent,
    *,
    api_domain: str,
    query: Sequence[Field] = (),
    narrowed: bool = False,
    scope: str | None = None,
) -> Caller:
    """Return the signed-in caller of a read.

    Args:
        event: The gateway's event, its authorizer's context included.
        api_domain: Parent domain of the organisations' hosts; empty to leave out the host check.
        query: The parameters that the operation takes in its query.
        narrowed: Whether the operation keeps a caller that is narrowed to one pack to that pack. Operations that do not
            say so refuse such callers.
        scope: The scope that the operation needs; None for the most, which need none.

    Raises:
        Unauthenticated: The request did not pass the authorizer.
        PermissionDenied: The host names another organisation than the credential's, or the caller is narrowed to one
            pack and the operation is not for such callers, or the scope is missing.
        InvalidRequest: The query has other parameters.
    """
    caller = _signed_in(event, api_domain, narrowed=narrowed)
    if scope is not None:
        _require_scope(caller, scope)
    require_known(event, query)
    return caller


def visitor(event: APIGatewayProxyEvent, *, api_domain: str) -> Caller:
    """Return the signed-in caller of a read whose query another protocol than ours decides.

    Args:
        event: The gateway's event.
        api_domain: As for `reader`.

    Raises:
        Unauthenticated, PermissionDenied: As for `reader`.
    """
    return _signed_in(event, api_domain, narrowed=False)


def _require_scope(caller: Caller, scope: str) -> None:
    if scope not in caller.scopes:
        if scope == OPERATE:
            raise PermissionDenied(
                f"This credential lacks the scope {OPERATE}, which this operation needs. Only the operator of this "
                "service gives it, with packyard admin key issue --operate."
            )
        sets = " or ".join(str(name) for name, scopes in SCOPES.items() if scope in scopes)
        raise PermissionDenied(
            f"This credential lacks the scope {scope}, which this operation needs. API keys of the permission set "
            f"{sets} have it; in a JWT, permissions lists it."
        )


def _signed_in(event: APIGatewayProxyEvent, api_domain: str, *, narrowed: bool) -> Caller:
    caller = _from_context(event.request_context.authorizer.raw_event)
    host = (event.headers.get("Host") or "").lower().partition(":")[0].rstrip(".")
    if api_domain and host.endswith(f".{api_domain}") and host != f"{caller.org_slug}.{api_domain}":
        raise PermissionDenied(
            f"This credential belongs to the organisation {caller.org_slug}, and the host names another; "
            f"send the request to {caller.org_slug}.{api_domain}."
        )
    if caller.pack_name is not None and not narrowed:
        raise PermissionDenied(
            f"This key is for the pack {caller.pack_name} only, and this operation concerns more than one pack; use a "
            "credential of the whole organisation."
        )
    return caller


def writer(  # noqa: PLR0913 - by name: what a caller needs for an operation
    event: APIGatewayProxyEvent,
    *,
    api_domain: str,
    create: bool = True,
    narrowed: bool = False,
    scope: str = WRITE,
    query: Sequence[Field] = (),
) -> Caller:
    """Return the signed-in caller of a write.

    Args:
        event: The gateway's event.
        api_domain: As for `reader`.
        create: Whether the call is create-class (POST, PUT, PATCH) and so gated by billing posture.
        narrowed: As for `reader`.
        scope: The scope that the operation needs.
        query: As for `reader`.

    Raises:
        Unauthenticated, PermissionDenied: As for `reader`; also when the scope is missing.
        BillingInactive: The organisation is past due, decommissioning, or its trial has ended.
        InvalidRequest: The query has other parameters.
    """
    caller = _signed_in(event, api_domain, narrowed=narrowed)
    _require_scope(caller, scope)
    if create and not caller.may_create:
        raise BillingInactive
    require_known(event, query)
    return caller
