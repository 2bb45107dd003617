"""What must always hold (API contract, section 5), looked for in everything that the service keeps.

`assert_sound` reads the whole table, the bucket's keys and the registry's shelves, and is told of the messages that
are still to be delivered. At any instant, in the middle of a crash or a race too, all must hold that a caller can see;
what nobody can see yet may be there as long as a message is pending that removes it. Once everything is `settled`,
nothing of that is left either: every message is delivered and every lease and deadline is over.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final

from tests import table_rows
from tests.fake_registry.ecr import EcrShelves
from tests.fake_registry.shelves import Repository
from tests.reliability.event_invariants import event_faults
from tests.reliability.once_per_item import once_per_item
from tests.reliability.version_invariants import version_faults
from tests.service import Service

from packyard.attestations.referrer import referrers_tag
from packyard.messaging.attestation_queue import parse_message as parse_image_message
from packyard.messaging.cleanup_queue import Message, OrphanImage, PackDeletion, StagedArchive, parse_message
from packyard.oci.digest import Digest
from packyard.oci.reference import parse_reference
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.version import tag_of
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Visibility
from packyard.packs.timestamp import parse_timestamp
from packyard.store.keys import (
    ATTESTATIONS_PREFIX,
    IMAGE_PREFIX,
    SIGNING_KEYS_PARTITION,
    name_key,
    reference_key,
    role_revision_key,
)
from packyard.store.pack_items import from_item, to_item
from packyard.store.wire import Item
from packyard.tenants.caller import OPERATE

_ARCHIVES: Final = ("inline/", "uploads/")
_FIRST: Final = frozenset({"create", "upload", "clone"})
_OURS: Final = frozenset({ImageOrigin.UPLOAD, ImageOrigin.CLONE})
_SECRET: Final = re.compile("sk_[A-Za-z0-9_-]{43}")
_pack_of: Final = once_per_item(from_item)
_INDEX_KEYS: Final = ("GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK", "GSI3PK", "GSI3SK")


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Everything that there is.

    Attributes:
        items: The table, whole.
        objects: The keys of the staging bucket.
        repositories: Our own registry's.
        pending: The messages that `clean_up` has still to settle.
        unattested: The images about which messages to `attest_image` are still to be settled.
        now: The instant.
        host: Our own registry's.
        prefix: The first segment of our repositories.
        settled: Whether every message is delivered, and every lease and deadline over.
        repositories_are_created: Whether our registry has a call that creates repositories, as ECR has.
        lists_referrers: Whether our registry lists what refers to an image.
    """

    items: Sequence[Item]
    objects: frozenset[str]
    repositories: Mapping[str, Repository]
    pending: Sequence[Message]
    now: datetime
    host: str
    prefix: str
    settled: bool
    repositories_are_created: bool
    lists_referrers: bool = False
    unattested: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def rows(self) -> dict[str, Item]:
        """The packs' rows, by id."""
        return {item["id"]: item for item in self.items if item["SK"] == "PACK"}

    @cached_property
    def packs(self) -> dict[str, Pack]:
        """The packs, by id."""
        return {pack_id: _pack_of(row) for pack_id, row in self.rows.items()}

    @cached_property
    def histories(self) -> dict[str, list[Item]]:
        """The packs' histories by id, the oldest entry first."""
        found: defaultdict[str, list[Item]] = defaultdict(list)
        for item in sorted(self.items, key=lambda item: str(item["SK"])):
            if item["PK"].startswith("PACK#") and item["SK"].startswith("REV#"):
                found[item["PK"].removeprefix("PACK#")].append(item)
        return dict(found)

    @cached_property
    def statements(self) -> dict[str, list[Item]]:
        """What the ledger says of statements, by pack."""
        found: defaultdict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if item["SK"].startswith(ATTESTATIONS_PREFIX):
                found[item["pack_id"]].append(item)
        return found

    @cached_property
    def roles(self) -> list[Item]:
        """The roles."""
        return [
            item for item in self.items if item["PK"].startswith("ORG#") and item["SK"].startswith("ROLE#")
        ]

    @cached_property
    def by_key(self) -> dict[tuple[str, str], Item]:
        """Every item."""
        return {(item["PK"], item["SK"]): item for item in self.items}

    def repository(self, pack: Pack) -> str:
        """Return the repository that goes with a pack's name."""
        return f"{self.prefix}/{pack.org_id}/{pack.name}"


