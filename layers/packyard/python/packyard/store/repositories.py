"""A name and its repository: who holds the name, who is publishing, who is clearing up.

An organisation's name and the repository of its built images, `<prefix>/<org_id>/<name>`, are one to one, so
a single item guards both: `pack_id` is the holder, `claimed_until` says until when publishers are at work,
`purging_until` until when a cleaner may delete images, and `epoch` names the time between two cleaners.

Publishers share the repository, a cleaner has it alone. A publisher learns the epoch when it claims, *before*
it pushes, and its row is written on condition that the epoch still stands. A cleaner sets a new epoch
*before* it looks for rows that use the image. So every commit falls on one side of every purge:

- committed before the purge began: the cleaner's consistent read finds the row, and it deletes nothing;
- claimed before, not yet committed: the epoch has changed, the commit fails, and no row is written;
- claimed after: a claim waits until the purge is over, and its publisher pushes whatever the purge took.

Nothing rests on `claimed_until`: it spares publishers at work a purge that would make them fail, so a crashed
publisher or a wrong clock costs time only. `purging_until` is a lease, since a registry cannot be told to
refuse a late delete: it must outlast the process that deletes by more than clocks differ. When a cleaner
crashes, its lease runs out and its message comes again. The item may expire or be removed at any time but
during a purge: a claim that finds none makes a new epoch, so no older commit can pass.

Those who delete a pack are cleaners that may share a repository, because they all remove everything: two that
delete the same pack need not wait for one another. The name is free once the first of them is done; publishers
come in once the last is, or must be dead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import name_key
from packyard.store.table import ConditionFailed, Item, Table, Update

# An item without a holder means nothing once the claim or the purge is over; it may go some time after.
_KEPT_WITHOUT_HOLDER: Final = timedelta(days=1)
# Each further attempt means that another cleaner has come in since the last.
_JOIN_ATTEMPTS: Final = 4
_NOBODY_PURGES: Final = "(attribute_not_exists(purging_until) OR purging_until < :now)"


class NameHeld(Exception):
    """A pack of the organisation holds the name.

    Args:
        pack_id: That pack.
    """

    def __init__(self, pack_id: str) -> None:
        super().__init__(f"{pack_id} holds the name.")
        self.pack_id = pack_id


class NameLost(Exception):
    """The pack does not hold its name any more: it has been deleted."""


class RepositoryBusy(Exception):
    """Others are at work in the repository; come again.

    Args:
        until: When they will be done at the latest, unless more of them come.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__(f"The repository is in use until {until.isoformat()}.")
        self.until = until


class ClaimLost(Exception):
    """A cleaner has been at work since the repository was claimed; what was pushed may be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A publisher's share in a repository.

    Attributes:
        org_id: The organisation that publishes.
        name: The name it publishes under.
        epoch: The time between two cleaners in which the commit must fall.
    """

    org_id: str
    name: PackName
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """A cleaner's exclusive hold on a repository.

    Attributes:
        org_id: The organisation whose repository it is.
        name: The name that goes with it.
        epoch: The one that this purge began.
        until: When the hold lapses.
        holder: The pack that holds the name; None when there is none, and none can come while the purge
            lasts.
        shared: Whether another cleaner, or a request that this one has made, may still be at work, until `until` at
            the latest.
    """

    org_id: str
    name: PackName
    epoch: str
    until: datetime
    holder: str | None
    shared: bool = False

    def lingering(self) -> "Purge":
        """Return the hold of a cleaner some of whose requests may still be on their way to the registry."""
        return replace(self, shared=True)


