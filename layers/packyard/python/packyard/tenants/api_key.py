"""API keys: their form, how they are stored, and their permissions."""

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
    """The permissions that a key was issued with."""

    FULL_ACCESS = "full_access"
    SUBMIT_OBSERVE = "submit_observe"
    READ_ONLY = "read_only"


# Reading needs no scope, so keys that may only read have none.
SCOPES: Final[Mapping[PermissionSet, frozenset[str]]] = MappingProxyType(
    {
        PermissionSet.FULL_ACCESS: frozenset({WRITE}),
        PermissionSet.SUBMIT_OBSERVE: frozenset(),
        PermissionSet.READ_ONLY: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An issued key as it is stored, without its secret.

    Attributes:
        key_hash: The hash of the secret, from `hash_secret`.
        org_id: The organisation that the key acts for.
        label: A name that the operator gave to the key.
        permission_set: The permissions of the key.
        created_at: When it was issued.
        revoked_at: When it was revoked; None if it was not.
        expires_at: From when on it is refused; None if it does not expire.
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
        """The key's id in histories and for the operator: the start of the hash, which does not disclose the secret."""
        return self.key_hash[:16]

    def is_live(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired at `now`.

        A key with `revoked_at` is refused even if that time is still to come, because the clock of the machine that
        revoked it may be ahead.
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
    """Return the SHA-256 of a secret in hex. The key is stored under this hash and looked up by it.

    Neither a salt nor a slow hash is needed, because a secret has 256 random bits and cannot be guessed (NIST SP
    800-63B, section 5.1.2.2, requires them below 112 bits). A plain hash lets one read find the key.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
