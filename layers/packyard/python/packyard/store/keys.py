"""Primary and index keys: every string that the table is addressed by, and nothing else."""

import hashlib
from datetime import datetime
from typing import Final

from packyard.packs.timestamp import format_timestamp

Key = dict[str, str]

# Community packs are spread over this many partitions of GSI2, so that no single one takes every listing of
# every organisation. It is part of what is stored: another number needs every community pack written anew.
COMMUNITY_SHARDS: Final = 4

_PACK_PREFIX: Final = "PACK#"
REVISION_PREFIX: Final = "REV#"
# The only partition of GSI3: packs that are being deleted, so that it is empty but for what is under way or stuck.
DELETING_PARTITION: Final = "DELETING"


def pack_key(pack_id: str) -> Key:
    """Return the key of a pack's row."""
    return {"PK": pack_partition(pack_id), "SK": "PACK"}


def pack_partition(pack_id: str) -> str:
    """Return the partition that holds a pack's row, its history and the references to it."""
    return f"PACK#{pack_id}"


def revision_key(pack_id: str, revision: int) -> Key:
    """Return the key of a history entry; zero-padded, so that keys sort as numbers do."""
    return {"PK": pack_partition(pack_id), "SK": f"{REVISION_PREFIX}{revision:010d}"}


def reference_key(pack_id: str, org_id: str, role_id: str) -> Key:
    """Return the key of a role's reference to a pack."""
    return {"PK": pack_partition(pack_id), "SK": f"{reference_prefix(org_id)}{role_id}"}


def reference_prefix(org_id: str) -> str:
    """Return what the sort keys begin with of the references that an organisation's roles have to a pack."""
    return f"REF#{org_id}#"


def role_key(org_id: str, role_id: str) -> Key:
    """Return the key of a role."""
    return {"PK": f"ORG#{org_id}", "SK": f"ROLE#{role_id}"}


def role_revision_key(org_id: str, role_id: str, revision: int) -> Key:
    """Return the key of an entry of a role's history."""
    return {"PK": f"ROLE#{org_id}#{role_id}", "SK": f"{REVISION_PREFIX}{revision:010d}"}


def name_key(org_id: str, name: str) -> Key:
    """Return the key of a name within an organisation."""
    return {"PK": f"ORG#{org_id}", "SK": f"NAME#{name}"}


def org_key(org_id: str) -> Key:
    """Return the key of an organisation."""
    return {"PK": f"ORG#{org_id}", "SK": "ORG"}


def api_key_key(key_hash: str) -> Key:
    """Return the key of an API key."""
    return {"PK": f"KEY#{key_hash}", "SK": "KEY"}


def slug_key(slug: str) -> Key:
    """Return the key of an organisation's slug."""
    return {"PK": f"SLUG#{slug}", "SK": "SLUG"}


def api_keys_partition(org_id: str) -> str:
    """Return the GSI1 partition of an organisation's API keys."""
    return f"ORG#{org_id}#keys"


def api_key_index_key(org_id: str, created_at: str, key_hash: str) -> Key:
    """Return what lists an API key among those of its organisation, the oldest first."""
    return {"GSI1PK": api_keys_partition(org_id), "GSI1SK": f"KEY#{created_at}#{key_hash}"}


def upload_key(upload_id: str) -> Key:
    """Return the key of a staged upload."""
    return {"PK": f"UPLOAD#{upload_id}", "SK": "UPLOAD"}


def answer_key(idempotency_key: str) -> Key:
    """Return the key of what was answered to a request with an idempotency key.

    Args:
        idempotency_key: The organisation, the operation, and a hash of the client's key.
    """
    return {"PK": f"ANSWER#{idempotency_key}", "SK": "ANSWER"}


def owned_partition(org_id: str, visibility: str) -> str:
    """Return the GSI1 partition of an organisation's packs of one visibility."""
    return f"ORG#{org_id}#{visibility}"


def deleting_index_key(pack_id: str, asked_at: datetime) -> Key:
    """Return what lists a pack among those that are being deleted, the longest waiting first."""
    return {"GSI3PK": DELETING_PARTITION, "GSI3SK": f"{format_timestamp(asked_at)}#{pack_id}"}


def community_partition(shard: int) -> str:
    """Return a GSI2 partition."""
    return f"COMMUNITY#{shard}"


def community_shard(pack_id: str) -> int:
    """Return the shard of a pack: stable for its life, even over the shards."""
    return hashlib.sha256(pack_id.encode()).digest()[0] % COMMUNITY_SHARDS


def listing_key(name: str, pack_id: str) -> str:
    """Return the sort key of both indexes: by name, then by id.

    `#` sorts before every character of a slug, so that a name comes before those which it begins.
    """
    return f"{_PACK_PREFIX}{name}#{pack_id}"


def listing_range(name_prefix: str, after: str | None) -> tuple[str, str]:
    """Return the first and the last sort key, both included, of a listing.

    Args:
        name_prefix: What the names begin with; empty for all.
        after: The listing key to go on behind; None to begin at the start.
    """
    start = f"{_PACK_PREFIX}{name_prefix}"
    # Ids have one length, so no listing key begins with another one, and `after` with a character more is
    # just behind it. `~` sorts behind every character of a slug.
    return max(start, f"{after}!") if after is not None else start, f"{start}~"
