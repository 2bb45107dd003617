"""One name, its repository and one image, and the steps of those who publish it and clean it up.

The store is the real one. A flag stands for the registry.
"""

from datetime import datetime, timedelta
from itertools import count

from tests.aws import TABLE, Aws
from tests.engine.turns import Steps
from tests.packs import NOW, ORG, a_pack

from packyard.oci.digest import digest_of
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import PackStatus
from packyard.store.deletions import Deletion, DeletionStore
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, ClaimLost, NameHeld, Purge, RepositoryBusy

IMAGE = digest_of(b"the image")
LEASE = timedelta(minutes=5)
HELD = timedelta(minutes=16)
LAPSED = timedelta(minutes=-1)


class OneName:
    """A name in the store, the registry's flag, and a clock; names and tokens are new each time."""

    numbers = count(1)

    def __init__(self, aws: Aws, *, now: datetime = NOW) -> None:
        self.dynamodb = aws.dynamodb
        self.packs = PackStore(table=aws.table, events=aws.events)
        self.repositories = RepositoryStore(table=aws.table)
        self.deletions = DeletionStore(table=aws.table, events=aws.events)
        self.text = PackName(f"name-{next(self.numbers)}")
        self.now = now
        self.has_image = False
        self.outcomes: list[str] = []

    def claim(self, held: timedelta) -> Claim:
        return self.repositories.claim_for_create(
            org_id=ORG, name=self.text, until=self.now + held, now=self.now, token=f"{next(self.numbers)}"
        )

    def push(self) -> None:
        self.has_image = True

    def commit(self, claim: Claim) -> None:
        pack = a_pack(next(self.numbers), name=self.text, image_digest=IMAGE)
        self.packs.create(pack, actor="key:1", operation="upload", claim=claim)

    def begin_purge(self) -> Purge:
        return self.repositories.begin_purge(
            org_id=ORG, name=self.text, until=self.now + LEASE, now=self.now, token=f"{next(self.numbers)}"
        )

    def is_used(self, purge: Purge) -> bool:
        return purge.holder is not None and self.packs.uses_digest(purge.holder, IMAGE)

    def delete(self) -> None:
        self.has_image = False

    def decide(self, pack_id: str) -> Deletion | None:
        return self.deletions.begin(pack_id, org_id=ORG, actor="key:1", if_match=None, now=self.now)

    def join_purge(self, deletion: Deletion) -> Purge:
        return self.repositories.join_purge(
            deletion.pack, until=self.now + LEASE, now=self.now, token=f"{next(self.numbers)}"
        )

    def finish(self, deletion: Deletion, purge: Purge) -> None:
        self.deletions.finish(deletion, purge=purge, now=self.now)

    def expire(self) -> None:
        """Do what the table's TTL does, with the item of the name.

        Raises:
            ClientError: It is not due, or not there.
        """
        self.dynamodb.delete_item(
            TableName=TABLE,
            Key={"PK": {"S": f"ORG#{ORG}"}, "SK": {"S": f"NAME#{self.text}"}},
            ConditionExpression="expires_at < :now",
            ExpressionAttributeValues={":now": {"N": str(int(self.now.timestamp()))}},
        )

    def assert_sound(self) -> None:
        """Check that a pack that holds the name has its image, or is being deleted."""
        assert self.is_sound(), self.outcomes

    def is_sound(self) -> bool:
        holder = self.packs.find_by_name(org_id=ORG, name=self.text)
        pack = self.packs.get(holder) if holder is not None and not self.has_image else None
        return pack is None or pack.status is PackStatus.DELETING


def publisher(name: OneName, *, claimed_for: timedelta) -> Steps:
    """Claim, push, commit."""
    try:
        claim = name.claim(claimed_for)
    except (NameHeld, RepositoryBusy) as refused:
        name.outcomes.append(f"no claim: {type(refused).__name__}")
        return
    yield
    name.push()
    yield
    try:
        name.commit(claim)
    except (NameHeld, ClaimLost) as refused:
        name.outcomes.append(f"no commit: {type(refused).__name__}")
    else:
        name.outcomes.append("committed")


def cleaner(name: OneName) -> Steps:
    """Begin, look, delete, end."""
    try:
        purge = name.begin_purge()
    except RepositoryBusy:
        name.outcomes.append("no purge: RepositoryBusy")
        return
    yield
    used = name.is_used(purge)
    yield
    if not used:
        name.delete()
    name.outcomes.append("kept" if used else "deleted")
    yield
    name.repositories.end_purge(purge)
