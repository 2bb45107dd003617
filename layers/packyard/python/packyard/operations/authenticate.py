"""Finding the caller of a credential: an API key of ours, or a JWT of the deployment's issuer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from packyard.errors import Unauthenticated
from packyard.store.tenants import TenantStore
from packyard.tenants.api_key import PREFIX, hash_secret
from packyard.tenants.caller import Caller

if TYPE_CHECKING:
    from packyard.operations.read_token import TokenReader

# Every JWT begins so: base64url of `{"`.
TOKEN_PREFIX: Final = "eyJ"  # noqa: S105 - a prefix, not a secret

# API Gateway passes on at most 10,240 bytes of headers ("Amazon API Gateway quotas").
_MAX_CREDENTIAL_CHARACTERS: Final = 8192


@dataclass(frozen=True, slots=True)
class _Bearer:
    """The principal of a credential."""

    org_id: str
    principal: str
    scopes: frozenset[str]
    ends_at: datetime | None
    pack_name: str | None = None
    ci: Mapping[str, str] = field(default_factory=dict)


def authenticate(
    authorization: str,
    *,
    tenants: TenantStore,
    token_reader: Callable[[], "TokenReader | None"],
    now: datetime,
) -> Caller:
    """Return the caller that an Authorization header stands for.

    Args:
        authorization: The header's value, `Bearer <token>`.
        tenants: Where keys and organisations are kept.
        token_reader: Returns the reader of JWTs, or None when the deployment takes no JWTs. Called for the first JWT,
            so that API keys do not load its libraries.
        now: The present instant; decides about expiry and about a trial's end.

    Raises:
        Unauthenticated: The credential is not a known and valid one of a known organisation. The client is not told
            what is wrong.
        ServiceUnavailable: The table or the issuer of JWTs did not answer.
    """
    if len(authorization) > _MAX_CREDENTIAL_CHARACTERS or not authorization.isascii():
        raise Unauthenticated
    # Any number of spaces may follow the scheme, whose case does not matter (RFC 9110, sections 11.1 and 11.4).
    scheme, _, credential = authorization.strip(" \t").partition(" ")
    credential = credential.lstrip(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    if credential.startswith(PREFIX):
        bearer = _of_api_key(credential, tenants=tenants, now=now)
    elif credential.startswith(TOKEN_PREFIX):
        bearer = _of_token(credential, token_reader(), now=now)
    else:
        raise Unauthenticated
    org = tenants.get_org(bearer.org_id)
    if org is None:
        raise Unauthenticated
    return Caller(
        # Not the org_id of the item: functions that write roles may write into its partition (decision 67).
        org_id=bearer.org_id,
        org_slug=org.slug,
        principal=bearer.principal,
        scopes=bearer.scopes,
        may_create=org.may_create(now),
        pack_name=bearer.pack_name,
        ends_at=bearer.ends_at,
        version_policy=org.version_policy,
        ci=bearer.ci,
    )


def _of_api_key(secret: str, *, tenants: TenantStore, now: datetime) -> _Bearer:
    key = tenants.get_api_key(hash_secret(secret))
    if key is None or not key.is_live(now):
        raise Unauthenticated
    return _Bearer(key.org_id, key.principal, key.scopes, key.expires_at, key.pack_name, key.ci)


def _of_token(text: str, reader: "TokenReader | None", *, now: datetime) -> _Bearer:
    if reader is None:
        raise Unauthenticated
    identity = reader.read(text, now=now)
    return _Bearer(identity.org_id, identity.principal, identity.scopes, identity.ends_at)