class RepositoryStore:
    """The names of organisations, and the claims on their repositories.

    Args:
        table: Where they are kept.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def claim_for_create(
        self, *, org_id: str, name: PackName, until: datetime, now: datetime, token: str
    ) -> Claim:
        """Take a share in the repository of a name that no pack holds. One write.

        Args:
            org_id: The organisation that publishes.
            name: The name of the pack to be.
            until: When the publisher is done or dead.
            now: The present instant.
            token: A value never used before.

        Raises:
            NameHeld: A pack holds the name.
            RepositoryBusy: A cleaner is at work.
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=name_key(org_id, name),
                    change="SET claimed_until = :until, expires_at = :expiry,"
                    " epoch = if_not_exists(epoch, :token) REMOVE purging_until",
                    condition=f"attribute_not_exists(pack_id) AND {_NOBODY_PURGES}",
                    values={
                        ":until": format_timestamp(until),
                        ":token": token,
                        ":expiry": _expiry(until),
                        ":now": format_timestamp(now),
                    },
                )
            )
        except ConditionFailed as failure:
            old = failure.old or {}
            if "pack_id" in old:
                raise NameHeld(old["pack_id"]) from None
            raise RepositoryBusy(parse_timestamp(old["purging_until"])) from None
        return Claim(org_id=org_id, name=name, epoch=item["epoch"])

    def claim_for_change(self, pack: Pack, *, until: datetime, now: datetime, token: str) -> Claim:
        """Take a share in the repository of a pack that gets a new image. One write.

        Args:
            pack: The pack, which holds its name.
            until: When the publisher is done or dead.
            now: The present instant.
            token: A value never used before.

        Raises:
            NameLost: The pack does not hold its name any more.
            RepositoryBusy: A cleaner is at work.
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=name_key(pack.org_id, pack.name),
                    change="SET claimed_until = :until, epoch = if_not_exists(epoch, :token) REMOVE purging_until",
                    condition=f"pack_id = :pack_id AND {_NOBODY_PURGES}",
                    values={
                        ":until": format_timestamp(until),
                        ":token": token,
                        ":pack_id": pack.id,
                        ":now": format_timestamp(now),
                    },
                )
            )
        except ConditionFailed as failure:
            old = failure.old or {}
            if old.get("pack_id") != pack.id:
                raise NameLost from None
            raise RepositoryBusy(parse_timestamp(old["purging_until"])) from None
        return Claim(org_id=pack.org_id, name=pack.name, epoch=item["epoch"])

    def begin_purge(
        self, *, org_id: str, name: PackName, until: datetime, now: datetime, token: str
    ) -> Purge:
        """Take a repository alone, so as to delete an image that no row uses. One write.

        Args:
            org_id: The organisation whose repository it is.
            name: The name that goes with it.
            until: When the cleaner is done or dead, and the longest difference between two clocks later.
            now: The present instant.
            token: A value never used before.

        Raises:
            RepositoryBusy: A publisher or another cleaner is at work.
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=name_key(org_id, name),
                    # An item that is being purged must not expire: its lease would go with it.
                    change="SET purging_until = :until, epoch = :token REMOVE expires_at",
                    # The first line lets a repeat after a lost answer pass its own hold.
                    condition="epoch = :token"
                    " OR (attribute_not_exists(claimed_until) OR claimed_until < :now)"
                    f" AND {_NOBODY_PURGES}",
                    values={
                        ":until": format_timestamp(until),
                        ":token": token,
                        ":now": format_timestamp(now),
                    },
                )
            )
        except ConditionFailed as failure:
            raise RepositoryBusy(_busy_until(failure.old or {})) from None
        return Purge(org_id=org_id, name=name, epoch=token, until=until, holder=item.get("pack_id"))

    def join_purge(self, pack: Pack, *, until: datetime, now: datetime, token: str) -> Purge:
        """Take the repository of a pack that is being deleted, with whoever has it already. A write or two.

        Nobody is waited for. A publisher at work there cannot commit any more, since its pack is being deleted.
        Another cleaner removes nothing that this one does not; but it may be slow, so that the hold lasts until
        the last of them must be dead, unless there was one only (see `release_name`).

        Args:
            pack: The pack, which holds its name.
            until: As for `begin_purge`.
            now: The present instant.
            token: A value never used before.

        Raises:
            NameLost: The pack does not hold its name any more.
            RepositoryBusy: Cleaners come in faster than we do.
            ServiceUnavailable: DynamoDB did not answer.
        """
        others_until: datetime | None = None
        for _ in range(_JOIN_ATTEMPTS):
            end = until if others_until is None else max(until, others_until)
            try:
                self._table.update(_join(pack, others_until, end, now, token))
            except ConditionFailed as failure:
                old = failure.old or {}
                if old.get("pack_id") != pack.id:
                    raise NameLost from None
                others_until = parse_timestamp(old["purging_until"]) if "purging_until" in old else None
                continue
            return Purge(
                org_id=pack.org_id,
                name=pack.name,
                epoch=token,
                until=end,
                holder=pack.id,
                shared=others_until is not None,
            )
        raise RepositoryBusy(others_until or until)

    def end_purge(self, purge: Purge) -> None:
        """Let publishers in again, or leave it to the lapse of a shared hold. At most one write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        values: dict[str, Any] = {":epoch": purge.epoch}
        change = "" if purge.shared else " REMOVE purging_until"
        if purge.holder is None:
            change = "SET expires_at = :expiry" + change
            values[":expiry"] = _expiry(purge.until)
        if not change:
            return
        try:
            self._table.update(
                Update(
                    key=name_key(purge.org_id, purge.name),
                    change=change,
                    condition="epoch = :epoch AND attribute_exists(purging_until)",
                    values=values,
                )
            )
        except ConditionFailed:
            return


def release_name(pack: Pack, *, purge: Purge | None, now: datetime) -> Update:
    """Return the action that frees the name of a pack, for the transaction that ends it.

    A purge that nobody has joined ends with it, so that the next pack of the name can be published at once. It is
    then the action's condition that nobody has.

    Args:
        pack: The pack, which holds its name.
        purge: The hold on its repository; None when it has no image of ours.
        now: The present instant.
    """
    end = now if purge is None else max(now, purge.until)
    values = {":pack_id": pack.id, ":expiry": _expiry(end)}
    if purge is None or purge.shared:
        change, condition = "SET expires_at = :expiry REMOVE pack_id", "pack_id = :pack_id"
    else:
        change = "SET expires_at = :expiry REMOVE pack_id, purging_until"
        condition = "pack_id = :pack_id AND epoch = :epoch"
        values[":epoch"] = purge.epoch
    return Update(key=name_key(pack.org_id, pack.name), change=change, condition=condition, values=values)


def _join(pack: Pack, others_until: datetime | None, end: datetime, now: datetime, token: str) -> Update:
    """Return the write that takes a repository which others have until `others_until`, or nobody has."""
    values = {
        ":pack_id": pack.id,
        ":end": format_timestamp(end),
        ":token": token,
        ":now": format_timestamp(now),
    }
    alone_or_as_seen = _NOBODY_PURGES
    if others_until is not None:
        alone_or_as_seen = f"({_NOBODY_PURGES} OR purging_until = :seen)"
        values[":seen"] = format_timestamp(others_until)
    return Update(
        key=name_key(pack.org_id, pack.name),
        change="SET purging_until = :end, epoch = :token",
        # The last part lets a repeat after a lost answer pass its own hold.
        condition=f"pack_id = :pack_id AND ({alone_or_as_seen} OR epoch = :token)",
        values=values,
    )


def _busy_until(item: Item) -> datetime:
    return max(parse_timestamp(item[end]) for end in ("claimed_until", "purging_until") if end in item)


def _expiry(end: datetime) -> int:
    """Return when an item without a holder may go, as DynamoDB's TTL has it: in seconds since 1970."""
    return int((end + _KEPT_WITHOUT_HOLDER).timestamp())
