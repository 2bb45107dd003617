"""API keys that an organisation's own callers make and revoke.

    count the organisation's keys → write the new key
    read the key → write that it is revoked

A key never allows more than its maker may do: scopes, pack, end (API contract, section 1). A crash before the write
leaves nothing. A crash after it leaves a key whose secret nobody knows; it is listed, can be revoked, and expires. Two
requests at once make two keys. Together they may exceed the limit by as many as are made while the index is behind,
which is usually a second. Revoking twice changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from packyard.errors import KeyNotFound, PermissionDenied, QuotaExceeded
from packyard.packs.manifest.name import PackName
from packyard.packs.timestamp import format_timestamp
from packyard.store.api_keys import ApiKeyStore
from packyard.tenants.api_key import KEY_ID, SECRET_BYTES, SHOWN_CHARACTERS, ApiKey, hash_secret, new_secret
from packyard.tenants.caller import Caller

DEFAULT_LIFETIME: Final = timedelta(days=90)
# Live keys of one organisation, those of the operator included.
MAX_LIVE: Final = 100
# Keys in all, those included that were revoked or have expired and are not forgotten yet. It bounds what a count reads.
_MAX_KEPT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """The key that a client asks for.

    Attributes:
        label: A name for people, as `parse_label` accepts it.
        scopes: What the key may do, of the scopes that there are.
        pack_name: The only pack that it may touch; None for all that its maker may touch.
        lifetime: For how long; None for 90 days, or until its maker's credential ends if that is sooner.
    """

    label: str
    scopes: frozenset[str]
    pack_name: PackName | None = None
    lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key.

    Attributes:
        key: The key as it is stored.
        secret: What its holder sends. It is stored nowhere.
    """

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaker:
    """Makes and revokes API keys.

    Attributes:
        clock: The present instant, UTC.
        random_bytes: Returns that many bytes from the operating system's random source.
    """

    keys: ApiKeyStore
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def issue(self, asked: KeyRequest, *, caller: Caller) -> IssuedKey:
        """Make a key of the caller's organisation. One read and one write.

        Raises:
            PermissionDenied: The key would allow more than the caller may do.
            QuotaExceeded: The organisation has as many keys as it may have.
            ServiceUnavailable: DynamoDB did not answer. There may be a key, whose secret nobody knows.
        """
        now = self.clock()
        _require_not_wider(asked, caller)
        ends_at = _end(asked, caller, now)
        self._require_room(caller.org_id, now)
        secret = new_secret(self.random_bytes(SECRET_BYTES))
        key = ApiKey(
            key_hash=hash_secret(secret),
            org_id=caller.org_id,
            label=asked.label,
            granted=asked.scopes,
            pack_name=asked.pack_name or caller.pack_name,
            created_at=now,
            created_by=caller.principal,
            expires_at=ends_at,
            prefix=secret[:SHOWN_CHARACTERS],
        )
        self.keys.put(key, by=caller.principal)
        return IssuedKey(key=key, secret=secret)

    def revoke(self, key_id: str, *, caller: Caller) -> ApiKey:
        """Revoke a key of the caller's organisation and return it; one that was revoked before stays as it is.

        A caller that is narrowed to one pack revokes keys for that pack only. One read and one write.

        Args:
            key_id: The key, as the client names it.
            caller: Who revokes it.

        Raises:
            KeyNotFound: There is none, it is another organisation's, or not one that the caller may revoke. The caller
                cannot tell which.
            ServiceUnavailable: DynamoDB did not answer.
        """
        key = self.keys.get(key_id) if KEY_ID.fullmatch(key_id) else None
        if key is None or key.org_id != caller.org_id or caller.pack_name not in (None, key.pack_name):
            raise KeyNotFound
        revoked = self.keys.revoke(key, by=caller.principal, at=self.clock())
        if revoked is None:
            raise KeyNotFound
        return revoked

    def _require_room(self, org_id: str, now: datetime) -> None:
        live, kept = self.keys.count(org_id, now=now, most=_MAX_KEPT)
        if live >= MAX_LIVE:
            raise QuotaExceeded(
                f"This organisation has {live} API keys, and {MAX_LIVE} is the most; revoke those that nobody uses any "
                "more with DELETE /keys/{id}. GET /keys lists them.",
                limit=MAX_LIVE,
            )
        if kept >= _MAX_KEPT:
            raise QuotaExceeded(
                f"This organisation has made {_MAX_KEPT} API keys or more lately. Those that were revoked or have "
                "expired count until they are forgotten, which takes up to 30 days; make keys that live longer.",
                limit=_MAX_KEPT,
            )


def _require_not_wider(asked: KeyRequest, caller: Caller) -> None:
    """Check that a key would allow nothing that its maker may not do, its end apart."""
    if lacking := sorted(asked.scopes - caller.scopes):
        raise PermissionDenied(
            f"This credential lacks {', '.join(lacking)}, and a key never allows more than the credential that makes "
            "it; leave that out of scopes."
        )
    if caller.pack_name is not None and asked.pack_name not in (None, caller.pack_name):
        raise PermissionDenied(
            f"This key is for the pack {caller.pack_name} only, and so are the keys that it makes; leave out pack_name."
        )


def _end(asked: KeyRequest, caller: Caller, now: datetime) -> datetime:
    """Return when a key expires, which is never later than its maker's credential."""
    end = now + (asked.lifetime or DEFAULT_LIFETIME)
    if caller.ends_at is None or end <= caller.ends_at:
        return end
    # Clocks differ, so the credential may have been accepted shortly after its end.
    if asked.lifetime is not None or caller.ends_at <= now:
        raise PermissionDenied(
            f"This credential ends at {format_timestamp(caller.ends_at)}, and a key never lives longer than the "
            "credential that makes it; state a smaller expires_in, or leave it out."
        )
    return caller.ends_at
