"""The caller as the gateway passes it on, and the checks that every operation begins with.

Their order is the contract's (section 1): credential, scope, billing posture, and then the shape of the request. Of the
shape, only the names in the query are checked here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import BillingInactive, PermissionDenied, Unauthenticated
from packyard.http.fields import Field
from packyard.http.query import require_known
from packyard.tenants.api_key import SCOPES
from packyard.tenants.caller import WRITE, Caller

_WRITING_SETS: Final = tuple(str(name) for name, scopes in SCOPES.items() if WRITE in scopes)


def to_context(caller: Caller) -> dict[str, str]:
    """Return the caller as an authorizer's context, which API Gateway passes on as strings only."""
    return {
        "org_id": caller.org_id,
        "org_slug": caller.org_slug,
        "principal": caller.principal,
        "scopes": " ".join(sorted(caller.scopes)),
        "may_create": "true" if caller.may_create else "false",
    }


def _from_context(context: Mapping[str, Any]) -> Caller:
    try:
        return Caller(
            org_id=context["org_id"],
            org_slug=context["org_slug"],
            principal=context["principal"],
            scopes=frozenset(context["scopes"].split()),
            may_create=context["may_create"] == "true",
        )
    except KeyError:
        raise Unauthenticated from None


def reader(event: APIGatewayProxyEvent, *, api_domain: str, query: Sequence[Field] = ()) -> Caller:
    """Return the signed-in caller of a read.

    Args:
        event: The gateway's event, its authorizer's context included.
        api_domain: Parent domain of the organisations' hosts; empty to leave out the host check.
        query: The parameters that the operation takes in its query.

    Raises:
        Unauthenticated: The request did not pass the authorizer.
        PermissionDenied: The host names another organisation than the credential's.
        InvalidRequest: The query has other parameters.
    """
    caller = _signed_in(event, api_domain)
    require_known(event, query)
    return caller


def _signed_in(event: APIGatewayProxyEvent, api_domain: str) -> Caller:
    caller = _from_context(event.request_context.authorizer.raw_event)
    host = (event.headers.get("Host") or "").lower().partition(":")[0].rstrip(".")
    if api_domain and host.endswith(f".{api_domain}") and host != f"{caller.org_slug}.{api_domain}":
        raise PermissionDenied(
            f"This credential belongs to the organisation {caller.org_slug}, and the host names another; "
            f"send the request to {caller.org_slug}.{api_domain}."
        )
    return caller


def writer(event: APIGatewayProxyEvent, *, api_domain: str, create: bool = True) -> Caller:
    """Return the signed-in caller of a write.

    Args:
        event: The gateway's event.
        api_domain: As for `reader`.
        create: Whether the call is create-class (POST, PUT, PATCH) and so gated by billing posture.

    Raises:
        Unauthenticated, PermissionDenied: As for `reader`; also when the scope `caps:write` is missing.
        BillingInactive: The organisation is past due, decommissioning, or its trial has ended.
        InvalidRequest: The query has parameters, and no write takes any.
    """
    caller = _signed_in(event, api_domain)
    if WRITE not in caller.scopes:
        raise PermissionDenied(
            f"This credential lacks the scope {WRITE}, which every write needs. API keys of the permission set "
            f"{' or '.join(_WRITING_SETS)} have it; in a JWT, permissions lists it."
        )
    if create and not caller.may_create:
        raise BillingInactive
    require_known(event)
    return caller
