"""Names and their repositories: which pack holds a name, who is publishing, and who is removing images.

Each name of an organisation has exactly one repository for built images, `<prefix>/<org_id>/<name>`. One item
guards both: `pack_id` is the pack that holds the name, `claimed_until` states until when publishers are at work,
`purging_until` states until when a cleaner may delete images, and `epoch` identifies the time between two purges.

Publishers may share a repository; a cleaner excludes them. A publisher reads the epoch when it claims the repository,
*before* it pushes, and it writes its row on condition that the epoch is still the same. A cleaner sets a new epoch
*before* it looks for rows that use the image. So for every publisher and every purge, one of three cases applies:

- The row was written before the purge began: the cleaner's consistent read finds the row, and it deletes nothing.
- The claim was made before the purge, but the row is not written yet: the epoch has changed, so no row is written.
- The claim comes after the purge began: it is refused until the purge ends. Then the publisher pushes everything again
  that the purge has removed.

Correctness does not depend on `claimed_until`. It only keeps cleaners from starting a purge that would make publishers
fail, so a crashed publisher or a wrong clock costs nothing but time. `purging_until` is a lease: no registry can be
told to refuse a late delete, so the lease must end after the deleting process, by more than clocks may differ. If a
cleaner crashes, its lease expires and its message is delivered again. The item may expire or be removed at any time
except during a purge: a claim that finds no item creates a new epoch, so no row of an older claim can be written.

Cleaners that delete a pack may share a repository, because each of them removes all images. So two processes that
delete the same pack need not wait for each other. The name becomes free when the first of them is done. Publishers
can claim the repository when the last of them is done, or its lease has expired.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import name_key
from packyard.store.repository_holds import Claim, NameHeld, NameLost, Purge, RepositoryBusy
from packyard.store.table import ConditionFailed, Item, Table, Update

# An item without a holder is not needed after its claim or purge has ended. It expires this long after that.
_KEPT_WITHOUT_HOLDER: Final = timedelta(days=1)
# Each further attempt means that another cleaner has joined since the one before.
_JOIN_ATTEMPTS: Final = 4
_NOBODY_PURGES: Final = "(attribute_not_exists(purging_until) OR purging_until < :now)"


class RepositoryStore:
    """The names of organisations, and the holds on their repositories.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def claim_for_create(
        self, *, org_id: str, name: PackName, until: datetime, now: datetime, token: str
    ) -> Claim:
        """Claim the repository of a name that no pack holds. One write.

        Args:
            org_id: The organisation that publishes.
            name: The name of the new pack.
            until: The latest end of the publisher's invocation.
            now: The current time.
            token: A value never used before; it becomes the epoch if there is none.

        Raises:
            NameHeld: A pack holds the name.
            RepositoryBusy: A cleaner holds the repository.
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
        """Claim the repository of a pack that gets a new image. One write.

        Args:
            pack: The pack, which holds its name.
            until: The latest end of the publisher's invocation.
            now: The current time.
            token: A value never used before; it becomes the epoch if there is none.

        Raises:
            NameLost: The pack no longer holds its name.
            RepositoryBusy: A cleaner holds the repository.
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
        """Take an exclusive hold on a repository, in order to delete an image that no row uses. One write.

        Args:
            org_id: The organisation that the repository belongs to.
            name: The name that goes with the repository.
            until: When the lease ends: the latest end of the cleaner's invocation plus the allowed clock difference.
            now: The current time.
            token: A value never used before; it becomes the epoch.

        Raises:
            RepositoryBusy: A publisher or another cleaner holds the repository.
            ServiceUnavailable: DynamoDB did not answer.
        """
        try:
            item = self._table.update(
                Update(
                    key=name_key(org_id, name),
                    # The item must not expire during a purge, because its lease would be lost.
                    change="SET purging_until = :until, epoch = :token REMOVE expires_at",
                    # The first line is for a retry whose first attempt succeeded but whose answer was lost.
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
        """Take a hold on the repository of a pack that is being deleted, even if others hold it. One write or more.

        There is no waiting. A publisher at work there can no longer write its row, since its pack is being deleted.
        Another cleaner removes only what this one removes too. But it may be slow, so the hold lasts until the last
        cleaner's lease has expired, unless this was the only one (see `release_name`).

        Args:
            pack: The pack, which holds its name.
            until: As for `begin_purge`.
            now: The current time.
            token: A value never used before; it becomes the epoch.

        Raises:
            NameLost: The pack no longer holds its name.
            RepositoryBusy: Other cleaners joined between each read and write of this one, four times.
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
        """End a purge, so that publishers can claim the repository again. At most one write.

        A shared hold is left to expire.

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
    """Return the action that frees a pack's name, for the transaction that marks the pack as deleted.

    The action also ends a purge that is not shared, on condition that no other cleaner has joined it. So the next pack
    of the name can be published at once.

    Args:
        pack: The pack, which holds its name.
        purge: The hold on its repository; None if the service has pushed no image of this pack.
        now: The current time.
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
    """Return the write that takes a hold on a repository, alone or beside cleaners.

    Args:
        pack: The pack, which holds its name.
        others_until: When the hold of other cleaners ends, as last read; None if there are none.
        end: When the new hold ends.
        now: The current time.
        token: The new epoch.
    """
    values = {
        ":pack_id": pack.id,
        ":end": format_timestamp(end),
        ":token": token,
        ":now": format_timestamp(now),
    }
    alone_or_unchanged = _NOBODY_PURGES
    if others_until is not None:
        alone_or_unchanged = f"({_NOBODY_PURGES} OR purging_until = :seen)"
        values[":seen"] = format_timestamp(others_until)
    return Update(
        key=name_key(pack.org_id, pack.name),
        change="SET purging_until = :end, epoch = :token",
        # The last part is for a retry whose first attempt succeeded but whose answer was lost.
        condition=f"pack_id = :pack_id AND ({alone_or_unchanged} OR epoch = :token)",
        values=values,
    )


def _busy_until(item: Item) -> datetime:
    return max(parse_timestamp(item[end]) for end in ("claimed_until", "purging_until") if end in item)


def _expiry(end: datetime) -> int:
    """Return when an item without a holder expires, for DynamoDB's TTL: in seconds since 1970."""
    return int((end + _KEPT_WITHOUT_HOLDER).timestamp())
