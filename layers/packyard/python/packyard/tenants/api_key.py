"""API keys: what they look like, how they are kept, and what they allow."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from packyard.tenants.caller import WRITE

PREFIX: Final = "sk_"
SECRET_BYTES: Final = 32


class PermissionSet(StrEnum):
    """What a key was issued for."""

    FULL_ACCESS = "full_access"
    SUBMIT_OBSERVE = "submit_observe"
    READ_ONLY = "read_only"


# Reading packs needs no scope, so that a key which may not write has none here.
SCOPES: Final[Mapping[PermissionSet, frozenset[str]]] = MappingProxyType(
    {
        PermissionSet.FULL_ACCESS: frozenset({WRITE}),
        PermissionSet.SUBMIT_OBSERVE: frozenset(),
        PermissionSet.READ_ONLY: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An issued key, as it is kept: its secret is not.

    Attributes:
        key_hash: What `hash_secret` made of the secret.
        org_id: The organisation that it acts for.
        label: What its holder calls it.
        revoked_at: When it was revoked; None for a key that was not.
        expires_at: From when it is void; None for a key that does not expire.
    """

    key_hash: str
    org_id: str
    label: str
    permission_set: PermissionSet
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def key_id(self) -> str:
        """What the history and the operator call the key: the hash's beginning, from which nothing follows."""
        return self.key_hash[:16]

    def is_live(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired at `now`.

        A revoked key is void at once, whenever that was: the clock of who revoked it may be ahead of ours.
        """
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret(random_bytes: bytes) -> str:
    """Return a new key's secret: `sk_` and 43 base64url characters.

    Args:
        random_bytes: 32 bytes from the operating system's random source.

    Raises:
        ValueError: Not 32 bytes.
    """
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"must be {SECRET_BYTES} random bytes")
    return PREFIX + urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret in hex, under which its key is kept and found.

    A plain hash, because a secret holds 256 random bits: there is nothing to guess that salt or a slow hash
    would protect (NIST SP 800-63B, section 5.1.2.2, asks for those below 112 bits), and one read finds the
    key.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
