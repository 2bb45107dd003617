"""Organisations and their API keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from packyard.packs.manifest.name import parse_slug
from packyard.store.table import ConditionFailed
from packyard.store.tenants import SlugTaken, TenantStore
from packyard.tenants.api_key import (
    OPERATOR_PREFIX,
    PREFIX,
    SCOPES,
    SECRET_BYTES,
    ApiKey,
    PermissionSet,
    hash_secret,
    new_secret,
    parse_label,
)
from packyard.tenants.caller import OPERATE
from packyard.tenants.org import BillingPosture, Org
from packyard_cli.failure import Exit, Failure

# A slug is a label in a host name (RFC 1035, section 2.3.4).
_MAX_SLUG = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """What the operator does to organisations and keys.

    Attributes:
        store: Where they are kept.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        random_bytes: Returns that many bytes from the operating system's random source.
    """

    store: TenantStore
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]
    random_bytes: Callable[[int], bytes]

    def create_org(
        self, slug: str, *, billing: BillingPosture, trial_ends_at: datetime | None, platform: bool, by: str
    ) -> Org:
        """Write a new organisation and return it.

        Args:
            slug: Its label in host names.
            billing: How it stands with billing.
            trial_ends_at: When its trial ends; None for never.
            platform: Whether it is the operator's own.
            by: The operator, for the event.

        Raises:
            Failure: The slug cannot be a host's label, or another organisation has it.
        """
        try:
            org = Org(
                org_id=f"org_{self.new_ulid().lower()}",
                slug=parse_slug(slug),
                billing=billing,
                trial_ends_at=trial_ends_at,
                platform=platform,
            )
        except ValueError as error:
            raise Failure(Exit.INVALID, f"The slug {slug!r} {error}.") from None
        if len(slug) > _MAX_SLUG:
            raise Failure(
                Exit.INVALID,
                f"The slug must be at most {_MAX_SLUG} characters, as it is part of a host's name.",
            )
        try:
            self.store.put_org(org, by=by)
        except SlugTaken as taken:
            raise Failure(
                Exit.CONFLICT, f"The slug {slug!r} belongs to {taken.holder}.", "Choose another slug."
            ) from None
        return org

    def find_org(self, named: str) -> Org:
        """Return the organisation of this id or slug.

        Raises:
            Failure: There is none.
        """
        org = self.store.named(named)
        if org is None:
            raise Failure(
                Exit.NOT_FOUND, f"There is no organisation {named!r}.", "Name it by its id or its slug."
            )
        return org

    def set_posture(
        self, named: str, *, billing: BillingPosture, trial_ends_at: datetime | None, by: str
    ) -> Org:
        """Change how an organisation stands with billing and return it. If it stands so, nothing is written.

        Args:
            named: The organisation's id or slug.
            billing: How it stands from now on.
            trial_ends_at: When its trial ends; None for never.
            by: The operator, for the event.

        Raises:
            Failure: There is none.
        """
        org = self.find_org(named)
        return self.store.set_posture(org, billing=billing, trial_ends_at=trial_ends_at, by=by)

    def issue_key(  # noqa: PLR0913 - by name: what a key is
        self,
        named: str,
        *,
        label: str,
        permission_set: PermissionSet,
        operate: bool = False,
        expires_at: datetime | None,
        by: str,
    ) -> tuple[ApiKey, str]:
        """Write a new key of an organisation. Return the key and its secret, which is not stored.

        Args:
            named: The organisation's id or slug.
            label: What its holder calls it.
            permission_set: What it allows.
            operate: Whether it may also read how the deployment is. Such a key keeps the scopes that its permission set
                has now.
            expires_at: From when on it is refused; None for never.
            by: The operator, for the event.

        Raises:
            Failure: There is no such organisation, or the label is not 1 to 120 printable characters.
        """
        try:
            parse_label(label)
        except ValueError as error:
            raise Failure(Exit.INVALID, f"The label {error}.") from None
        org = self.find_org(named)
        prefix = OPERATOR_PREFIX if operate else PREFIX
        secret = new_secret(self.random_bytes(SECRET_BYTES), prefix=prefix)
        key = ApiKey(
            key_hash=hash_secret(secret),
            org_id=org.org_id,
            label=label,
            # As scopes, which every release can read (decision 146).
            permission_set=None if operate else permission_set,
            granted=SCOPES[permission_set] | {OPERATE} if operate else frozenset(),
            created_at=self.clock(),
            expires_at=expires_at,
        )
        self.store.put_api_key(key, by=by)
        return key, secret

    def list_keys(self, named: str) -> list[ApiKey]:
        """Return all keys of an organisation, the oldest first.

        Raises:
            Failure: There is no such organisation.
        """
        return list(self.store.list_api_keys(self.find_org(named).org_id))

    def revoke_key(self, named: str, key_id: str, *, by: str) -> ApiKey:
        """Revoke a key and return it. A key that was revoked before does not change.

        Args:
            named: Its organisation.
            key_id: The key, as the list and the history name it.
            by: The operator, for the event.

        Raises:
            Failure: There is no such organisation, or it has no such key.
        """
        wanted = key_id.removeprefix("key:")
        for key in self.list_keys(named):
            if key.key_id == wanted:
                try:
                    return self.store.revoke_api_key(key, at=self.clock(), by=by)
                except ConditionFailed:
                    break
        raise Failure(
            Exit.NOT_FOUND,
            f"{named} has no key {key_id!r}.",
            f"packyard admin key list {named} shows its keys.",
        )
