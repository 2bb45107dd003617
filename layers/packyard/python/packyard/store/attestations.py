"""The statements about images, as the ledger has them.

    read → sign → `write` the record → push what it names → `finish`

`write` and `finish` have the condition that the pack is neither deleted nor being deleted, and that the image is not
either. `finish` has the condition, too, that no purge of the repository has begun since it was claimed. So of a purge
and `finish`, one comes first: either the purge finds the record and removes what it names, or `finish` fails and
whoever has pushed removes it (`operations.attest`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from packyard.attestations.record import AttestationRecord, RecordStatus
from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageId, ImageState, ImageStatus
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.revision import Revision
from packyard.store.attestation_items import from_item, to_item
from packyard.store.history import revision_of
from packyard.store.image_state_items import STATUS, state_of
from packyard.store.keys import (
    ATTESTATIONS_PREFIX,
    IMAGE_PREFIX,
    PACK_ROW,
    attestations_key,
    image_key,
    name_key,
    pack_key,
    pack_partition,
    revision_key,
)
from packyard.store.pack_items import from_item as pack_from_item
from packyard.store.pack_items import pack_as_of
from packyard.store.repository_holds import Claim
from packyard.store.table import (
    Action,
    Check,
    ConditionFailed,
    Item,
    Put,
    Query,
    Table,
    TransactionFailed,
    Update,
    token_of,
)

_ROW_STATUS: Final = {"#status": "status"}
_ACTIVE: Final = {":active": PackStatus.ACTIVE.value}


class Overtaken(Exception):
    """Something that the write relied on has changed: read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestable:
    """An image of a pack, and what there is of statements about it.

    Attributes:
        now: The pack as it is; None if there is no row.
        then: The pack at the revision that has the image; None if there is no such revision, or if its entry does not
            say how the pack was.
        entry: What the history says of the revision; None if there is no such revision.
        before: The image of the revision before; None for the first one.
        state: The state of the image; None for one in use.
        record: What the ledger says of statements; None if nothing was signed.
    """

    now: Pack | None
    then: Pack | None
    entry: Revision | None
    before: Digest | None
    state: ImageState | None
    record: AttestationRecord | None

    @property
    def is_gone(self) -> bool:
        """Whether the pack or the image is deleted, or is being deleted for good."""
        if self.now is None or self.now.status is not PackStatus.ACTIVE:
            return True
        return self.state is not None and self.state.is_gone


