"""Packs: their rows and their revision histories."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageState
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack, PackStatus, Visibility
from packyard.store.events import EventLog
from packyard.store.image_state_items import ImageNotUsable, state_of, usable
from packyard.store.keys import (
    REVISION_PREFIX,
    image_key,
    name_key,
    pack_key,
    pack_partition,
    revision_key,
    usage_key,
)
from packyard.store.pack_items import from_item, history_entry, pack_as_of, to_item
from packyard.store.published_versions import VersionHeld, publication
from packyard.store.repository_holds import Claim, ClaimLost, NameHeld
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
from packyard.store.usage import NO_LIMITS, UsageLedger
from packyard.tenants.version_policy import VersionPolicy

if TYPE_CHECKING:
    # Functions that do not publish load nothing about scans.
    from packyard.scanning.result import ScanResult

# The counter of references by other organisations' roles does not exist before the first such reference.
NO_FOREIGN_REFERENCES: Final = "(attribute_not_exists(foreign_refs) OR foreign_refs = :none)"

_STORED: Final = "stored_bytes"

# How much of a history is searched for an image, in pages of 1 MiB: hundreds of revisions at least.
_MOST_PAGES: Final = 8


class Stale(Exception):
    """The pack is no longer at the revision that was read.

    Args:
        current: The pack as it is now.
    """

    def __init__(self, current: Pack) -> None:
        super().__init__(f"{current.id} is at revision {current.revision}.")
        self.current = current


class Gone(Exception):
    """The pack has been deleted, or is being deleted.

    Args:
        current: The pack as it is now; None if it has no row any more.
    """

    def __init__(self, current: Pack | None) -> None:
        super().__init__("The pack is not active.")
        self.current = current


class Referenced(Exception):
    """Roles reference the pack.

    Args:
        own: The number of roles of the pack's own organisation.
        foreign: The number of roles of other organisations.
    """

    def __init__(self, *, own: int, foreign: int) -> None:
        super().__init__(f"{own} own and {foreign} foreign roles reference the pack.")
        self.own = own
        self.foreign = foreign


class PackStore:
    """The packs of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
        usage: Counts what organisations use.
        on_revision: Called after each new revision with the operation and, if its image is new, the image's size in
            bytes.
    """

    def __init__(
        self,
        *,
        table: Table,
        events: EventLog,
        usage: UsageLedger = NO_LIMITS,
        on_revision: Callable[[str, int | None], None] = lambda _operation, _size: None,
    ) -> None:
        self._table = table
        self._events = events
        self._usage = usage
        self._on_revision = on_revision

    def get(self, pack_id: str) -> Pack | None:
        """Return the current state of a pack, even if it is deleted, or None if there is no row. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(pack_key(pack_id))
        return None if item is None else from_item(item)

    def get_many(self, pack_ids: Sequence[str]) -> dict[str, Pack]:
        """Return the current state of several packs by id, deleted ones included. One consistent read.

        Args:
            pack_ids: At most 100 ids, each once. Ids without a row are left out of the result.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
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
        policy: VersionPolicy = VersionPolicy.FREE,
        scan: "ScanResult | None" = None,
        alongside: Sequence[Action] = (),
    ) -> None:
        """Write a new pack, its name, the first entry of its history and an event, all or none. One transaction.

        Args:
            pack: The pack, at revision 1.
            actor: Who publishes, for the history.
            operation: The operation that creates it, for the history.
            claim: The claim on the repository that was made before the image was pushed.
            manifests: The digests of the manifests that the image's index lists, for the history.
            policy: The version policy under which the version is recorded.
            scan: The result of scanning the image, which is written too; None for none.
            alongside: Further actions for the same transaction, with conditions of their own.

        Raises:
            NameHeld: Another pack of the organisation has taken the name since it was claimed.
            ClaimLost: A purge has begun in the repository since it was claimed.
            VersionHeld: The policy is `immutable`, and the version was published with another content.
            QuotaExceeded, RateLimited: The organisation has used up what it may use.
            TransactionFailed: A condition of `alongside` did not hold.
            ServiceUnavailable: DynamoDB did not answer; the pack may have been written.
        """
        take_name = Update(
            key=name_key(claim.org_id, claim.name),
            change="SET pack_id = :pack_id REMOVE expires_at",
            condition="attribute_not_exists(pack_id) AND epoch = :epoch",
            values={":pack_id": pack.id, ":epoch": claim.epoch},
        )
        write_pack = Put(item=to_item(pack), condition="attribute_not_exists(PK)")
        entry = Put(
            item=history_entry(pack, actor, operation, manifests), condition="attribute_not_exists(PK)"
        )
        from packyard.store.pack_events import pack_created  # noqa: PLC0415 - only writes need it

        event = self._events.put(pack_created(pack, actor=actor, operation=operation, scan=scan))
        actions = [
            *(take_name, write_pack, entry, publication(pack, policy), *alongside, *_scan(pack, scan), event),
            self._usage.of_creation(pack),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            name, _, _, version, *_, usage = failure.reasons
            if not name.condition_failed:
                if version.condition_failed:
                    raise VersionHeld from None
                if usage.condition_failed:
                    self._usage.require_room(usage.old, pack, before=None)
                raise
            holder = (name.old or {}).get("pack_id")
            if holder is None:
                raise ClaimLost from None
            # If the holder is this pack, an earlier attempt succeeded and its answer was lost.
            if holder != pack.id:
                raise NameHeld(holder) from None
        self._on_revision(operation, pack.size_bytes)

    def change(  # noqa: PLR0913 - by name, and half of them for the history
        self,
        before: Pack,
        after: Pack,
        *,
        actor: str,
        operation: str,
        claim: Claim | None = None,
        manifests: Sequence[Digest] = (),
        policy: VersionPolicy | None = None,
        scan: "ScanResult | None" = None,
        alongside: Sequence[Action] = (),
    ) -> None:
        """Write the next revision of a pack, its entry in the history and an event, all or none. One transaction.

        Only the attributes that differ are written. All others keep their values: the counters of references, and
        attributes that a later version of the service may have added. A pack can lose its `community` visibility only
        while no role of another organisation references it. This write has that condition too.

        Args:
            before: The pack as it was read.
            after: The pack at the next revision: `before.revised(...)`.
            actor: Who changes it, for the history.
            operation: The operation that changes it, for the history.
            claim: The claim on the repository that was made before a new image was pushed; None without a new image in
                the service's registry.
            manifests: The digests of the manifests that the new image's index lists, for the history.
            policy: The version policy under which the version is recorded; None if nothing is published, because the
                image stays or is one of the pack's history.
            scan: As for `create`.
            alongside: Further actions for the same transaction, with conditions of their own.

        Raises:
            Stale: The pack is at another revision now.
            Gone: The pack is deleted or is being deleted.
            Referenced: The visibility cannot change, because roles of other organisations reference the pack.
            ImageNotUsable: The image is another one than before, and it is withdrawn or deleted.
            ClaimLost: A purge has begun in the repository since it was claimed.
            VersionHeld: The policy is `immutable`, and the version was published with another content.
            QuotaExceeded, RateLimited: The organisation has used up what it may use.
            TransactionFailed: A condition of `alongside` did not hold.
            ServiceUnavailable: DynamoDB did not answer; the change may have been written.
        """
        entry = Put(
            item=history_entry(after, actor, operation, manifests), condition="attribute_not_exists(PK)"
        )
        claims = [] if claim is None else [_still_claimed(claim, after.id)]
        from packyard.store.pack_events import pack_changed  # noqa: PLC0415 - only writes need it

        same_image = after.image_digest == before.image_digest
        images = [] if same_image else [usable(after.id, after.image_digest)]
        versions = [] if policy is None else [publication(after, policy)]
        event = self._events.put(pack_changed(before, after, actor=actor, operation=operation, scan=scan))
        counts = self._usage.of_change(before, after)
        written: list[Action] = [row_change(before, after), entry, *images, *claims, *versions]
        actions = [*written, *alongside, *_scan(after, scan), event, *counts]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            row, _, *others = failure.reasons
            if row.condition_failed:
                raise _refusal(row.old, before) from None
            if images and others[0].condition_failed:
                raise ImageNotUsable(state_of(others[0].old or {})) from None
            if claims and others[len(images)].condition_failed:
                raise ClaimLost from None
            if versions and others[len(images) + len(claims)].condition_failed:
                raise VersionHeld from None
            if counts and others[-1].condition_failed:
                self._usage.require_room(others[-1].old, after, before=before)
            raise
        self._on_revision(operation, None if same_image else after.size_bytes)

    def require_room(self, pack: Pack, *, before: Pack | None) -> None:
        """Check what `create` and `change` check of the organisation's usage. One read.

        Args:
            pack: The pack as it is to be.
            before: The pack as it is; None for a new one.

        Raises:
            QuotaExceeded, RateLimited: The organisation has used up what it may use.
            ServiceUnavailable: DynamoDB did not answer.
        """
        if before is None or pack.image_digest != before.image_digest:
            self._usage.require_room(self._table.get(usage_key(pack.org_id)), pack, before=before)

    def adopt_image(self, pack_id: str) -> bool:
        """Record that the service has pushed a registered pack's image, so its deletion removes the image. One write.

        Args:
            pack_id: The pack. Its image is in the service's registry, in the repository of the pack's name.

        Returns:
            True if it was recorded; False if the pack is deleted or is being deleted.

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
        """Return whether any revision of a pack has an image with this digest, or one whose index lists it.

        Every write to a row adds the image's digest to the history in the same transaction, and with it the digests
        that the index lists. So the history is complete. It is read consistently, page by page, until the digest is
        found. A revision whose content is deleted does not count.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return bool(self.used_digests(pack_id, [digest]))

    def used_digests(self, pack_id: str, digests: Sequence[Digest]) -> frozenset[Digest]:
        """Return those of the digests for which `uses_digest` is true.

        It reads the newest revisions first, because most digests in question were pushed recently. It stops when all
        digests are found.

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
            gone = self._gone(pack_id, [entry["image_digest"] for entry in page.items])
            for entry in page.items:
                if entry["image_digest"] not in gone:
                    found |= wanted & {entry["image_digest"], *entry.get("manifests", ())}
            if found == wanted or page.last_key is None:
                return frozenset(found)
            page = self._table.query(entries, start=page.last_key)

    def state_of(self, pack_id: str, digest: Digest) -> ImageState | None:
        """Return the state of an image; None for one that never had another state than in use. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(image_key(pack_id, digest))
        return None if item is None else state_of(item)

    def _gone(self, pack_id: str, digests: Sequence[str]) -> frozenset[str]:
        """Return those of some images whose content is deleted or is being removed."""
        items = self._table.get_many([image_key(pack_id, digest) for digest in dict.fromkeys(digests)])
        return frozenset(state.digest for state in map(state_of, items) if state.is_gone)

    def image_at(self, pack: Pack, revision: int) -> tuple[Digest, Pack | None] | None:
        """Return the image of a pack's revision, and the pack as it was; None if there is no such revision. One read.

        The pack is None for a revision whose entry was written before entries had the whole pack.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        entry = self._table.get(revision_key(pack.id, revision))
        return None if entry is None else (Digest(entry["image_digest"]), pack_as_of(to_item(pack), entry))

    def with_image(self, pack: Pack, digest: Digest) -> Pack | None:
        """Return a pack as it was when it last had an image. One consistent read for each page of the history.

        A revision that says what the image's layers are is preferred, if it is on the same page.

        Args:
            pack: The pack as it is.
            digest: The image's digest.

        Returns:
            The pack of that revision. None if no such revision is found in the newest 8 MiB of the history, or if its
            entry was written before entries had the whole pack.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        entries = Query(
            condition="PK = :pack AND begins_with(SK, :revision)",
            filter="image_digest = :digest",
            values={":pack": pack_partition(pack.id), ":revision": REVISION_PREFIX, ":digest": digest},
            backwards=True,
        )
        page = self._table.query(entries)
        for _ in range(_MOST_PAGES - 1):
            if page.items or page.last_key is None:
                break
            page = self._table.query(entries, start=page.last_key)
        found = sorted(page.items, key=lambda entry: "layer_digest" not in entry)
        return pack_as_of(to_item(pack), found[0]) if found else None


def row_change(before: Pack, after: Pack) -> Update:
    """Return the change of a pack's row from one state to another, on condition that it is in the former.

    Args:
        before: The pack as it was read. Its revision, and whether its image is withdrawn, are conditions.
        after: The pack as it is to be.
    """
    old, new = to_item(before), to_item(after)
    written = {name: value for name, value in new.items() if old.get(name) != value}
    removed = sorted(old.keys() - new.keys())
    sets = {name: f"#{name} = :{name}" for name in written}
    if _STORED in written and _STORED in old:
        # A deletion of content corrects it without a new revision, so what is added is written, not the sum.
        sets[_STORED] = f"#{_STORED} = #{_STORED} + :{_STORED}"
        written[_STORED] -= old[_STORED]
    changes = [f"SET {', '.join(sets.values())}"] if sets else []
    changes += ["REMOVE " + ", ".join(f"#{name}" for name in removed)] if removed else []
    # What the row says of a withdrawal can change without a new revision.
    as_read = "withdrawn = :true" if before.withdrawn else "attribute_not_exists(withdrawn)"
    condition = f"#revision = :read_revision AND #status = :active AND {as_read}"
    values: dict[str, Any] = {":read_revision": before.revision, ":active": PackStatus.ACTIVE.value}
    if before.withdrawn:
        values[":true"] = True
    if before.visibility is Visibility.COMMUNITY and after.visibility is not Visibility.COMMUNITY:
        condition += f" AND {NO_FOREIGN_REFERENCES}"
        values[":none"] = 0
    return Update(
        key=pack_key(before.id),
        change=" ".join(changes),
        condition=condition,
        values=values | {f":{name}": value for name, value in written.items()},
        # A placeholder for every name, because DynamoDB reserves many words.
        names={f"#{name}": name for name in sorted({*written, *removed, "revision", "status"})},
    )


def _scan(pack: Pack, scan: "ScanResult | None") -> list[Action]:
    if scan is None:
        return []
    from packyard.store.scan_items import scan_put  # noqa: PLC0415 - only what publishes needs it

    return [scan_put(pack, scan)]


def _still_claimed(claim: Claim, pack_id: str) -> Check:
    return Check(
        key=name_key(claim.org_id, claim.name),
        condition="pack_id = :pack_id AND epoch = :epoch",
        values={":pack_id": pack_id, ":epoch": claim.epoch},
    )


def _refusal(row: Item | None, read: Pack) -> Exception:
    """Return the reason why a change of a row was refused.

    Args:
        row: The row at the time of the refusal; None if there was none.
        read: The pack that the change was based on.
    """
    current = None if row is None else from_item(row)
    if row is None or current is None or current.status is not PackStatus.ACTIVE:
        return Gone(current)
    if (current.revision, current.withdrawn) != (read.revision, read.withdrawn):
        return Stale(current)
    return Referenced(own=int(row.get("own_refs", 0)), foreign=int(row.get("foreign_refs", 0)))
