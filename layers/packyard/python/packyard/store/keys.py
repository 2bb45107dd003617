"""The primary keys and index keys of all items in the table."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from packyard.packs.manifest.version import Version, precedence
from packyard.packs.timestamp import format_timestamp

Key = dict[str, str]

# Community packs are spread over this many partitions of GSI2, because every listing of every organisation reads them
# and one partition would be hot. The number is part of the stored keys: changing it means rewriting each community
# pack.
COMMUNITY_SHARDS: Final = 4

# Every publish writes a result, so that one partition of GSI3 would be hot. The number is part of the stored keys.
SCAN_SHARDS: Final = 4

_PACK_PREFIX: Final = "PACK#"
# The sort key of a pack's row.
PACK_ROW: Final = "PACK"
API_KEY_PREFIX: Final = "KEY#"
REVISION_PREFIX: Final = "REV#"
IMAGE_PREFIX: Final = "IMAGE#"
ATTESTATIONS_PREFIX: Final = "ATTEST#"
# What the scanner says of images of a pack, and the overrides of the pack.
SCAN_PREFIX: Final = "SCAN#"
SEARCH_PREFIX: Final = "WORD#"
VERSION_PREFIX: Final = "VERSION#"
FEED_USE_PREFIX: Final = "USE#"
# The only partition of the public keys that have signed statements.
SIGNING_KEYS_PARTITION: Final = "SIGNING#KEYS"
# The only partition of GSI3. It lists the packs that are being deleted.
DELETING_PARTITION: Final = "DELETING"

# The index that lists the events of one pack, of one role, of one type or of one actor.
EVENT_INDEXES: Final[Mapping[str, str]] = MappingProxyType(
    {"pack": "GSI1", "role": "GSI2", "type": "GSI3", "actor": "GSI4"}
)


def pack_key(pack_id: str) -> Key:
    """Return the key of a pack's row."""
    return {"PK": pack_partition(pack_id), "SK": PACK_ROW}


def pack_partition(pack_id: str) -> str:
    """Return the partition key of a pack's row, its history and the references to it."""
    return f"PACK#{pack_id}"


def revision_key(pack_id: str, revision: int) -> Key:
    """Return the key of an entry in a pack's history. Revisions are zero-padded, so that they sort as numbers."""
    return {"PK": pack_partition(pack_id), "SK": f"{REVISION_PREFIX}{revision:010d}"}


def image_key(pack_id: str, digest: str) -> Key:
    """Return the key of the state of an image in a pack's history: whether it is withdrawn or deleted."""
    return {"PK": pack_partition(pack_id), "SK": f"{IMAGE_PREFIX}{digest}"}


def attestations_key(pack_id: str, digest: str) -> Key:
    """Return the key of what the ledger says of statements about an image of a pack."""
    return {"PK": pack_partition(pack_id), "SK": f"{ATTESTATIONS_PREFIX}{digest}"}


def signing_key_key(key_id: str) -> Key:
    """Return the key of a public key that has signed statements."""
    return {"PK": SIGNING_KEYS_PARTITION, "SK": key_id}


def clones_key(pack_id: str, digest: str) -> Key:
    """Return the key of the number of clones that were made of an image of a pack."""
    return {"PK": pack_partition(pack_id), "SK": f"CLONES#{digest}"}


def brought_key(pack_id: str, digest: str) -> Key:
    """Return the key of what an image of a pack brings: its signatures and attestations."""
    return {"PK": pack_partition(pack_id), "SK": f"BROUGHT#{digest}"}


def scan_key(pack_id: str, digest: str) -> Key:
    """Return the key of the result of scanning an image of a pack."""
    return {"PK": pack_partition(pack_id), "SK": f"{SCAN_PREFIX}{digest}"}


def scan_overrides_key(pack_id: str) -> Key:
    """Return the key of the item that has a pack's scan overrides."""
    return {"PK": pack_partition(pack_id), "SK": f"{SCAN_PREFIX}OVERRIDES"}


def scan_policy_key(org_id: str) -> Key:
    """Return the key of an organisation's scan policy."""
    return {"PK": f"ORG#{org_id}", "SK": "SCANPOLICY"}


def scans_partition(shard: int) -> str:
    """Return the partition key of a shard of the results in GSI3, which say when an image is to be scanned again."""
    return f"SCANS#{shard}"


def scan_index_key(pack_id: str, digest: str, order: str) -> Key:
    """Return the GSI3 key of a result. Its shard follows from the pack's id.

    Args:
        pack_id: The pack.
        digest: The image.
        order: What the results of a shard are sorted by.
    """
    shard = hashlib.sha256(pack_id.encode()).digest()[1] % SCAN_SHARDS
    return {"GSI3PK": scans_partition(shard), "GSI3SK": f"{order}#{pack_id}#{digest}"}


