"""API keys (API contract, section 10)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected, IfStated, page, require
from tests.reliability.model.packs import ApiKey, timestamp
from tests.reliability.model.state import ALL_SCOPES, State

_KEY_SECONDS: Final = 90 * 86_400


class Keys(State):
    """The operations on keys."""

    def create_key(self, label: str, scopes: Sequence[str], expires_in: int | None, number: int) -> Expected:
        """A key allows no more than its maker may do, and does not outlive it."""
        caller, wanted = self.caller, ALL_SCOPES if "full_access" in scopes else scopes
        ends_at = self.now + timedelta(seconds=expires_in or _KEY_SECONDS)
        too_long = caller.ends_at is not None and ends_at > caller.ends_at
        allowed = set(wanted) <= caller.scopes and not (too_long and expires_in)
        require(allowed, 403, "permission_denied")
        end = caller.ends_at if too_long else ends_at
        made = ApiKey(caller.org, label, sorted(wanted), self.now, caller.actor, end)
        self.keys[caller.org, number] = made
        return Expected(201, made.view() | {"key": ANY})

    def list_keys(self, query: Mapping[str, str], start: int) -> Expected:
        """Return keys, the newest first. No two are made at one time here."""
        keys = [made for made in self.keys.values() if made.org == self.caller.org]
        views = [made.view() for made in sorted(keys, key=lambda made: made.created_at, reverse=True)]
        return page("keys", views[start:], query, {"next_cursor": IfStated(ANY)})

    def revoke_key(self, key_id: str) -> Expected:
        """From now on no request can use it."""
        found = [key for key in self.keys.values() if (key.org, key.id) == (self.caller.org, key_id)]
        require(found, 404, "key_not_found")
        end = {"revoked_at": timestamp(self.now), "revoked_by": self.caller.actor}
        found[0].revoked = found[0].revoked or end
        return Expected(200, found[0].view())