class AttestationStore:
    """The statements about the images of all packs.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def read(self, image: ImageId, revision: int) -> Attestable:
        """Return what is known of an image that a revision has. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        keys = [
            pack_key(image.pack_id),
            revision_key(image.pack_id, revision),
            image_key(*image),
            attestations_key(*image),
        ]
        if revision > 1:
            keys.append(revision_key(image.pack_id, revision - 1))
        items = {item["SK"]: item for item in self._table.get_many(keys)}
        row, entry = items.get(PACK_ROW), items.get(revision_key(image.pack_id, revision)["SK"])
        earlier = items.get(revision_key(image.pack_id, revision - 1)["SK"])
        state = items.get(f"{IMAGE_PREFIX}{image.digest}")
        record = items.get(f"{ATTESTATIONS_PREFIX}{image.digest}")
        return Attestable(
            now=None if row is None else pack_from_item(row),
            then=None if row is None or entry is None else pack_as_of(row, entry),
            entry=None if entry is None else revision_of(entry),
            before=None if earlier is None else Digest(earlier["image_digest"]),
            state=None if state is None else state_of(state),
            record=None if record is None else from_item(record),
        )

    def find(self, image: ImageId) -> AttestationRecord | None:
        """Return what the ledger says of statements about an image; None for nothing. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(attestations_key(*image))
        return None if item is None else from_item(item)

    def manifests(self, pack_id: str) -> Iterator[Digest]:
        """Yield the digests of all manifests that attach statements to images of a pack. One read for each 1 MB.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        records = Query(
            condition="PK = :pack AND begins_with(SK, :prefix)",
            projection="manifests",
            values={":pack": pack_partition(pack_id), ":prefix": ATTESTATIONS_PREFIX},
        )
        page = self._table.query(records)
        while True:
            for item in page.items:
                yield from map(Digest, item["manifests"])
            if page.last_key is None:
                return
            page = self._table.query(records, start=page.last_key)

    def write(self, record: AttestationRecord, *, replaced: AttestationRecord | None) -> None:
        """Write what was signed, before it is pushed. One transaction.

        Args:
            record: What was signed.
            replaced: The record as it was read, which this one replaces; None if there was none.

        Raises:
            Overtaken: The record is another one by now, or the pack or the image is deleted or being deleted.
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        put = Put(item=to_item(record), condition="attribute_not_exists(PK)")
        action: Action = put if replaced is None else _replacement(record, replaced)
        image = ImageId(record.pack_id, record.image)
        self._transact([action, _pack_is_active(record.pack_id), _image_is_not_gone(image)])

    def finish(self, record: AttestationRecord, *, pack: Pack, claim: Claim) -> None:
        """Say that all that a record names is in the registry; on the pack's row too, if it has the image now.

        One transaction.

        Args:
            record: The record as it was written or read.
            pack: The pack as it was read.
            claim: The claim on the repository, from before the push.

        Raises:
            Overtaken: As for `write`; or a purge has begun in the repository, or the row has got or lost the image.
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        attached = Update(
            key=attestations_key(record.pack_id, record.image),
            change="SET attestation_status = :attached",
            condition="signed_at = :signed_at AND key_id = :key_id",
            values={
                ":attached": RecordStatus.ATTACHED.value,
                ":signed_at": to_item(record)["signed_at"],
                ":key_id": record.key_id,
            },
        )
        claimed = Check(
            key=name_key(claim.org_id, claim.name),
            condition="pack_id = :pack_id AND epoch = :epoch",
            values={":pack_id": record.pack_id, ":epoch": claim.epoch},
        )
        image = ImageId(record.pack_id, record.image)
        self._transact([attached, _mark(record, pack), _image_is_not_gone(image), claimed])

    def mark(self, record: AttestationRecord, *, pack: Pack) -> None:
        """Say on a pack's row that its image has statements: for an image that the pack has gone back to. One write.

        Raises:
            Overtaken: The pack has another image by now, or is deleted.
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        mark = _mark(record, pack)
        if not isinstance(mark, Update):
            return
        try:
            self._table.update(mark)
        except ConditionFailed:
            raise Overtaken from None

    def removed(self, record: AttestationRecord) -> None:
        """Say that nothing that a record names is in the registry any more. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        try:
            self._table.update(
                Update(
                    key=attestations_key(record.pack_id, record.image),
                    change="SET attestation_status = :removed",
                    condition="attestation_status = :signed",
                    values={":removed": RecordStatus.REMOVED.value, ":signed": RecordStatus.SIGNED.value},
                )
            )
        except ConditionFailed:
            return

    def _transact(self, actions: list[Action]) -> None:
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed:
            raise Overtaken from None


def _replacement(record: AttestationRecord, replaced: AttestationRecord) -> Update:
    """Return the change of a record whose statements have come to other bytes than were signed."""
    written: Item = to_item(
        replace(record, manifests=tuple(dict.fromkeys((*record.manifests, *replaced.manifests))))
    )
    changed = ("attestation_status", "key_id", "signed_at", "statements", "manifests")
    values: dict[str, Any] = {f":{name}": written[name] for name in changed}
    before = to_item(replaced)
    return Update(
        key=attestations_key(record.pack_id, record.image),
        change="SET " + ", ".join(f"#{name} = :{name}" for name in changed),
        condition="signed_at = :read_at AND attestation_status = :read_status",
        values=values | {":read_at": before["signed_at"], ":read_status": before["attestation_status"]},
        names={f"#{name}": name for name in changed},
    )


def _mark(record: AttestationRecord, pack: Pack) -> Action:
    key = pack_key(record.pack_id)
    if pack.image_digest != record.image:
        return Check(
            key=key,
            condition="#status = :active AND image_digest <> :image",
            values={**_ACTIVE, ":image": record.image},
            names=_ROW_STATUS,
        )
    return Update(
        key=key,
        change="SET attested = :image",
        condition="#status = :active AND image_digest = :image",
        values={**_ACTIVE, ":image": record.image},
        names=_ROW_STATUS,
    )


def _pack_is_active(pack_id: str) -> Check:
    return Check(key=pack_key(pack_id), condition="#status = :active", values=_ACTIVE, names=_ROW_STATUS)


def _image_is_not_gone(image: ImageId) -> Check:
    """Return the condition that nobody has begun to delete the image; one that is withdrawn can be restored."""
    return Check(
        key=image_key(*image),
        condition=f"attribute_not_exists(PK) OR {STATUS} IN (:active, :withdrawn)",
        values={":active": ImageStatus.ACTIVE.value, ":withdrawn": ImageStatus.WITHDRAWN.value},
    )
