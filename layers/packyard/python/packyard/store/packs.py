"""Packs: their rows and their histories."""

from collections.abc import Sequence
from typing import Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures
from packyard.oci.digest import Digest
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack, PackStatus, Visibility
from packyard.store.keys import REVISION_PREFIX, name_key, pack_key, pack_partition
from packyard.store.pack_items import from_item, history_entry, to_item
from packyard.store.repositories import Claim, ClaimLost, NameHeld
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

# The counter of other organisations' references is absent until there has been one.
NO_FOREIGN_REFERENCES: Final = "(attribute_not_exists(foreign_refs) OR foreign_refs = :none)"


class Stale(Exception):
    """The pack is not at the revision that was read.

    Args:
        current: The pack as it stands.
    """

    def __init__(self, current: Pack) -> None:
        super().__init__(f"{current.id} is at revision {current.revision}.")
        self.current = current


class Gone(Exception):
    """The pack has been deleted, or is being deleted.

    Args:
        current: The pack as it stands; None when even its row is gone.
    """

    def __init__(self, current: Pack | None) -> None:
        super().__init__("The pack is not active.")
        self.current = current


class Referenced(Exception):
    """Roles reference the pack.

    Args:
        own: How many roles of its own organisation.
        foreign: How many roles of others.
    """

    def __init__(self, *, own: int, foreign: int) -> None:
        super().__init__(f"{own} own and {foreign} foreign roles reference the pack.")
        self.own = own
        self.foreign = foreign


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

    def get_many(self, pack_ids: Sequence[str]) -> dict[str, Pack]:
        """Return those of the packs that are there by id, as they stand now, deleted ones included. One read.

        Args:
            pack_ids: At most 100, each once.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or not in full.
        """
        items = self._table.get_many([pack_key(pack_id) for pack_id in pack_ids])
        return {item["id"]: from_item(item) for item in items}

    def find_by_name(self, *, org_id: str, name: PackName) -> str | None:
        """Return the id of the organisation's pack of this name, or None. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(name_key(org_id, name))
        return None if item is None else item.get("pack_id")

    def create(  # noqa: PLR0913 - by name, and half of them for the history
        self,
        pack: Pack,
        *,
        actor: str,
        operation: str,
        claim: Claim,
        manifests: Sequence[Digest] = (),
        alongside: Sequence[Action] = (),
    ) -> None:
        """Write a new pack, its name and the first entry of its history, all or none. One transaction.

        Args:
            pack: The pack, at revision 1.
            actor: Who publishes, for the history.
            operation: What created it, for the history.
            claim: The share in the repository that was taken before the image was pushed.
            manifests: What the image has beside its index, for the history.
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
        enter = Put(
            item=history_entry(pack, actor, operation, manifests), condition="attribute_not_exists(PK)"
        )
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
        _count_revision(operation, image=pack)

    def change(  # noqa: PLR0913 - by name, and half of them for the history
        self,
        before: Pack,
        after: Pack,
        *,
        actor: str,
        operation: str,
        claim: Claim | None = None,
        manifests: Sequence[Digest] = (),
        alongside: Sequence[Action] = (),
    ) -> None:
        """Write the next revision of a pack and its entry in the history, all or none. One transaction.

        Only what differs is written, so that what else the row holds stays: the counters of references, and what
        later versions of the service keep there. A pack that is withdrawn from the community must not be referenced
        by another organisation's role; the condition is this write's own.

        Args:
            before: The pack as it was read.
            after: The same at the next revision: `before.revised(...)`.
            actor: Who changes it, for the history.
            operation: What changes it, for the history.
            claim: For a new image in our registry, the share in the repository that was taken before the push.
            manifests: What that image has beside its index, for the history.
            alongside: What else the transaction writes, on conditions of its own.

        Raises:
            Stale: The pack is at another revision by now.
            Gone: The pack is being deleted, or is deleted.
            Referenced: It cannot be withdrawn from the community.
            ClaimLost: A cleaner has been in the repository since it was claimed.
            TransactionFailed: A condition of `alongside` did not hold.
            ServiceUnavailable: DynamoDB did not answer; whether the change was written is not known.
        """
        entry = Put(
            item=history_entry(after, actor, operation, manifests), condition="attribute_not_exists(PK)"
        )
        claims = [] if claim is None else [_still_claimed(claim, after.id)]
        actions = [_row_change(before, after), entry, *claims, *alongside]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            row, _, *others = failure.reasons
            if row.condition_failed:
                raise _refusal(row.old, before.revision) from None
            if claims and others[0].condition_failed:
                raise ClaimLost from None
            raise
        _count_revision(operation, image=None if after.image_digest == before.image_digest else after)

    def adopt_image(self, pack_id: str) -> bool:
        """Note that a registered pack has an image that we pushed, so that its deletion purges it. One write.

        Args:
            pack_id: The pack; its image lies in our registry, in the repository of its name.

        Returns:
            Whether it is noted: not when the pack is being deleted, or is gone.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            self._table.update(
                Update(
                    key=pack_key(pack_id),
                    change="SET adopted = :true",
                    condition="#status = :active",
                    values={":true": True, ":active": PackStatus.ACTIVE.value},
                    names={"#status": "status"},
                )
            )
        except ConditionFailed:
            return False
        return True

    def uses_digest(self, pack_id: str, digest: Digest) -> bool:
        """Return whether a pack's image is, or ever was, or has or had in it, the manifest of this digest.

        Every write to a row enters its digest into the history in the same transaction, and with it those that the
        index lists, so the history answers for all. It is read consistently, page by page, until the digest is found.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return bool(self.used_digests(pack_id, [digest]))

    def used_digests(self, pack_id: str, digests: Sequence[Digest]) -> frozenset[Digest]:
        """Return which of these `uses_digest` says yes to; reads the history no further than it takes.

        It begins with the newest revisions: what is asked about has mostly just been pushed.

        Args:
            pack_id: The pack.
            digests: At most 32.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        wanted, found = frozenset(digests), set[Digest]()
        entries = Query(
            condition="PK = :pack AND begins_with(SK, :revision)",
            filter=" OR ".join(
                f"image_digest = :d{number} OR contains(manifests, :d{number})"
                for number in range(len(digests))
            ),
            projection="image_digest, manifests",
            values={":pack": pack_partition(pack_id), ":revision": REVISION_PREFIX}
            | {f":d{number}": digest for number, digest in enumerate(digests)},
            backwards=True,
        )
        page = self._table.query(entries)
        while True:
            for entry in page.items:
                found |= wanted & {entry["image_digest"], *entry.get("manifests", ())}
            if found == wanted or page.last_key is None:
                return frozenset(found)
            page = self._table.query(entries, start=page.last_key)


def _count_revision(operation: str, *, image: Pack | None) -> None:
    """Count a revision that has been written, and the bytes of its image if it is a new one."""
    written = {"PackRevisions": (1.0, MetricUnit.Count)}
    if image is not None:
        written["ImageBytes"] = (image.size_bytes, MetricUnit.Bytes)
    figures.record(written, operation=operation)


def _transaction_token(pack: Pack) -> str:
    """Return what names the write of this pack at this revision: at most 36 characters."""
    return f"{pack.id.removeprefix('pack_')}-{pack.revision}"


def _row_change(before: Pack, after: Pack) -> Update:
    old, new = to_item(before), to_item(after)
    written = {name: value for name, value in new.items() if old.get(name) != value}
    removed = sorted(old.keys() - new.keys())
    change = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
    if removed:
        change += " REMOVE " + ", ".join(f"#{name}" for name in removed)
    condition = "#revision = :read_revision AND #status = :active"
    values: dict[str, Any] = {":read_revision": before.revision, ":active": PackStatus.ACTIVE.value}
    if before.visibility is Visibility.COMMUNITY and after.visibility is not Visibility.COMMUNITY:
        condition += f" AND {NO_FOREIGN_REFERENCES}"
        values[":none"] = 0
    return Update(
        key=pack_key(before.id),
        change=change,
        condition=condition,
        values=values | {f":{name}": value for name, value in written.items()},
        # By placeholder throughout: which words DynamoDB reserves is no concern of a pack's fields.
        names={f"#{name}": name for name in sorted({*written, *removed, "revision", "status"})},
    )


def _still_claimed(claim: Claim, pack_id: str) -> Check:
    return Check(
        key=name_key(claim.org_id, claim.name),
        condition="pack_id = :pack_id AND epoch = :epoch",
        values={":pack_id": pack_id, ":epoch": claim.epoch},
    )


def _refusal(row: Item | None, read_revision: int) -> Exception:
    """Return why a row did not take a change, from the row as it stood then."""
    current = None if row is None else from_item(row)
    if row is None or current is None or current.status is not PackStatus.ACTIVE:
        return Gone(current)
    if current.revision != read_revision:
        return Stale(current)
    return Referenced(own=int(row.get("own_refs", 0)), foreign=int(row.get("foreign_refs", 0)))
