"""What ECR holds beside what the packs say: for a table that has been restored to an earlier day than its registry's.

Nothing is removed here. What no pack uses is enqueued to the cleanup queue, whose consumer asks again while nobody
can commit (decision 3): so it may well be an image that is being published this very moment.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from packyard.messaging.cleanup_queue import MAX_DIGESTS, CleanupQueue, OrphanImage
from packyard.oci.digest import Digest, parse_digest
from packyard.oci.media_types import INDEXES
from packyard.packs.manifest.name import PackName, parse_slug, repository_of
from packyard.packs.pack import ImageOrigin, Pack, PackStatus
from packyard.store.pack_items import from_item
from packyard.store.packs import PackStore
from packyard.store.wire import from_wire
from packyard.tenants.org import parse_org_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient

# Of those whose image is in our registry; the others' is somebody else's to keep.
_OURS: Final = frozenset({ImageOrigin.UPLOAD, ImageOrigin.CLONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Compares ECR with the packs.

    Attributes:
        packs: Says which images a pack has, or has had.
        table_name: The table that all packs are read from.
        dynamodb: Reads it.
        ecr: Of the account and Region that hold the registry.
        prefix: What the repositories of built packs begin with.
        clock: The present instant, UTC.
    """

    packs: PackStore
    table_name: str
    dynamodb: "DynamoDBClient"
    ecr: "ECRClient"
    prefix: str
    clock: Callable[[], datetime]

    def unused(self) -> Iterator[OrphanImage]:
        """Yield every image below the prefix that is in no pack's history, one index or stray manifest each."""
        for page in self.ecr.get_paginator("describe_repositories").paginate():
            for repository in page["repositories"]:
                place = self._place(repository["repositoryName"])
                if place is not None:
                    yield from self._unused_of(repository["repositoryName"], *place)

    def lost(self) -> Iterator[Pack]:
        """Yield every pack whose image ECR does not have."""
        for pack in self._built():
            repository = repository_of(pack.name, org_id=pack.org_id, prefix=self.prefix)
            if not self._has(repository, pack.image_digest):
                yield pack

    def enqueue_unused(self, queue: CleanupQueue) -> int:
        """Enqueue the cleanup of what `unused` finds and return how much that was; a second time does no harm."""
        enqueued = 0
        for image in self.unused():
            queue.enqueue(image, now=self.clock())
            enqueued += 1
        return enqueued

    def _place(self, repository: str) -> tuple[str, PackName] | None:
        """Return whose repository this is and for which name; None when it is not one of ours."""
        rest = repository.removeprefix(f"{self.prefix}/")
        if rest == repository:
            return None
        org_id, _, name = rest.partition("/")
        try:
            return parse_org_id(org_id), parse_slug(name)
        except ValueError:
            return None

    def _unused_of(self, repository: str, org_id: str, name: PackName) -> Iterator[OrphanImage]:
        types = self._media_types(repository)
        holder = self.packs.find_by_name(org_id=org_id, name=name)
        unused = {digest: types[digest] for digest in self._not_in_history(holder, list(types))}
        indexes = [digest for digest, media_type in unused.items() if media_type in INDEXES]
        images = [(index, *self._listed(repository, index)) for index in indexes]
        listed = {digest for image in images for digest in image}
        images += [(digest,) for digest in unused if digest not in listed]
        for image in images:
            yield OrphanImage(
                repository=repository,
                digests=image[:MAX_DIGESTS],
                org_id=org_id,
                name=name,
                due_at=self.clock(),
            )

    def _media_types(self, repository: str) -> dict[Digest, str]:
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
        return {
            parse_digest(image["imageDigest"]): image.get("imageManifestMediaType", "")
            for page in pages
            for image in page["imageDetails"]
        }

    def _not_in_history(self, holder: str | None, digests: Sequence[Digest]) -> list[Digest]:
        if holder is None:
            return list(digests)
        used: set[Digest] = set()
        for start in range(0, len(digests), MAX_DIGESTS):
            used |= self.packs.used_digests(holder, digests[start : start + MAX_DIGESTS])
        return [digest for digest in digests if digest not in used]

    def _listed(self, repository: str, index: Digest) -> tuple[Digest, ...]:
        answer = self.ecr.batch_get_image(
            repositoryName=repository,
            imageIds=[{"imageDigest": index}],
            acceptedMediaTypes=sorted(INDEXES),
        )
        if not answer["images"]:
            return ()
        manifests = json.loads(answer["images"][0]["imageManifest"]).get("manifests", ())
        return tuple(parse_digest(manifest["digest"]) for manifest in manifests)

    def _has(self, repository: str, digest: Digest) -> bool:
        try:
            answer = self.ecr.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])
        except (self.ecr.exceptions.ImageNotFoundException, self.ecr.exceptions.RepositoryNotFoundException):
            return False
        return bool(answer["imageDetails"])

    def _built(self) -> Iterator[Pack]:
        """Yield every pack that stands and whose image is ours: reads the whole table, page by page."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table_name,
            FilterExpression="SK = :row",
            ExpressionAttributeValues={":row": {"S": "PACK"}},
        )
        for page in pages:
            for item in page["Items"]:
                pack = from_item(from_wire(item))
                if pack.status is PackStatus.ACTIVE and pack.image_origin in _OURS:
                    yield pack
