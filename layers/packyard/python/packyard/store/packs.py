"""Packs: their rows and their ledgers."""

from collections.abc import Sequence
from typing import Any

from packyard.oci.digest import Digest
from packyard.packs.name import PackName
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Tier, Visibility
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.packs.version import Version
from packyard.store.keys import (
    REVISION_PREFIX,
    community_partition,
    community_shard,
    listing_key,
    name_key,
    owned_partition,
    pack_key,
    pack_partition,
    revision_key,
)
from packyard.store.repositories import Claim, ClaimLost, NameHeld
from packyard.store.table import Item, Put, Query, Table, TransactionFailed, Update


class PackStore:
    """The packs of all organisations.

    Args:
        table: Where they are kept.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def get(self, pack_id: str) -> Pack | None:
        """Return a pack as it stands now, a deleted one included, or None. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(pack_key(pack_id))
        return None if item is None else from_item(item)

    def find_by_name(self, *, org_id: str, name: PackName) -> str | None:
        """Return the id of the organisation's pack of this name, or None. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(name_key(org_id, name))
        return None if item is None else item.get("pack_id")

    def create(
        self, pack: Pack, *, actor: str, operation: str, claim: Claim, alongside: Sequence[Update] = ()
    ) -> None:
        """Write a new pack, its name and the first entry of its ledger, all or none. One transaction.

        Args:
            pack: The pack, at revision 1.
            actor: Who publishes, for the ledger.
            operation: What created it, for the ledger.
            claim: The share in the repository that was taken before the image was pushed.
            alongside: What else the transaction writes, on conditions of its own.

        Raises:
            NameHeld: Another pack of the organisation has taken the name since it was claimed.
            ClaimLost: A cleaner has been in the repository since it was claimed.
            TransactionFailed: A condition of `alongside` did not hold.
            ServiceUnavailable: DynamoDB did not answer; whether the pack was written is not known.
        """
        take_name = Update(
            key=name_key(claim.org_id, claim.name),
            change="SET pack_id = :pack_id REMOVE expires_at",
            condition="attribute_not_exists(pack_id) AND epoch = :epoch",
            values={":pack_id": pack.id, ":epoch": claim.epoch},
        )
        write_pack = Put(item=to_item(pack), condition="attribute_not_exists(PK)")
        enter = Put(item=ledger_entry(pack, actor, operation), condition="attribute_not_exists(PK)")
        try:
            self._table.transact([take_name, write_pack, enter, *alongside], token=_transaction_token(pack))
        except TransactionFailed as failure:
            name = failure.reasons[0]
            if not name.condition_failed:
                raise
            holder = (name.old or {}).get("pack_id")
            if holder is None:
                raise ClaimLost from None
            # Our own id there: this transaction went through before, and its answer was lost.
            if holder != pack.id:
                raise NameHeld(holder) from None

    def uses_digest(self, pack_id: str, digest: Digest) -> bool:
        """Return whether a pack's image is, or ever was, the one of this digest.

        Every write to a row enters its digest into the ledger in the same transaction, so the ledger answers
        for both. It is read consistently, page by page, until the digest is found.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        entries = Query(
            condition="PK = :pack AND begins_with(SK, :revision)",
            filter="image_digest = :digest",
            projection="SK",
            values={":pack": pack_partition(pack_id), ":revision": REVISION_PREFIX, ":digest": digest},
        )
        page = self._table.query(entries)
        while not page.items and page.last_key is not None:
            page = self._table.query(entries, start=page.last_key)
        return bool(page.items)


def to_item(pack: Pack) -> Item:
    """Return a pack as its row; the index keys make it appear in listings, which a deleted pack does not."""
    item: dict[str, Any] = {
        **pack_key(pack.id),
        "id": pack.id,
        "org_id": pack.org_id,
        "name": pack.name,
        "display_name": pack.display_name,
        "version": pack.version,
        "tier": pack.tier.value,
        "visibility": pack.visibility.value,
        "image_origin": pack.image_origin.value,
        "image_ref": pack.image_ref,
        "image_digest": pack.image_digest,
        "size_bytes": pack.size_bytes,
        "created_at": format_timestamp(pack.created_at),
        "updated_at": format_timestamp(pack.updated_at),
        "revision": pack.revision,
        "status": pack.status.value,
        "description": pack.description,
        "category": pack.category,
        "capabilities": pack.capabilities,
        "suggested_packs": list(pack.suggested_packs) or None,
        "content_digest": pack.content_digest,
        **_index_keys(pack),
    }
    return {name: value for name, value in item.items() if value is not None}


def _index_keys(pack: Pack) -> dict[str, str]:
    if pack.status is PackStatus.DELETED:
        return {}
    sort_key = listing_key(pack.name, pack.id)
    owned = {"GSI1PK": owned_partition(pack.org_id, pack.visibility.value), "GSI1SK": sort_key}
    if pack.visibility is not Visibility.COMMUNITY:
        return owned
    return {**owned, "GSI2PK": community_partition(community_shard(pack.id)), "GSI2SK": sort_key}


def from_item(item: Item) -> Pack:
    """Return the pack of a row; attributes that this version does not know are passed over."""
    content_digest = item.get("content_digest")
    return Pack(
        id=item["id"],
        org_id=item["org_id"],
        name=PackName(item["name"]),
        display_name=item["display_name"],
        version=Version(item["version"]),
        tier=Tier(item["tier"]),
        visibility=Visibility(item["visibility"]),
        image_origin=ImageOrigin(item["image_origin"]),
        image_ref=item["image_ref"],
        image_digest=Digest(item["image_digest"]),
        size_bytes=int(item["size_bytes"]),
        created_at=parse_timestamp(item["created_at"]),
        updated_at=parse_timestamp(item["updated_at"]),
        revision=int(item["revision"]),
        status=PackStatus(item["status"]),
        description=item.get("description"),
        category=item.get("category"),
        capabilities=item.get("capabilities"),
        suggested_packs=tuple(item.get("suggested_packs", ())),
        content_digest=None if content_digest is None else Digest(content_digest),
    )


def ledger_entry(pack: Pack, actor: str, operation: str) -> Item:
    """Return the ledger's entry about the write that brought a pack to its revision."""
    return {
        **revision_key(pack.id, pack.revision),
        "revision": pack.revision,
        "operation": operation,
        "version": pack.version,
        "image_digest": pack.image_digest,
        "actor": actor,
        "at": format_timestamp(pack.updated_at),
    }


def _transaction_token(pack: Pack) -> str:
    """Return what names the write of this pack at this revision: at most 36 characters."""
    return f"{pack.id.removeprefix('pack_')}-{pack.revision}"