def reference_key(pack_id: str, org_id: str, role_id: str) -> Key:
    """Return the key of a role's reference to a pack."""
    return {"PK": pack_partition(pack_id), "SK": f"{reference_prefix(org_id)}{role_id}"}


def reference_prefix(org_id: str) -> str:
    """Return the sort key prefix of all references to a pack by an organisation's roles."""
    return f"REF#{org_id}#"


def role_key(org_id: str, role_id: str) -> Key:
    """Return the key of a role."""
    return {"PK": f"ORG#{org_id}", "SK": f"ROLE#{role_id}"}


def role_partition(org_id: str, role_id: str) -> str:
    """Return the partition key of a role's history."""
    return f"ROLE#{org_id}#{role_id}"


def role_revision_key(org_id: str, role_id: str, revision: int) -> Key:
    """Return the key of an entry in a role's history."""
    return {"PK": role_partition(org_id, role_id), "SK": f"{REVISION_PREFIX}{revision:010d}"}


def name_key(org_id: str, name: str) -> Key:
    """Return the key of a name within an organisation."""
    return {"PK": f"ORG#{org_id}", "SK": f"NAME#{name}"}


def org_key(org_id: str) -> Key:
    """Return the key of an organisation."""
    return {"PK": f"ORG#{org_id}", "SK": "ORG"}


def signature_policy_key(org_id: str) -> Key:
    """Return the key of an organisation's signature policy."""
    return {"PK": f"ORG#{org_id}", "SK": "SIGNATURES"}


def api_key_key(key_hash: str) -> Key:
    """Return the key of an API key."""
    return {"PK": f"{API_KEY_PREFIX}{key_hash}", "SK": "KEY"}


def slug_key(slug: str) -> Key:
    """Return the key of an organisation's slug."""
    return {"PK": f"SLUG#{slug}", "SK": "SLUG"}


def api_keys_partition(org_id: str) -> str:
    """Return the GSI1 partition of an organisation's API keys."""
    return f"ORG#{org_id}#keys"


def api_key_index_key(org_id: str, created_at: str, key_hash: str) -> Key:
    """Return the GSI1 key of an API key: by organisation, the oldest first."""
    return {"GSI1PK": api_keys_partition(org_id), "GSI1SK": f"{API_KEY_PREFIX}{created_at}#{key_hash}"}


def event_key(org_id: str, event_id: str) -> Key:
    """Return the key of an event. An organisation's events are in one partition, in the order of their ids."""
    return {"PK": f"EVENTS#{org_id}", "SK": event_id}


def events_of_partition(org_id: str, facet: str, value: str) -> str:
    """Return the partition of events in the index of a facet.

    Args:
        org_id: The organisation whose events they are.
        facet: A key of `EVENT_INDEXES`.
        value: The pack, the role, the type or the actor.
    """
    return f"EVENTS#{org_id}#{facet.upper()}#{value}"


def event_index_key(org_id: str, event_id: str, facet: str, value: str) -> Key:
    """Return the key of an event in the index of a facet; see `events_of_partition`."""
    index = EVENT_INDEXES[facet]
    return {f"{index}PK": events_of_partition(org_id, facet, value), f"{index}SK": event_id}


def webhooks_key(org_id: str) -> Key:
    """Return the key of the item that has an organisation's webhooks."""
    return {"PK": f"HOOKS#{org_id}", "SK": "HOOKS"}


def deliveries_partition(org_id: str, webhook_id: str) -> str:
    """Return the partition key of the deliveries to a webhook."""
    return f"DELIVERIES#{org_id}#{webhook_id}"


def delivery_key(org_id: str, webhook_id: str, delivery_id: str) -> Key:
    """Return the key of a delivery. Ids are ULIDs, so a webhook's deliveries are in the order of their events."""
    return {"PK": deliveries_partition(org_id, webhook_id), "SK": delivery_id}


def publishers_partition(org_id: str) -> str:
    """Return the partition key of an organisation's trusted publishers."""
    return f"PUBLISHERS#{org_id}"


def publisher_key(org_id: str, pack_name: str, publisher_id: str) -> Key:
    """Return the key of a trusted publisher. Publishers sort by pack, and then by their ids, which are ULIDs."""
    return {"PK": publishers_partition(org_id), "SK": f"{pack_name}#{publisher_id}"}


def publisher_count_key(org_id: str) -> Key:
    """Return the key of the number of an organisation's trusted publishers."""
    return {"PK": f"{publishers_partition(org_id)}#count", "SK": "COUNT"}


