"""From a credential to the caller it stands for."""

from datetime import datetime
from typing import Final

from packyard.errors import Unauthenticated
from packyard.store.tenants import TenantStore
from packyard.tenants.api_key import PREFIX, SCOPES, hash_secret
from packyard.tenants.caller import Caller

_MAX_CREDENTIAL_CHARACTERS: Final = 4096


def authenticate(authorization: str, *, tenants: TenantStore, now: datetime) -> Caller:
    """Return the caller that an Authorization header stands for.

    Args:
        authorization: The header's value, `Bearer <token>`.
        tenants: Where keys and organisations are kept.
        now: The present instant; decides about expiry and about a trial's end.

    Raises:
        Unauthenticated: Anything but a known, live API key of a known organisation. Which of these it was is not told.
    """
    if len(authorization) > _MAX_CREDENTIAL_CHARACTERS or not authorization.isascii():
        raise Unauthenticated
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(PREFIX):
        raise Unauthenticated
    key = tenants.get_api_key(hash_secret(token))
    if key is None or not key.is_live(now):
        raise Unauthenticated
    org = tenants.get_org(key.org_id)
    if org is None:
        raise Unauthenticated
    return Caller(
        org_id=org.org_id,
        org_slug=org.slug,
        principal=f"key:{key.key_hash[:16]}",
        scopes=SCOPES[key.permission_set],
        may_create=org.may_create(now),
    )
