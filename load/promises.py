"""What clients have been told: the last acknowledged state of each pack and role, and which writes are uncertain.

An answer below 500 is a promise. After a 5xx or no answer, the client does not know whether the request was carried
out: a write whose answer was lost looks like one that never arrived. Either may be found afterwards, but nothing else.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.e2e.client import without_states
from tests.reliability.invariants import Observed

# New packs are used more often than old ones, so that requests compete for them.
_RECENT: Final = 40


@dataclass
class Told:
    """A revision of a pack as clients have been shown it.

    Attributes:
        operations: The operations that they had requested.
        body: The pack.
    """

    operations: set[str]
    body: dict[str, Any]


@dataclass
class PackPromise:
    """A pack that clients know.

    Attributes:
        org: The slug of its organisation.
        pack_id: Its id.
        archive: The archive that it was published from; empty for a clone.
        told: The revisions that a client has been shown.
        unsure: How many attempts at each operation have an uncertain result.
        withdrawn: By image, whether clients were told that it is withdrawn; None after an uncertain attempt.
        busy: Held by the client that withdraws or restores.
        leaving: Whether a client has tried to delete it.
        gone: Whether a client was told that it is deleted.
    """

    org: str
    pack_id: str
    archive: bytes = b""
    told: dict[int, Told] = field(default_factory=dict)
    unsure: Counter[str] = field(default_factory=Counter)
    withdrawn: dict[str, bool | None] = field(default_factory=dict)
    busy: threading.Lock = field(default_factory=threading.Lock)
    leaving: bool = False
    gone: bool = False

    @property
    def revision(self) -> int:
        """The latest revision that a client has been shown."""
        return max(self.told)

    @property
    def body(self) -> dict[str, Any]:
        """The pack at that revision."""
        return self.told[self.revision].body


@dataclass
class RolePromise:
    """A role whose packs a client has set.

    Attributes:
        may_hold: Its packs as last acknowledged, and those of later uncertain attempts.
        tried: How often they may have been set.
        busy: Held by the client that is setting them.
    """

    may_hold: list[list[str]] = field(default_factory=lambda: [[]])
    tried: int = 0
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Promises:
    """Everything that clients have been told.

    Attributes:
        packs: By id.
        unsure_creations: How many attempts to make a pack have an uncertain result, by organisation and name.
        roles: By organisation's slug and id.
        uploads: Staged archives that S3 has accepted: organisation's slug and name by upload id.
        freed: Organisation's slug and name of deleted packs.
        contradictions: Answers that contradict earlier ones.
    """

    packs: dict[str, PackPromise] = field(default_factory=dict)
    unsure_creations: Counter[tuple[str, str]] = field(default_factory=Counter)
    roles: defaultdict[tuple[str, str], RolePromise] = field(default_factory=lambda: defaultdict(RolePromise))
    uploads: dict[str, tuple[str, str]] = field(default_factory=dict)
    freed: list[tuple[str, str]] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def any_pack(self, org: str, randomness: Random, *, built: bool = False) -> PackPromise | None:
        """Return one of an organisation's packs that no client has tried to delete, or None.

        Args:
            org: Its slug.
            randomness: The random generator.
            built: Whether it must have been published from an archive.
        """
        with self._lock:
            standing = [
                pack
                for pack in self.packs.values()
                if pack.org == org and not pack.leaving and (pack.archive or not built)
            ]
        return randomness.choice(standing[-_RECENT:]) if standing else None

    def show(
        self, org: str, operation: str, body: dict[str, Any], revision: int, archive: bytes = b""
    ) -> None:
        """Record that a client was shown a pack.

        Args:
            org: The slug of its organisation, which is also the client's.
            operation: The operation that the client had requested; empty for a read.
            body: The pack.
            revision: The revision that was shown.
            archive: The archive that the pack was published from, if this request has made it.
        """
        body = without_states(body)
        with self._lock:
            pack = self.packs.setdefault(body["id"], PackPromise(org, body["id"], archive))
            told = pack.told.setdefault(revision, Told(set(), body))
            if operation:
                told.operations.add(operation)
            if told.body != body:
                self.contradictions.append(f"{pack.pack_id} at {revision} is {told.body} and {body}")

    def leave_unsure(self, pack: PackPromise, operation: str) -> None:
        """Record that a client does not know whether it has changed a pack."""
        with self._lock:
            pack.unsure[operation] += 1

    def leave_unsure_of(self, org: str, name: str) -> None:
        """Record that a client does not know whether it has made a pack."""
        with self._lock:
            self.unsure_creations[org, name] += 1

    def bury(self, pack: PackPromise) -> None:
        """Record that a client was told that a pack is deleted."""
        with self._lock:
            if not pack.gone:
                pack.gone = True
                self.freed.append((pack.org, pack.body["name"]))

    def take_freed_name(self) -> tuple[str, str] | None:
        """Return the organisation and name of a deleted pack, each only once."""
        with self._lock:
            return self.freed.pop() if self.freed else None

    def breaches(self, seen: Observed, listed: Mapping[str, Any], orgs: Mapping[str, str]) -> Iterator[str]:
        """Yield what differs from what clients were told.

        Args:
            seen: Everything, once nothing changes any more.
            listed: The organisations' own packs, as `GET /packs` lists them, by id.
            orgs: The organisations' slugs by id.
        """
        yield from self.contradictions
        for pack in self.packs.values():
            yield from _pack_breaches(pack, seen, listed)
        unknown = Counter(
            (orgs[row["org_id"]], row["name"])
            for pack_id, row in seen.rows.items()
            if pack_id not in self.packs
        )
        staged = Counter(self.uploads.values())
        for made, times in unknown.items():
            if times > self.unsure_creations[made] + staged[made]:
                yield f"{times} packs {made} were made that nobody was told of"
        for role in seen.roles:
            promise = self.roles[orgs[role["org_id"]], role["role_id"]]
            if role["pack_ids"] not in promise.may_hold:
                yield f"{role['role_id']} holds {role['pack_ids']}, not one of {promise.may_hold}"
            if role["revision"] > promise.tried:
                yield f"{role['role_id']} was set {role['revision']} times, and asked for {promise.tried} times at most"

    def unconfirmed(self, seen: Observed) -> int:
        """Return how many revisions no client was told of: their requests were answered 5xx."""
        staged = {name for _, name in self.uploads.values()}
        untold = 0
        for pack_id, entries in seen.histories.items():
            if seen.rows[pack_id]["name"] in staged:
                continue
            pack = self.packs.get(pack_id)
            for entry in entries:
                told = pack is not None and (
                    int(entry["revision"]) in pack.told or (entry["operation"] == "delete" and pack.gone)
                )
                untold += not told
        return untold


def _pack_breaches(pack: PackPromise, seen: Observed, listed: Mapping[str, Any]) -> Iterator[str]:
    row = seen.rows.get(pack.pack_id)
    if row is None:
        yield f"{pack.pack_id} is lost"
        return
    if row["status"] != "active":
        if not pack.leaving:
            yield f"{pack.pack_id} is {row['status']}, and nobody has deleted it"
    elif pack.gone:
        yield f"{pack.pack_id} was deleted, and stands"
    elif pack.pack_id not in listed:
        yield f"{pack.pack_id} is not listed"
    else:
        told = pack.told.get(int(row["revision"]))
        body = without_states(listed[pack.pack_id])
        if told is not None and told.body != body:
            yield f"{pack.pack_id} is {body}, was {told.body}"
        yield from _withdrawal_breaches(pack, seen)
    entries = {int(entry["revision"]): entry for entry in seen.histories.get(pack.pack_id, [])}
    for revision, told in pack.told.items():
        entry = entries.get(revision, {})
        if any(entry.get(name) != told.body[name] for name in ("version", "image_digest")):
            yield f"{pack.pack_id} at {revision} was {told.body}, and is {entry} in the history"
    yield from _unexplained(pack, entries)


def _withdrawal_breaches(pack: PackPromise, seen: Observed) -> Iterator[str]:
    withdrawn = {
        item["digest"]
        for item in seen.items
        if item["PK"] == f"PACK#{pack.pack_id}" and "withdrawal" in item and item["SK"].startswith("IMAGE#")
    }
    for digest, told in pack.withdrawn.items():
        if told is not None and told is not (digest in withdrawn):
            yield f"{digest} of {pack.pack_id} is {'not ' if told else ''}withdrawn, and clients were told otherwise"


def _unexplained(pack: PackPromise, entries: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    left = pack.unsure + Counter({"delete": 1 if pack.leaving else 0})
    for revision, entry in entries.items():
        operation = entry["operation"]
        if revision in pack.told and operation in pack.told[revision].operations:
            continue
        if revision == 1:
            continue  # its creation, which a repeat has shown
        if not left[operation]:
            yield f"{pack.pack_id} at {revision}: nobody was told of a {operation}"
        left[operation] -= 1