def observe(
    service: Service,
    *,
    pending: Sequence[str] = (),
    unattested: Sequence[str] = (),
    settled: bool = False,
) -> Observed:
    """Look at everything.

    Args:
        service: The service.
        pending: The bodies of the messages to `clean_up` that have not been settled yet, in the queue or out of it.
        unattested: The bodies of the messages to `attest_image` that have not been settled yet.
        settled: See `Observed`.
    """
    return Observed(
        items=table_rows.all_items(),
        objects=frozenset(service.aws.objects()),
        repositories=service.registry.shelves.repositories,
        pending=[parse_message(body) for body in pending],
        now=service.clock(),
        host=service.registry.url.partition("://")[2],
        prefix=service.services.settings.repository_prefix,
        settled=settled,
        repositories_are_created=isinstance(service.registry.shelves, EcrShelves),
        lists_referrers=service.registry.flavour.lists_referrers,
        unattested=frozenset(
            (message.pack_id, message.digest) for message in map(parse_image_message, unattested)
        ),
    )


def assert_sound(
    service: Service,
    *,
    pending: Sequence[str] = (),
    unattested: Sequence[str] = (),
    settled: bool = False,
) -> Observed:
    """Check every invariant, and return what was looked at.

    Args:
        service: The service.
        pending: As for `observe`.
        unattested: As for `observe`.
        settled: As for `observe`.
    """
    seen = observe(service, pending=pending, unattested=unattested, settled=settled)
    found = violations(seen)
    assert not found, "\n".join(found)
    return seen


def violations(seen: Observed) -> list[str]:
    """Return what does not hold, in words."""
    checks = (
        _images,
        _orphans,
        _statements,
        _doors,
        _empty_repositories,
        _tags,
        _archives,
        _history,
        _versions,
        _rows,
        _names,
        _references,
        _pins,
        _roles,
        _uploads,
        _idempotency_records,
        _keys,
        _events,
        _usage,
        _nothing_stuck,
    )
    return [f"{check.__name__.strip('_')}: {fault}" for check in checks for fault in check(seen)]


def _images(seen: Observed) -> Iterator[str]:
    """1: what a caller can see can be pulled by digest, all platforms of it."""
    for pack in seen.packs.values():
        reference = parse_reference(pack.image_ref)
        if pack.status is PackStatus.ACTIVE and reference.registry == seen.host:
            repository = seen.repositories.get(reference.repository, Repository())
            yield from (
                f"{pack.id} at revision {pack.revision} lacks {part}"
                for part in missing(repository, pack.image_digest)
            )


def missing(repository: Repository, digest: str) -> Iterator[str]:
    """Yield what a repository lacks of an image: itself, what it lists, or blobs, unless the registry lost them."""
    manifest = repository.manifests.get(Digest(digest))
    if manifest is None:
        yield digest
        return
    listed, blobs = _parts_of(manifest.raw)
    for entry in listed:
        yield from missing(repository, entry)
    for part in blobs:
        if part not in repository.blobs and part not in repository.lost:
            yield part


