"""ACME's API key, and the gateway's authorizer as the gateway asks it."""

from typing import Any

from tests.service import ACME, Service

from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.caller import OPERATE, SCOPES
from packyard.tenants.org import BillingPosture, Org


def key_of_acme(service: Service, *, operate: bool = False) -> str:
    """Let ACME have an item and an API key with full access, and return the key.

    Args:
        service: The service.
        operate: Whether it is an operator's key, which may read how the deployment is besides.
    """
    secret = new_secret(bytes(32))
    tenants = service.services.tenants
    tenants.put_org(Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE))
    tenants.put_api_key(
        ApiKey(
            key_hash=hash_secret(secret),
            org_id=ACME.org_id,
            label="ci",
            permission_set=None if operate else PermissionSet.FULL_ACCESS,
            granted=SCOPES | {OPERATE} if operate else frozenset(),
            created_at=service.clock.now,
        )
    )
    return secret


def authorized(service: Service, authorization: str) -> Any:
    """Return what the authorizer answers for a value of the header `Authorization`."""
    return service.invoke("authorize", token_event(authorization))


def token_event(authorization: str) -> dict[str, str]:
    """Return the event with which the gateway asks its authorizer of a value of the header `Authorization`."""
    method = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
    return {"type": "TOKEN", "authorizationToken": authorization, "methodArn": method}
