"""Publishing an archive, as a new pack or as the next revision of a pack: validate, build, push, then write the row.

The order makes a crash harmless (decisions 3, 4 and 7). Before anything of ours exists outside the table, a cleanup
message is enqueued that removes it later, unless a committed row uses it by then. No step undoes another. A process
that loses a race or crashes leaves the rest to that message.

    enqueue the staged archive's cleanup → stage it → validate and build on local disk → [read the pack to change]
    → claim the name and its repository → scan → enqueue the image's cleanup → push it by digest → commit the row
    → set the tag

A large layer is sent while it is built, to an upload that has no digest until the push closes it (decision 21).
An archive that the client has staged itself begins at the third step: starting its upload took the first two.
A change commits on condition that the pack is still as it was read, so that one of two changes at once is refused.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import SEEK_END, BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from aws_lambda_powertools import Logger

from packyard.errors import ServiceUnavailable
from packyard.messaging.cleanup_queue import CleanupQueue, StagedArchive
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import index_of_layers
from packyard.operations.built_images import BuiltImages, StandingLayersLost
from packyard.operations.built_pack import BuiltPack, building
from packyard.operations.owned_pack import (
    changing,
    owned_pack,
    require_archive_origin,
    require_changeable,
    require_name,
    require_reach,
)
from packyard.operations.pack_content import Content, built_image_fields, first_revision, manifest_fields
from packyard.operations.published import Alongside, Published, nothing
from packyard.operations.repeats import same_archive, settle_repeat
from packyard.operations.scan_rule import ScanRule
from packyard.operations.unusable_images import current_is_withdrawn
from packyard.operations.version_policy import VersionRule
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.unstated_version import FIRST_VERSION, next_version, with_version
from packyard.packs.manifest.version import Version
from packyard.packs.pack import ImageOrigin, Pack, Visibility
from packyard.packs.precondition import IfMatch
from packyard.registry.own.port import BlobUpload
from packyard.scanning.result import ScanResult
from packyard.storage.file_indexes import FileIndexes
from packyard.storage.staging import Staging, inline_key
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, ClaimLost, NameHeld, RepositoryBusy
from packyard.tenants.caller import Actor

if TYPE_CHECKING:
    from packyard.operations.standing_pack import StandingPack, StandingPacks

logger = Logger(child=True)

# The size in bytes from which the pack that stands is looked at. No archive in a request's own body is so large.
_LARGE_ARCHIVE: Final = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes archives.

    Attributes:
        standing_packs: Returns what finds the pack that an archive replaces. Asked only for a large archive.
        deadline: Longer than a publish can take until its function ends.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    packs: PackStore
    repositories: RepositoryStore
    staging: Staging
    cleanup_queue: CleanupQueue
    images: BuiltImages
    indexes: FileIndexes
    standing_packs: "Callable[[], StandingPacks]"
    versions: VersionRule
    scans: ScanRule
    limits: ArchiveLimits
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def stage(self, archive: bytes) -> BinaryIO:
        """Stage an archive that came in a request's own body, and return it for reading.

        Args:
            archive: A `.tar.gz`, as the client sent it.

        Raises:
            ServiceUnavailable: SQS or S3 did not answer.
        """
        now = self.clock()
        key = inline_key(self.new_ulid())
        self.cleanup_queue.enqueue(StagedArchive(key=key, due_at=now + self.deadline), now=now)
        self.staging.put(key, archive)
        return BytesIO(archive)

    def create(
        self,
        archive: BinaryIO,
        *,
        visibility: Visibility,
        actor: Actor,
        version: Version | None = None,
        alongside: Alongside = nothing,
    ) -> Published:
        """Make a pack of a staged archive.

        Args:
            archive: A `.tar.gz`, read once.
            visibility: Who may see the pack.
            actor: Whose pack it becomes.
            version: Of an Agent Skill that states none; None: the first version.
            alongside: Returns what else to write in the row's transaction. It is not called when nothing is written.

        Raises:
            InvalidRequest: The archive or its `pack.yaml` is wrong; every fault is named.
            PayloadTooLarge: The archive is over its limit.
            PermissionDenied: The actor is narrowed to another pack.
            PackNameTaken: The organisation has another pack of that name.
            VersionTaken: The organisation's version policy does not allow the version.
            ScanBlocked: The organisation's scan policy does not allow what the scan found.
            RegistryUnavailable: Our registry did not take the image.
            ServiceUnavailable: A backing service did not answer, or the name's repository is being cleaned up.
        """
        due_at = self.clock() + self.deadline
        with self._building(archive, actor) as made:
            built = made.named(with_version(made.manifest, given=version, otherwise=FIRST_VERSION))
            require_reach(actor, built.manifest.name)
            pack = self._new_pack(built, visibility, actor)
            try:
                claim = self._claim_name(pack, due_at)
                self.versions.require(pack, before=None, actor=actor)
                scan = self.scans.require_files(pack, built.new_files)
                self._push(built, pack, due_at)
                with self.versions.publishing(pack):
                    self.packs.create(
                        pack,
                        actor=actor.principal,
                        operation="upload",
                        claim=claim,
                        manifests=built.image.digests[1:],
                        policy=actor.version_policy,
                        scan=scan,
                        alongside=alongside(pack, built.manifest.warnings),
                    )
            except NameHeld as held:
                there = settle_repeat(held.pack_id, pack, same=same_archive, packs=self.packs)
                return replace(there, warnings=built.manifest.warnings)
            except (ClaimLost, RepositoryBusy) as busy:
                raise ServiceUnavailable from busy
        self.images.tag(built.image.index, pack=pack)
        return Published(pack=pack, changed=True, warnings=built.manifest.warnings)

    def replace(  # noqa: PLR0913 - by name: what replaces what, for whom, and on what condition
        self,
        archive: BinaryIO,
        *,
        pack_id: str,
        actor: Actor,
        version: Version | None = None,
        if_match: IfMatch | None = None,
        alongside: Alongside = nothing,
    ) -> Published:
        """Give an owned pack of origin `upload` the content of a staged archive; id, roles and visibility stay.

        Args:
            archive: A `.tar.gz` whose `pack.yaml` or `SKILL.md` has the pack's name. It is read from its start, and a
                second time when the image that stands turns out to be incomplete.
            pack_id: The pack, as the client names it.
            actor: Who changes it.
            version: Of an Agent Skill that states none; None: the next patch, or the present one for equal content.
            if_match: What the client has seen of it.
            alongside: As for `create`.

        Raises:
            InvalidRequest: The archive or its `pack.yaml` is wrong, or the pack takes no archive.
            PayloadTooLarge: The archive is over its limit.
            PackNotFound: The actor's organisation owns no such pack.
            PermissionDenied: The archive has another pack's name, and the actor is narrowed to one pack.
            PackDeleting: The pack is being deleted.
            PreconditionFailed: The pack is at another revision than the client has seen.
            PackModified: Another change came in between.
            VersionTaken, ScanBlocked: As for `create`.
            RevisionWithdrawn: The pack has had this content, and it was withdrawn or deleted.
            RegistryUnavailable, ServiceUnavailable: As for `create`.
        """
        standing = self._standing_for(archive, pack_id, actor)
        try:
            return self._replace(archive, pack_id, actor, version, if_match, alongside, standing)
        except (NotOurForm, StandingLayersLost):
            if standing is None:
                raise
            # Its index is wrong, or the registry has lost a layer. What was not compressed has to be read again.
            logger.warning("standing image not used", extra={"pack_id": pack_id}, exc_info=True)
        archive.seek(0)
        return self._replace(archive, pack_id, actor, version, if_match, alongside, None)

    def _replace(  # noqa: PLR0913, PLR0917 - those of `replace`, and what stands
        self,
        archive: BinaryIO,
        pack_id: str,
        actor: Actor,
        version: Version | None,
        if_match: IfMatch | None,
        alongside: Alongside,
        standing: "StandingPack | None",
    ) -> Published:
        due_at = self.clock() + self.deadline
        with self._building(archive, actor, standing) as made:
            before = self._changeable(pack_id, made, actor, if_match)
            built = _with_next_version(made, before, given=version)
            warnings = built.manifest.warnings
            after = before.revised(at=self.clock(), **self._content(built, before.org_id))
            if same_archive(before, after):
                if before.withdrawn:
                    raise current_is_withdrawn(before)
                if self.images.holds(before, built.image):
                    return Published(pack=before, changed=False, warnings=warnings)
                # An image that the registry has lost is pushed again, for which all of it is needed.
                if standing is not None:
                    raise StandingLayersLost
            self.versions.require(after, before=before, actor=actor)
            with changing(if_match), self.versions.publishing(after):
                claim = self._claim_repository(before, due_at)
                scan = self._scan(built, before, after)
                self._push(built, after, due_at)
                self.packs.change(
                    before,
                    after,
                    actor=actor.principal,
                    operation="reupload",
                    claim=claim,
                    manifests=built.image.digests[1:],
                    policy=actor.version_policy,
                    scan=scan,
                    alongside=alongside(after, warnings),
                )
        self.images.tag(built.image.index, pack=after)
        return Published(pack=after, changed=True, warnings=warnings)

    def _standing_for(self, archive: BinaryIO, pack_id: str, actor: Actor) -> "StandingPack | None":
        """Return the pack that an archive is to replace, if the archive is so large that building on it may pay."""
        size = archive.seek(0, SEEK_END)
        archive.seek(0)
        return self.standing_packs().find(pack_id, actor=actor) if size > _LARGE_ARCHIVE else None

    def _building(
        self, archive: BinaryIO, actor: Actor, standing: "StandingPack | None" = None
    ) -> AbstractContextManager[BuiltPack]:
        def begin_upload(name: PackName) -> BlobUpload:
            require_reach(actor, name)
            return self.images.begin_upload(org_id=actor.org_id, name=name)

        return building(archive, limits=self.limits, begin_upload=begin_upload, standing=standing)

    def _scan(self, built: BuiltPack, before: Pack, after: Pack) -> ScanResult | None:
        if built.built_on is None:
            return self.scans.require_files(after, built.new_files)
        return self.scans.require_changes(
            replace(before, image_digest=built.built_on), after, built.new_files, built.paths
        )

    def _push(self, built: BuiltPack, pack: Pack, due_at: datetime) -> None:
        # The index is a cache: it may be there after a publish that has failed, and a publish succeeds without it.
        self.indexes.put(built.image.layer_digest, index_of_layers(built.image.layers))
        self.images.push(built.image, uploads=built.uploads, pack=pack, due_at=due_at)

    def _claim_name(self, pack: Pack, due_at: datetime) -> Claim:
        return self.repositories.claim_for_create(
            org_id=pack.org_id, name=pack.name, until=due_at, now=self.clock(), token=self.new_ulid()
        )

    def _claim_repository(self, pack: Pack, due_at: datetime) -> Claim:
        return self.repositories.claim_for_change(pack, until=due_at, now=self.clock(), token=self.new_ulid())

    def _changeable(self, pack_id: str, built: BuiltPack, actor: Actor, if_match: IfMatch | None) -> Pack:
        """Return the pack, if this archive may replace its content. The checks are in the contract's order."""
        pack = owned_pack(pack_id, actor=actor, packs=self.packs)
        require_archive_origin(pack)
        require_name(pack, built.manifest, instead="POST /packs/upload")
        require_changeable(pack, if_match)
        return pack

    def _new_pack(self, built: BuiltPack, visibility: Visibility, actor: Actor) -> Pack:
        return first_revision(
            self._content(built, actor.org_id),
            ulid=self.new_ulid(),
            org_id=actor.org_id,
            name=built.manifest.name,
            visibility=visibility,
            image_origin=ImageOrigin.UPLOAD,
            now=self.clock(),
        )

    def _content(self, built: BuiltPack, org_id: str) -> Content:
        manifest = built.manifest
        image_ref = self.images.reference(org_id=org_id, name=manifest.name, version=manifest.version)
        return Content(
            **manifest_fields(manifest),
            **built_image_fields(
                built.image,
                image_ref=image_ref,
                attestations=self.images.attestations,
                archive_digest=built.archive_digest,
            ),
        )


def _with_next_version(built: BuiltPack, before: Pack, *, given: Version | None) -> BuiltPack:
    """Return an archive's content under the version that it states, or that the request gives, or else the next one.

    Content that the pack has already keeps the version, so that a repeat changes nothing.
    """
    same = built.named(with_version(built.manifest, given=given, otherwise=before.version))
    stands = same.image.chain_id == before.chain_id or same.image.index.digest == before.image_digest
    if stands or given is not None or built.manifest.version_is_stated:
        return same
    return built.named(with_version(built.manifest, given=None, otherwise=next_version(before)))