@lru_cache(maxsize=4_096)
def _parts_of(manifest: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the digests of the manifests and of the blobs that a manifest lists."""
    document = json.loads(manifest)
    listed = tuple(entry["digest"] for entry in document.get("manifests", ()))
    blobs = (document["config"], *document["layers"]) if "config" in document else ()
    return listed, tuple(part["digest"] for part in blobs)


def _orphans(seen: Observed) -> Iterator[str]:
    """2: every manifest of ours is in the history of its name's holder, or a message is pending that removes it.

    What attaches statements to an image stays as long as the image, or until a message about them is settled.
    """
    used: defaultdict[str, set[str]] = defaultdict(set)
    for pack_id, pack in seen.packs.items():
        deletion = any(
            isinstance(message, PackDeletion) and message.pack_id == pack_id for message in seen.pending
        )
        if pack.status is PackStatus.ACTIVE or (pack.status is PackStatus.DELETING and deletion):
            for entry in seen.histories.get(pack_id, []):
                used[seen.repository(pack)] |= {entry["image_digest"], *entry.get("manifests", ())}
            used[seen.repository(pack)] |= _of_statements(seen, pack)
        if any(of == pack_id for of, _ in seen.unattested):
            used[seen.repository(pack)] |= _of_statements(seen, pack)
    for message in seen.pending:
        if isinstance(message, OrphanImage):
            used[message.repository] |= set(message.digests)
    for name, repository in seen.repositories.items():
        if name.startswith(f"{seen.prefix}/"):
            for digest in repository.manifests.keys() - used[name]:
                yield f"{digest} in {name} is nobody's"


def _of_statements(seen: Observed, pack: Pack) -> set[str]:
    """Return what is in the registry for the statements about a pack's images: manifests, and what a tag lists."""
    repository = seen.repositories.get(seen.repository(pack), Repository())
    found: set[str] = set()
    for record in seen.statements.get(pack.id, []):
        found |= {*record["manifests"], repository.tags.get(referrers_tag(record["image_digest"]), "")}
    return found


def _statements(seen: Observed) -> Iterator[str]:
    """Section 11: what is said to be attached is in the registry, listed, and signed by a key that is published."""
    keys = {item["SK"] for item in seen.items if item["PK"] == SIGNING_KEYS_PARTITION}
    gone = {
        (item["pack_id"], item["digest"])
        for item in seen.items
        if item["SK"].startswith("IMAGE#") and item["image_status"] in ("deleting", "deleted")
    }
    for pack_id, records in seen.statements.items():
        pack = seen.packs.get(pack_id)
        for record in records:
            if record["key_id"] not in keys:
                yield f"nobody knows the key of the statements about {record['image_digest']}"
            if (
                record["attestation_status"] != "attached"
                or pack is None
                or pack.status is not PackStatus.ACTIVE
            ):
                continue
            repository = seen.repositories.get(seen.repository(pack), Repository())
            of_image = (pack_id, record["image_digest"])
            for statement in record["statements"] if of_image not in gone else ():
                yield from (
                    f"{part} of the statements about {of_image} is missing"
                    for part in missing(repository, statement["manifest"])
                )
                if not seen.lists_referrers and not _is_listed(repository, record, statement):
                    yield f"no tag lists {statement['manifest']}"
    attached = {
        (pack_id, record["image_digest"])
        for pack_id, records in seen.statements.items()
        for record in records
        if record["attestation_status"] == "attached"
    }
    for pack_id, pack in seen.packs.items():
        if pack.attestations is Attestations.ATTACHED and (pack_id, pack.image_digest) not in attached:
            yield f"{pack_id} says that there are statements"


def _is_listed(repository: Repository, record: Item, statement: Item) -> bool:
    index = repository.manifests.get(repository.tags.get(referrers_tag(record["image_digest"]), Digest("")))
    return index is not None and statement["manifest"].encode() in index.raw


def _doors(seen: Observed) -> Iterator[str]:
    """What the bucket has for the doors is of images that are there, and whole where it has a document."""
    if not seen.settled:
        return
    known = {
        f"doors/{pack.org_id}/{pack.id}/{entry['image_digest'].removeprefix('sha256:')}"
        for pack in seen.packs.values()
        if pack.status is PackStatus.ACTIVE
        for entry in seen.histories.get(pack.id, ())
    }
    gone = {
        f"{item['pack_id']}/{item['digest'].removeprefix('sha256:')}"
        for item in seen.items
        if item["SK"].startswith(IMAGE_PREFIX) and item.get("image_status") == "deleted"
    }
    for key in seen.objects:
        stem = key.rpartition(".")[0]
        if key.startswith("doors/") and (
            stem not in known or stem.partition("/")[2].partition("/")[2] in gone
        ):
            yield f"{key} is kept for the doors, and its image is gone"
        if key.startswith("doors/") and key.endswith(".json"):
            lacking = {f"{stem}.zip", f"{stem}.tgz"} - seen.objects
            # All packs of these suites can be an archive and an artifact.
            yield from (f"{lack} is not kept for the doors, and its document is" for lack in lacking)


def _empty_repositories(seen: Observed) -> Iterator[str]:
    """Decision 69: a repository without an image is removed, where repositories count against a quota."""
    enqueued = {message.repository for message in seen.pending if isinstance(message, OrphanImage)}
    for name, repository in seen.repositories.items() if seen.repositories_are_created else ():
        if seen.settled and not repository.manifests and name not in enqueued:
            yield f"{name} has no image"


def _tags(seen: Observed) -> Iterator[str]:
    """Decision 4: the version's tag names the image of the row, or a message is pending that lets it."""
    for pack_id, pack in seen.packs.items():
        # A pack that has gone back to an older image names it by a tag that others may have moved since.
        moved = any(entry["operation"] == "replace" for entry in seen.histories.get(pack_id, []))
        if pack.status is not PackStatus.ACTIVE or pack.image_origin not in _OURS or moved:
            continue
        repository = seen.repositories.get(seen.repository(pack), Repository())
        enqueued = any(
            isinstance(message, OrphanImage) and message.digests[0] == pack.image_digest
            for message in seen.pending
        )
        if repository.tags.get(tag_of(pack.version)) != pack.image_digest and not enqueued:
            yield f"{tag_of(pack.version)} does not name the image of {pack_id}"
        for tag, digest in repository.tags.items():
            if digest not in repository.manifests:
                yield f"{tag} names {digest}, which is gone"


def _archives(seen: Observed) -> Iterator[str]:
    """2: every staged archive is enqueued."""
    enqueued = {message.key for message in seen.pending if isinstance(message, StagedArchive)}
    for key in seen.objects:
        if key.startswith(_ARCHIVES) and key not in enqueued:
            yield f"{key} stays for ever"


def _history(seen: Observed) -> Iterator[str]:
    """7: every accepted write is in the history, once; and the history is of nothing else."""
    for pack_id, entries in seen.histories.items():
        if pack_id not in seen.packs:
            # The row of a deleted pack goes in the end; its history stays for good.
            if entries[-1]["operation"] != "delete":
                yield f"{pack_id} has a history and no row"
            continue
        pack = seen.packs[pack_id]
        operations = [entry["operation"] for entry in entries]
        if [int(entry["revision"]) for entry in entries] != list(range(1, pack.revision + 1)):
            yield f"{pack_id} at revision {pack.revision} has the entries {operations}"
        if operations[0] not in _FIRST or _FIRST & set(operations[1:]):
            yield f"{pack_id} came to be as {operations}"
        if ("delete" in operations) != (pack.status is PackStatus.DELETED) or "delete" in operations[:-1]:
            yield f"{pack_id} is {pack.status} after {operations}"
        if (entries[-1]["image_digest"], entries[-1]["version"]) != (pack.image_digest, pack.version):
            yield f"{pack_id} is not what its last entry says"
        if any("expires_at" in entry for entry in entries):
            yield f"the history of {pack_id} is to expire"


def _versions(seen: Observed) -> Iterator[str]:
    """Decision 111: what was published under a version is known for good."""
    yield from version_faults(seen.by_key, seen.packs, seen.histories)


def _rows(seen: Observed) -> Iterator[str]:
    """Rows have a history, stand in the listings that they belong to, and expire once they are deleted."""
    for pack_id, row in seen.rows.items():
        pack = seen.packs[pack_id]
        if pack_id not in seen.histories:
            yield f"{pack_id} has no history"
        stated = _stated_of(row)
        if pack.status is PackStatus.DELETING:
            stated = stated | {"GSI3PK": "DELETING", "GSI3SK": f"{row['deleting_at']}#{pack_id}"}
        if any(row.get(name) != stated.get(name) for name in _INDEX_KEYS):
            yield f"{pack_id} is {pack.status} and {pack.visibility}, and listed as {[row.get(n) for n in _INDEX_KEYS]}"
        if ("expires_at" in row) != (pack.status is PackStatus.DELETED):
            yield f"{pack_id} is {pack.status} and expires at {row.get('expires_at')}"


@once_per_item
def _stated_of(row: Item) -> Item:
    return to_item(_pack_of(row))


def _names(seen: Observed) -> Iterator[str]:
    """3: a name is of one pack, which has it until it is gone."""
    standing = [pack for pack in seen.packs.values() if pack.status is not PackStatus.DELETED]
    for (org_id, name), times in Counter((pack.org_id, pack.name) for pack in standing).items():
        if times > 1:
            yield f"{times} packs of {org_id} are called {name}"
    for pack in standing:
        key = name_key(pack.org_id, pack.name)
        holder = seen.by_key.get((key["PK"], key["SK"]), {}).get("pack_id")
        if holder != pack.id:
            yield f"{pack.name} of {pack.org_id} is held by {holder}, not by {pack.id}"
    for item in seen.items:
        if item["SK"].startswith("NAME#"):
            yield from _name(seen, item)


def _name(seen: Observed, item: Item) -> Iterator[str]:
    held = item.get("pack_id")
    pack = seen.packs.get(held) if held else None
    if held and (pack is None or pack.status is PackStatus.DELETED):
        yield f"{item['SK']} is held by {held}, which is gone"
    if pack is not None and name_key(pack.org_id, pack.name) != {"PK": item["PK"], "SK": item["SK"]}:
        yield f"{item['SK']} is held by {held}, whose name is {pack.name}"
    if held and "expires_at" in item:
        yield f"{item['SK']} expires although {held} holds it"
    purged = "purging_until" in item and parse_timestamp(item["purging_until"]) >= seen.now
    if (
        purged
        and "expires_at" in item
        and item["expires_at"] < parse_timestamp(item["purging_until"]).timestamp()
    ):
        yield f"{item['SK']} expires before its purge is over"
    if seen.settled and not held and "expires_at" not in item:
        yield f"{item['SK']} is of nobody and stays for ever"


def _references(seen: Observed) -> Iterator[str]:
    """4: roles, references and counters agree, and nobody holds a pack that is gone or hidden."""
    held = {
        (pack_id, role["org_id"], role["role_id"]): True
        for role in seen.roles
        for pack_id in role["pack_ids"]
    }
    wanted = {tuple(reference_key(*holding).values()) for holding in held}
    standing = {key for key in seen.by_key if key[1].startswith("REF#")}
    yield from (f"{key} is a reference that no role has" for key in standing - wanted)
    yield from (f"{key} is a reference that is not there" for key in wanted - standing)
    for pack_id, row in seen.rows.items():
        holders = [org_id for held_id, org_id, _ in held if held_id == pack_id]
        own = holders.count(row["org_id"])
        counted = int(row.get("own_refs", 0)), int(row.get("foreign_refs", 0))
        if counted != (own, len(holders) - own):
            yield f"{pack_id} counts {counted} references, has {holders}"
        if holders and row["status"] != PackStatus.ACTIVE:
            yield f"{pack_id} is {row['status']} and held by {holders}"
        if own != len(holders) and row["visibility"] != Visibility.COMMUNITY:
            yield f"{pack_id} is hidden from {holders}"
    yield from (f"{key} holds a pack that never was" for key in held if key[0] not in seen.rows)


def _pins(seen: Observed) -> Iterator[str]:
    """8: what a role pins is a revision that there is, its reference says which, and its image can be pulled."""
    for role in seen.roles:
        for pack_id, pin in role.get("pins", {}).items():
            key = reference_key(pack_id, role["org_id"], role["role_id"])
            reference = seen.by_key.get((key["PK"], key["SK"]), {})
            stated = reference.get("revision"), reference.get("follow", False)
            if stated != (pin["revision"], pin.get("follow", False)):
                yield f"{role['role_id']} pins {pack_id} at {pin['revision']}, and its reference says {stated}"
            entries = [e for e in seen.histories.get(pack_id, []) if e["revision"] == pin["revision"]]
            if [entry["image_digest"] for entry in entries] != [pin["image_digest"]]:
                yield f"{role['role_id']} pins {pack_id} at {pin['revision']}, which is not in its history"
            image = parse_reference(pin["image_ref"])
            if image.registry == seen.host:
                repository = seen.repositories.get(image.repository, Repository())
                for part in missing(repository, pin["image_digest"]):
                    yield f"{role['role_id']} pins {pack_id} at {pin['revision']}, which lacks {part}"


def _roles(seen: Observed) -> Iterator[str]:
    """7, for roles: every set is in the role's history, once."""
    for role in seen.roles:
        partition = role_revision_key(role["org_id"], role["role_id"], 1)["PK"]
        entries = sorted(
            (item for item in seen.items if item["PK"] == partition), key=lambda item: str(item["SK"])
        )
        if [int(entry["revision"]) for entry in entries] != list(range(1, int(role["revision"]) + 1)):
            yield f"{role['role_id']} at revision {role['revision']} has {len(entries)} entries"
        elif entries[-1]["pack_ids"] != role["pack_ids"]:
            yield f"{role['role_id']} is not what its last entry says"


def _uploads(seen: Observed) -> Iterator[str]:
    """An upload that is done has become a pack or, as a dry run, says what would; what waits can come to an end."""
    for item in seen.items:
        if item["SK"] != "UPLOAD":
            continue
        done = item["upload_status"] == "done"
        # What has expired may lie there longer than what it tells of.
        expired = int(item.get("expires_at", 0)) <= seen.now.timestamp()
        if done and "outcome" not in item and item.get("pack_id") not in seen.rows and not expired:
            yield f"{item['id']} is done and has become nothing"
        if "outcome" in item and not (done and item.get("dry_run")):
            yield f"{item['id']} has the outcome of a dry run and is none that is done"
        if item["upload_status"] == "building" and not {"lease_until", "build_deadline"} <= item.keys():
            yield f"{item['id']} is being built without an end"
        if "expires_at" not in item:
            yield f"{item['id']} stays for ever"
        if done and {"lease", "upload_error"} & item.keys():
            yield f"{item['id']} is done, and still has {sorted({'lease', 'upload_error'} & item.keys())}"


def _idempotency_records(seen: Observed) -> Iterator[str]:
    """Decision 12: a kept answer is whole, is none of our failures, and tells of a pack that there is."""
    for item in seen.items:
        if item["SK"] != "ANSWER":
            continue
        if "expires_at" not in item:
            yield f"{item['PK']} stays for ever"
        if item["answer_status"] == "INPROGRESS":
            if "answer" in item:
                yield f"{item['PK']} is at work and has an answer"
            continue
        kept: dict[str, Any] = {}
        with suppress(ValueError, KeyError):
            kept = json.loads(item["answer"])
        if not 200 <= kept.get("status", 0) < 500:
            yield f"{item['PK']} keeps {item.get('answer')}"
            continue
        body = json.loads(kept["body"])
        for pack_id in (body.get("id"), body.get("pack_id")):
            expired = int(item.get("expires_at", 0)) <= seen.now.timestamp()
            if pack_id is not None and pack_id not in seen.rows and not expired:
                yield f"{item['PK']} tells of {pack_id}, which never was"


def _keys(seen: Observed) -> Iterator[str]:
    """A key that callers have made ends, names its maker, may not `operate`, and is nowhere in clear."""
    for item in seen.items:
        if _holds_a_secret(item):
            yield f"{item['PK']} holds the secret of a key"
        if item["SK"] != "KEY" or "permission_set" in item:
            continue
        if OPERATE in item.get("scopes", ()):
            if "created_by" in item:
                yield f"{item['PK']} may operate, and a caller has made it"
        else:
            yield from (
                f"{item['PK']} lacks {name}"
                for name in ("created_by", "expires_at", "scopes", "void_from")
                if name not in item
            )


@once_per_item
def _holds_a_secret(item: Item) -> bool:
    return bool(_SECRET.search(json.dumps(item, default=str)))


def _events(seen: Observed) -> Iterator[str]:
    """7, for all of them: every accepted write is an event, once; and no event is of anything else."""
    yield from event_faults(seen.items, now=seen.now)


def _usage(seen: Observed) -> Iterator[str]:
    """Section 9: what is counted is what there is: packs, their bytes, and the publishes of each day."""
    counts = {item["PK"].removeprefix("USAGE#"): item for item in seen.items if item["SK"] == "USAGE"}
    standing = [pack for pack in seen.packs.values() if pack.status is not PackStatus.DELETED]
    for org_id in counts.keys() | {pack.org_id for pack in standing}:
        own = [pack for pack in standing if pack.org_id == org_id]
        item = counts.get(org_id, {})
        stored = sum(pack.stored_bytes or 0 for pack in own)
        left = int(item.get("max_bytes", 0)) - stored
        wanted = {"packs": len(own), "stored_bytes": stored, "bytes_left": left}
        found = {name: int(item.get(name, 0)) for name in wanted}
        if found != wanted:
            yield f"{org_id} counts {found}, has {wanted}"
        # The publishes of packs whose rows have expired are counted, and not found any more.
        for day, publishes in _publishes(seen, org_id).items():
            if item.get(day, publishes) < publishes:
                yield f"{org_id} counts {item[day]} publishes on {day}, and had {publishes}"
    deleted = {
        (item["pack_id"], item["digest"]) for item in seen.items if item.get("image_status") == "deleted"
    }
    for pack in standing:
        history = seen.histories.get(pack.id, [])
        there = [entry for entry in history if (pack.id, entry["image_digest"]) not in deleted]
        yield from _stored(pack, there)
    for item in seen.items if seen.settled else ():
        for entry in item.get("builds", ()):
            if parse_timestamp(entry.partition("#")[0]) > seen.now:
                yield f"{item['PK']} still has the build {entry}"


def _publishes(seen: Observed, org_id: str) -> Counter[str]:
    """Return how often an organisation has given a pack a new image, by the name of the day's count."""
    published: Counter[str] = Counter()
    for pack in seen.packs.values():
        last = None
        for entry in seen.histories.get(pack.id, []) if pack.org_id == org_id else []:
            published[f"day_{entry['at'][:10]}"] += entry["image_digest"] != last
            last = entry["image_digest"]
    return published


def _stored(pack: Pack, history: Sequence[Item]) -> Iterator[str]:
    """Each layer and config of a pack counts at least once, and not more often than revisions bring it.

    Those of deleted images do not count.
    """
    layers: dict[str, int] = {}
    configs: dict[str, int] = {}
    most = 0
    for entry in history if pack.image_origin in _OURS else []:
        own = {layer["digest"]: int(layer["size"]) for layer in entry.get("layers", ())}
        layers |= own
        configs[entry["image_digest"]] = int(entry["size_bytes"]) - sum(own.values())
        most += int(entry["size_bytes"])
    least = sum(layers.values()) + sum(configs.values())
    if pack.stored_bytes is None or not least <= pack.stored_bytes <= most:
        yield f"{pack.id} counts {pack.stored_bytes} bytes, and has from {least} to {most}"


def _nothing_stuck(seen: Observed) -> Iterator[str]:
    """2, and "Nothing waits for ever": what is half done has somebody who finishes it, and in the end nothing is."""
    deleting = {message.pack_id for message in seen.pending if isinstance(message, PackDeletion)}
    for pack in seen.packs.values():
        if pack.status is PackStatus.DELETING and pack.id not in deleting:
            yield f"{pack.id} is being deleted by nobody"
    if not seen.settled:
        return
    yield from (f"{message} is still pending" for message in seen.pending)
    for item in seen.items:
        for lease in ("purging_until", "claimed_until", "lease_until"):
            if lease in item and parse_timestamp(item[lease]) > seen.now:
                yield f"{item['PK']} {item['SK']} is held until {item[lease]}"
