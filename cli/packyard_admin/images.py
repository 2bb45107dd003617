"""Compares the images in ECR with the packs, for a table that has been restored to an earlier day.

Nothing is removed here. For each unused image a cleanup message is enqueued. Its consumer checks again while nobody
can commit (decision 3). So it does no harm if the image is just being published.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from packyard.attestations.referrer import referrers_tag
from packyard.messaging.cleanup_queue import MAX_DIGESTS, CleanupQueue, OrphanImage
from packyard.oci.digest import Digest, parse_digest
from packyard.oci.media_types import INDEXES
from packyard.packs.manifest.name import PackName, parse_slug, repository_of
from packyard.packs.pack import ImageOrigin, Pack, PackStatus
from packyard.store.attestations import AttestationStore
from packyard.store.pack_items import from_item
from packyard.store.packs import PackStore
from packyard.store.wire import from_wire
from packyard.tenants.org import parse_org_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef

# These have their image in our registry. Images elsewhere are not ours to check.
_OURS: Final = frozenset({ImageOrigin.UPLOAD, ImageOrigin.CLONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Compares ECR with the packs.

    Attributes:
        packs: Knows which images a pack has, or has had.
        statements: Knows which manifests attach statements to them.
        table_name: The table with all packs.
        dynamodb: Reads it.
        ecr: For the account and Region of the registry.
        prefix: The prefix of the repositories of built packs.
        clock: The present instant, UTC.
    """

    packs: PackStore
    statements: AttestationStore
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

    def enqueue(self, images: Iterable[OrphanImage], queue: CleanupQueue) -> None:
        """Enqueue a cleanup message for each image that `unused` has found. Running it twice does no harm."""
        for image in images:
            queue.enqueue(image, now=self.clock())

    def _place(self, repository: str) -> tuple[str, PackName] | None:
        """Return the repository's organisation and name; None if it is not one of ours."""
        rest = repository.removeprefix(f"{self.prefix}/")
        if rest == repository:
            return None
        org_id, _, name = rest.partition("/")
        try:
            return parse_org_id(org_id), parse_slug(name)
        except ValueError:
            return None

    def _unused_of(self, repository: str, org_id: str, name: PackName) -> Iterator[OrphanImage]:
        there = self._described(repository)
        # Read after the registry, since what is pushed is written here before (decision 121).
        used = self._used(self.packs.find_by_name(org_id=org_id, name=name), there)
        unused = {
            digest: details.get("imageManifestMediaType", "")
            for digest, details in there.items()
            if digest not in used
        }
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

    def _described(self, repository: str) -> dict[Digest, "ImageDetailTypeDef"]:
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
        return {parse_digest(image["imageDigest"]): image for page in pages for image in page["imageDetails"]}

    def _used(self, holder: str | None, there: Mapping[Digest, "ImageDetailTypeDef"]) -> set[Digest]:
        """Return which images are in a pack's history, or refer to one that is: statements and signatures."""
        if holder is None:
            return set()
        digests = list(there)
        used: set[Digest] = set()
        for start in range(0, len(digests), MAX_DIGESTS):
            used |= self.packs.used_digests(holder, digests[start : start + MAX_DIGESTS])
        lists = {referrers_tag(digest) for digest in used}
        referring = {
            digest
            for digest, details in there.items()
            if details.get("subjectManifestDigest") in used
            or not lists.isdisjoint(details.get("imageTags", ()))
        }
        return used | referring | set(self.statements.manifests(holder))

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
        """Yield every existing pack whose image is ours. This reads the whole table, page by page."""
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
