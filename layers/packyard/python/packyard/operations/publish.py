"""Publishing an archive as a new pack: validate, build, push, and only then write the row.

The order is what makes a crash harmless (decisions 3, 4 and 7). Each announcement precedes what it announces: from the
moment that something of ours exists outside the table, a message is under way that removes it again unless a committed
row uses it by then. No step undoes another; who loses a race or dies half-way leaves it to that message.

    announce the staged archive → stage it → validate and build on local disk → claim the name and its repository
    → announce the image → push it by digest → commit the row → set the tag
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

from aws_lambda_powertools import Logger

from packyard.errors import PackNameTaken, PackyardError, ServiceUnavailable
from packyard.oci.content import Content
from packyard.oci.digest import Digest
from packyard.oci.image import Image, build_image
from packyard.oci.layer import Layer, LayerSpool
from packyard.oci.tree import File, canonical_order
from packyard.packs.archive import PackContents, read_archive
from packyard.packs.limits import ArchiveLimits
from packyard.packs.manifest import Manifest
from packyard.packs.name import PackName
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Tier, Visibility
from packyard.packs.version import tag_of
from packyard.queue import CleanupQueue, OrphanImage, StagedArchive
from packyard.registry.port import ImageRegistry
from packyard.registry.transport import RegistryRefused
from packyard.staging import Staging, inline_key
from packyard.store.packs import PackStore
from packyard.store.repositories import Claim, ClaimLost, NameHeld, RepositoryBusy, RepositoryStore
from packyard.tenants.caller import Caller

logger = Logger(child=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of an archive.

    Attributes:
        pack: The pack as it stands.
        created: False when an equal pack stood already and nothing changed.
    """

    pack: Pack
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes archives.

    Attributes:
        repository_prefix: First segment of the repositories that images go to.
        deadline: Longer than a publish can live, the end of its function included.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    packs: PackStore
    repositories: RepositoryStore
    staging: Staging
    cleanup_queue: CleanupQueue
    registry: ImageRegistry
    limits: ArchiveLimits
    repository_prefix: str
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def publish(self, archive: bytes, *, visibility: Visibility, caller: Caller) -> Published:
        """Make a pack of an archive.

        Args:
            archive: A `.tar.gz`, as it came.
            visibility: Who may see the pack.
            caller: Whose pack it becomes.

        Raises:
            InvalidRequest: The archive or its `pack.yaml` is wrong; every fault is named.
            PackNameTaken: The organisation has another pack of that name.
            RegistryUnavailable: Our registry did not take the image.
            ServiceUnavailable: A backing service did not answer, or the name's repository is being cleared up.
        """
        due_at = self.clock() + self.deadline
        self._stage(archive, due_at)
        with LayerSpool() as spool:
            contents = read_archive(BytesIO(archive), limits=self.limits, contents=spool)
            manifest = contents.manifest
            layer = _assemble(spool, contents)
            image = build_image(
                layer=layer, title=manifest.name, version=manifest.version, description=manifest.description
            )
            try:
                claim = self._claim(manifest, due_at, caller)
                pack = self._new_pack(manifest, image, layer.diff_id, visibility, caller)
                self._push(image, layer, pack, due_at)
                self.packs.create(pack, actor=caller.principal, operation="upload", claim=claim)
            except NameHeld as held:
                return self._settle_repeat(held.pack_id, manifest, layer.diff_id, visibility)
            except (ClaimLost, RepositoryBusy) as busy:
                raise ServiceUnavailable from busy
        self._tag(image, pack)
        return Published(pack=pack, created=True)

    def _stage(self, archive: bytes, due_at: datetime) -> None:
        key = inline_key(self.new_ulid())
        self.cleanup_queue.announce(StagedArchive(key=key, due_at=due_at), now=self.clock())
        self.staging.put(key, archive)

    def _claim(self, manifest: Manifest, due_at: datetime, caller: Caller) -> Claim:
        return self.repositories.claim_for_create(
            org_id=caller.org_id, name=manifest.name, until=due_at, now=self.clock(), token=self.new_ulid()
        )

    def _push(self, image: Image, layer: Layer, pack: Pack, due_at: datetime) -> None:
        repository = self._repository(pack.org_id, pack.name)
        self.cleanup_queue.announce(
            OrphanImage(
                repository=repository,
                digests=image.digests,
                org_id=pack.org_id,
                name=pack.name,
                due_at=due_at,
            ),
            now=self.clock(),
        )
        self.registry.ensure_repository(repository)
        self.registry.push(repository, image, layer)

    def _tag(self, image: Image, pack: Pack) -> None:
        """Set the tag; the pack stands without it, and the announcement sets it when this cannot (decision 4)."""
        try:
            self.registry.tag(self._repository(pack.org_id, pack.name), tag_of(pack.version), image.index)
        except (PackyardError, RegistryRefused):
            logger.warning("tag left to clean_up", extra={"pack_id": pack.id}, exc_info=True)

    def _settle_repeat(
        self, pack_id: str, manifest: Manifest, content_digest: Digest, visibility: Visibility
    ) -> Published:
        """Return the pack that stands when it is what this archive would have made (API contract, "Repeats")."""
        pack = self.packs.get(pack_id)
        if pack is None or not _equals(pack, manifest, content_digest, visibility):
            raise PackNameTaken(manifest.name, pack_id)
        return Published(pack=pack, created=False)

    def _new_pack(
        self, manifest: Manifest, image: Image, content_digest: Digest, visibility: Visibility, caller: Caller
    ) -> Pack:
        now = self.clock()
        repository = self._repository(caller.org_id, manifest.name)
        return Pack(
            id=f"pack_{self.new_ulid()}",
            org_id=caller.org_id,
            name=manifest.name,
            display_name=manifest.display_name,
            description=manifest.description,
            category=manifest.category,
            version=manifest.version,
            tier=Tier.COMMUNITY,
            visibility=visibility,
            capabilities=manifest.capabilities_text,
            suggested_packs=manifest.suggested_packs,
            image_origin=ImageOrigin.UPLOAD,
            image_ref=f"{self.registry.host}/{repository}:{tag_of(manifest.version)}",
            image_digest=image.index.digest,
            content_digest=content_digest,
            size_bytes=image.size_bytes,
            created_at=now,
            updated_at=now,
            revision=1,
        )

    def _repository(self, org_id: str, name: PackName) -> str:
        """Return the repository of a built pack (API contract, section 4)."""
        return f"{self.repository_prefix}/{org_id}/{name}"


def _assemble(spool: LayerSpool, contents: PackContents[Content]) -> Layer:
    files = [File(file.path, file.executable, file.content) for file in contents.files]
    return spool.assemble(canonical_order(directories=contents.directories, files=files))


def _equals(pack: Pack, manifest: Manifest, content_digest: Digest, visibility: Visibility) -> bool:
    """Return whether publishing again would change nothing. The name is the one that led to this pack.

    Content is compared by diff_id: a later build of the service may compress it to other bytes.
    """
    return (
        pack.status is PackStatus.ACTIVE
        and pack.version == manifest.version
        and pack.content_digest == content_digest
        and pack.visibility is visibility
    )