def feed_key(secret_hash: str) -> Key:
    """Return the key of a feed, by the hash of its secret."""
    return {"PK": f"FEED#{secret_hash}", "SK": "FEED"}


def feed_use_key(secret_hash: str, day: str) -> Key:
    """Return the key of what is known of a feed's use on a day, which is in the form of ISO 8601."""
    return {"PK": f"FEED#{secret_hash}", "SK": f"{FEED_USE_PREFIX}{day}"}


def feeds_partition(org_id: str) -> str:
    """Return the partition key of an organisation's list of feeds."""
    return f"FEEDS#{org_id}"


def feed_entry_key(org_id: str, feed_id: str) -> Key:
    """Return the key of a feed in its organisation's list. Ids have ULIDs, so that the list is by age."""
    return {"PK": feeds_partition(org_id), "SK": feed_id}


def feed_count_key(org_id: str) -> Key:
    """Return the key of the number of an organisation's feeds."""
    return {"PK": f"{feeds_partition(org_id)}#count", "SK": "COUNT"}


def used_token_key(use: str) -> Key:
    """Return the key of a token of CI that was used.

    Args:
        use: The token's hash (`CiToken.use`).
    """
    return {"PK": f"USED#{use}", "SK": "USED"}


def usage_key(org_id: str) -> Key:
    """Return the key of what an organisation uses and may use, builds apart."""
    return {"PK": f"USAGE#{org_id}", "SK": "USAGE"}


def build_slots_key(org_id: str) -> Key:
    """Return the key of an organisation's builds that are under way, and of the limit on them."""
    return {"PK": f"USAGE#{org_id}", "SK": "BUILDS"}


def upload_key(upload_id: str) -> Key:
    """Return the key of a staged upload."""
    return {"PK": f"UPLOAD#{upload_id}", "SK": "UPLOAD"}


def answer_key(idempotency_key: str) -> Key:
    """Return the key of an idempotency record.

    Args:
        idempotency_key: The organisation, the operation and a hash of the client's key, joined by `#`.
    """
    return {"PK": f"ANSWER#{idempotency_key}", "SK": "ANSWER"}


def owned_partition(org_id: str, visibility: str) -> str:
    """Return the GSI1 partition of an organisation's packs of one visibility."""
    return f"ORG#{org_id}#{visibility}"


def versions_partition(org_id: str, name: str) -> str:
    """Return the partition of the versions that an organisation has published under a name."""
    return f"{VERSION_PREFIX}{org_id}#{name}"


def version_key(org_id: str, name: str, version: Version) -> Key:
    """Return the key of a published version. The versions of a name sort by precedence, and then by build metadata."""
    _, plus, build = version.partition("+")
    return {"PK": versions_partition(org_id, name), "SK": f"{precedence(version)}{plus}{build}"}


def search_partition(part: str, word: str) -> str:
    """Return the partition of a word in a part of the search index. Words with one first character share it.

    Args:
        part: An organisation's id, or `COMMUNITY`.
        word: The word, folded; the start of one is enough.
    """
    return f"{SEARCH_PREFIX}{part}#{word[0]}"


def deleting_index_key(pack_id: str, asked_at: datetime) -> Key:
    """Return the GSI3 key of a pack that is being deleted, the oldest deletion first."""
    return {"GSI3PK": DELETING_PARTITION, "GSI3SK": f"{format_timestamp(asked_at)}#{pack_id}"}


def community_partition(shard: int) -> str:
    """Return the partition key of a shard of GSI2."""
    return f"COMMUNITY#{shard}"


def community_shard(pack_id: str) -> int:
    """Return the shard of a pack, 0 to 3. It never changes, and packs are distributed evenly."""
    return hashlib.sha256(pack_id.encode()).digest()[0] % COMMUNITY_SHARDS


def listing_key(name: str, pack_id: str) -> str:
    """Return a pack's sort key in GSI1 and GSI2: by name, then by id.

    `#` sorts before every character of a slug, so a name comes before longer names that start with it.
    """
    return f"{_PACK_PREFIX}{name}#{pack_id}"


def listing_range(name_prefix: str, after: str | None) -> tuple[str, str]:
    """Return the first and the last sort key of a listing, both inclusive.

    Args:
        name_prefix: The start of the names to list; empty for all.
        after: The listing key after which to continue; None to begin at the start.
    """
    start = f"{_PACK_PREFIX}{name_prefix}"
    # All ids have the same length, so no listing key is a prefix of another one. So `after` with one character appended
    # sorts after `after` and before the next key. `~` sorts after every character of a slug.
    return max(start, f"{after}!") if after is not None else start, f"{start}~"
