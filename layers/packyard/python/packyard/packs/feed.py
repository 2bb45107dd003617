"""Feeds: read-only addresses of packs for agents' own clients, which cannot send a credential (contract, section 12).

A feed serves the packs of one role, at the revisions that it pins, or a list of packs, at their current revisions. The
address holds a secret. Whoever has it may read what the feed serves, and nothing else.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final

PREFIX: Final = "pyf_"
SECRET_BYTES: Final = 32
FEED_ID: Final = re.compile(r"feed_[0-7][0-9A-HJKMNP-TV-Z]{25}")
MAX_LABEL_CHARACTERS: Final = 120
# Who logs in at the distribution door with the secret of a feed. A role may have this name too.
USER: Final = "feed"
# What a token of the distribution door says instead of a role's id: this and a feed's id. No role's id has a colon.
OF_A_FEED: Final = "feed:"
# A door reads the row of each of them for each request.
MAX_PACKS: Final = 100
# Of one organisation, those included that have expired and were not removed.
MAX_FEEDS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as it is stored, without its secret. Nothing of it ever changes; it is made and removed.

    Attributes:
        id: `feed_` and a ULID; never reused.
        secret_hash: The hash of the secret, from `hash_secret`.
        org_id: The organisation whose feed it is. It serves what that organisation may see.
        created_at: When it was made.
        created_by: Who made it, a principal.
        role_id: The role whose pins it serves; None if it serves a list of packs.
        pack_ids: The packs whose current revisions it serves, in their order; empty if it serves a role.
        label: A name for people; None for none.
        expires_at: From when on it is refused; None for never.
    """

    id: str
    secret_hash: str
    org_id: str
    created_at: datetime
    created_by: str
    role_id: str | None = None
    pack_ids: tuple[str, ...] = ()
    label: str | None = None
    expires_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Return whether it serves anything at `now`."""
        return self.expires_at is None or now < self.expires_at


def is_feed_id(text: str) -> bool:
    """Return whether `text` has the form of a feed's id."""
    return FEED_ID.fullmatch(text) is not None


def new_secret(random_bytes: bytes) -> str:
    """Return a new feed's secret: `pyf_` and 43 base64url characters, so that it stands in a path as it is.

    Args:
        random_bytes: 32 bytes from the operating system's random source.

    Raises:
        ValueError: Not 32 bytes.
    """
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"must be {SECRET_BYTES} random bytes")
    return PREFIX + urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret in hex, under which its feed is stored.

    As for API keys, 256 random bits need neither a salt nor a slow hash. Any text has a hash, so that one which is no
    secret is looked up like one.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
