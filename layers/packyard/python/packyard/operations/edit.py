"""Changing the files of a pack that we built: a new image, made of what the old one is made of.

    [read the archive of files] → read the pack → read where its files lie → make the layers around the changes again
    → claim the repository → scan the new files → enqueue the image's cleanup → push it by digest
    → commit the next revision → set the tag

From the claim on, the order is that of `operations.publish`, and it is safe for the same reasons: the cleanup message
removes what a crash leaves, unless a row uses it; one of two changes at once is refused; a repeat of a written file
finds that it is there already. The steps before the claim write only a cache, and a large layer to an upload without a
digest (decision 21).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO, Final

from packyard.errors import InvalidRequest
from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File
from packyard.oci.read.file_index import FileIndex, index_of_layers
from packyard.operations.built_images import BuiltImages, StandingLayersLost
from packyard.operations.changed_image import ChangedImage, Changes, ImageChanger
from packyard.operations.file_condition import of_revision, require_seen
from packyard.operations.image_files import ImageFiles
from packyard.operations.owned_pack import (
    changing,
    editable_pack,
    require_changeable,
    require_changeable_files,
    require_name,
)
from packyard.operations.pack_content import built_image_fields, image_of, manifest_fields
from packyard.operations.published import Alongside, Published, nothing
from packyard.operations.root_files import (
    is_skill,
    require_fitting,
    require_fitting_path,
    require_skill_kept,
    standing_skill,
)
from packyard.operations.scan_rule import ScanRule
from packyard.operations.scannable_files import in_memory, in_spool
from packyard.operations.version_policy import VersionRule
from packyard.operations.written_files import changes_nothing, changes_of, read_written
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.file_edit import Edit, check_new_path, check_place
from packyard.packs.manifest.pack_manifest import Manifest, parse_manifest
from packyard.packs.manifest.root_file import MANIFEST_PATH, SKILL_PATH, parse_root_file
from packyard.packs.manifest.unstated_version import require_stated_version, with_version
from packyard.packs.manifest.version import Version
from packyard.packs.pack import ImageOrigin, Pack, PackStatus
from packyard.packs.precondition import IfMatch
from packyard.scanning.parts import ScannableFile
from packyard.storage.file_indexes import FileIndexes
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.tenants.caller import Actor, Caller
from packyard.tenants.version_policy import VersionPolicy

# By whether the pack is a clone.
_LOST: Final = (
    "its image has lost a layer in the registry, so its files cannot be changed; upload its whole archive again",
    "is a clone whose image has lost a layer in the registry, so its files cannot be changed; clone its source again",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEditor:
    """Writes files into packs.

    Attributes:
        images: Where the new image goes.
        files: Reads the old image.
        limits: Bounds on a pack, the same as on its archive.
        deadline: Longer than an edit can take until its function ends.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    packs: PackStore
    repositories: RepositoryStore
    images: BuiltImages
    files: ImageFiles
    indexes: FileIndexes
    versions: VersionRule
    scans: ScanRule
    limits: ArchiveLimits
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def change(  # noqa: PLR0913 - by name: what is changed, by whom, and on what condition
        self,
        pack_id: str,
        *,
        archive: BinaryIO | None,
        deletions: Sequence[str],
        actor: Actor,
        version: Version | None = None,
        if_match: IfMatch | None = None,
        alongside: Alongside = nothing,
    ) -> Published:
        """Change many files at once, all or none.

        The version is that of the new `pack.yaml` or `SKILL.md`, if one is there and states it.

        Args:
            pack_id: The pack, as the client names it.
            archive: A `.tar.gz` of the files to add or replace, by their paths in the pack, read once; None for none.
            deletions: The paths to delete, at most `MAX_DELETIONS`. One that ends in a slash is a folder.
            actor: Who changes them.
            version: Of an Agent Skill that states none; None: the present one.
            if_match: What the client has seen of the pack.
            alongside: Returns what else to write in the row's transaction. It is not called when nothing is written.

        Raises:
            InvalidRequest: On `archive...` or `pack.yaml...`: the archive is wrong, or the pack would not be valid. On
                `delete:<path>`: the path cannot be deleted. On `id`: the pack is not one whose files can be changed.
            PayloadTooLarge: The archive is over its limit.
            PackNotFound, PermissionDenied, PackDeleting, PackModified, RegistryUnavailable, ServiceUnavailable: As for
                `put`.
            PreconditionFailed: The pack is at another revision than the client has seen.
            VersionTaken, ScanBlocked: As for `put`.
        """
        due_at = self.clock() + self.deadline
        with LayerSpool() as spool:
            written = read_written(archive, limits=self.limits, spool=spool)
            before = self._editable(pack_id, actor)
            require_name(before, written.manifest, instead="POST /packs/upload")
            require_changeable(before, if_match)
            index = self.files.index(before, org_id=actor.org_id)
            skill = is_skill(index)
            require_fitting(written, skill=skill)
            changes = changes_of(written, deletions, index)
            if skill:
                require_skill_kept(changes)
            manifest = self._manifest(
                before, index, written.manifest, version=version, skill=skill, actor=actor
            )
            warnings = () if manifest is None else manifest.warnings
            if changes_nothing(changes, index) and (manifest is None or manifest.version == before.version):
                return Published(pack=before, changed=False, warnings=warnings)
            revision = _Revision(
                manifest=manifest,
                actor=actor,
                operation="changes",
                if_match=if_match,
                due_at=due_at,
                files=[in_spool(file, spool) for file in written.files],
                alongside=alongside,
            )
            with self._changer("archive").changed(
                before,
                index,
                lambda image: changes if image is index else changes_of(written, deletions, image),
                spool=spool,
            ) as changed:
                return self._publish(before, changed, revision)

    def put(
        self,
        pack_id: str,
        edit: Edit,
        *,
        caller: Caller,
        if_match: IfMatch | None,
        create_only: bool = False,
    ) -> Published:
        """Write a new file, or replace the one at the path. A replaced file keeps its execute bit; a new one has none.

        Args:
            pack_id: The pack, as the client names it.
            edit: The file.
            caller: Who writes it.
            if_match: What the client has seen: of the pack its revision, or of the file its digest.
            create_only: Whether no file may be there.

        Raises:
            InvalidRequest: On `path`: no archive could hold the file, or not beside the pack's other files. On
                `pack.yaml:...`: it is not valid, or of another name or version. On `id`: the pack takes no files.
            PackNotFound: There is no such pack that the caller can see.
            PermissionDenied: It is another organisation's, or its tier is not `community`.
            PackDeleting: The pack is being deleted.
            PreconditionFailed: The pack or the file is not as the client has seen it; or there must be no file, and
                there is one.
            PackModified: Another change came in between.
            VersionTaken: The organisation's version policy does not allow other content under the version.
            ScanBlocked: The organisation's scan policy does not allow what the scan found.
            RegistryUnavailable: Our registry did not give the old image, or did not take the new one.
            ServiceUnavailable: A backing service did not answer, or the pack's repository is being cleaned up.
        """
        due_at = self.clock() + self.deadline
        manifest = self._checked(edit)
        before = self._editable(pack_id, caller)
        _require_kept(before, manifest)
        index = self.files.index(before, org_id=caller.org_id)
        skill = is_skill(index)
        require_fitting_path(edit.path, skill=skill)
        if skill and edit.path == SKILL_PATH:
            manifest = parse_root_file(SKILL_PATH, edit.content, max_bytes=self.limits.manifest_bytes)
            _require_kept(before, manifest)
        there = index.find(edit.path)
        seen = of_revision(if_match, before, there)
        require_seen(seen, before, there, create_only=create_only)
        if there is not None and there.sha256 == edit.sha256:
            return Published(
                pack=before, changed=False, warnings=() if manifest is None else manifest.warnings
            )
        manifest = self._manifest(before, index, manifest, version=None, skill=skill, actor=caller)
        with (
            LayerSpool() as spool,
            self._changer("path").changed(
                before, index, partial(_change, edit, spool), spool=spool
            ) as changed,
        ):
            revision = _Revision(
                manifest=manifest,
                actor=caller,
                operation="put_file",
                if_match=seen,
                due_at=due_at,
                files=[in_memory(edit.path, edit.content)],
            )
            return self._publish(before, changed, revision)

    def _changer(self, field: str) -> ImageChanger:
        return ImageChanger(images=self.images, files=self.files, limits=self.limits, field=field)

    def _checked(self, edit: Edit) -> Manifest | None:
        """Check an edit by itself. Return the new manifest when the file is `pack.yaml`."""
        check_new_path(edit.path, limits=self.limits)
        if edit.path != MANIFEST_PATH:
            return None
        return parse_manifest(edit.content, max_bytes=self.limits.manifest_bytes)

    def _manifest(  # noqa: PLR0913 - by name: of what pack, what is written, and for whom
        self,
        before: Pack,
        index: FileIndex,
        written: Manifest | None,
        *,
        version: Version | None,
        skill: bool,
        actor: Actor,
    ) -> Manifest | None:
        """Return what the pack's file at the root says after a change; None for a `pack.yaml` that stays.

        The image of an Agent Skill states what its row does not have, so that a `SKILL.md` that stays is read again.
        """
        if skill and written is None:
            written = standing_skill(
                before, index, files=self.files, org_id=actor.org_id, max_bytes=self.limits.manifest_bytes
            )
            # Its warnings were given when it was written.
            written = replace(written, warnings=())
        if written is None:
            require_stated_version(before, version)
            return None
        return with_version(written, given=version, otherwise=before.version)

    def _editable(self, pack_id: str, actor: Actor) -> Pack:
        pack = editable_pack(pack_id, caller=actor, packs=self.packs)
        require_changeable_files(pack)
        require_changeable(pack, None)
        return pack

    def _publish(self, before: Pack, changed: ChangedImage, revision: "_Revision") -> Published:
        manifest = revision.manifest
        version = before.version if manifest is None else manifest.version
        image = (
            build_image(
                layers=changed.layers, title=before.name, version=version, description=before.description
            )
            if manifest is None
            else image_of(manifest, changed.layers, name=before.name)
        )
        image_ref = self.images.reference(org_id=before.org_id, name=before.name, version=version)
        fields = {} if manifest is None else dict(manifest_fields(manifest))
        fields |= built_image_fields(image, image_ref=image_ref, attestations=self.images.attestations)
        after = before.revised(at=self.clock(), **fields)
        if after.version != before.version or revision.actor.version_policy is VersionPolicy.IMMUTABLE:
            # The policy `increasing` is about new versions, and lets files change.
            self.versions.require(after, before=before, actor=revision.actor)
        with changing(revision.if_match), self.versions.publishing(after):
            claim = self.repositories.claim_for_change(
                before, until=revision.due_at, now=self.clock(), token=self.new_ulid()
            )
            paths = {file.path for layer in image.layers for file in layer.files}
            scan = self.scans.require_changes(before, after, revision.files, paths)
            self.indexes.put(image.layer_digest, index_of_layers(image.layers))
            self._push(image, changed, before, after, revision.due_at)
            self.packs.change(
                before,
                after,
                actor=revision.actor.principal,
                operation=revision.operation,
                claim=claim,
                manifests=image.digests[1:],
                policy=revision.actor.version_policy,
                scan=scan,
                alongside=revision.alongside(after, revision.warnings),
            )
        self.images.tag(image.index, pack=after)
        return Published(pack=after, changed=True, warnings=revision.warnings)

    def _push(self, image: Image, changed: ChangedImage, before: Pack, after: Pack, due_at: datetime) -> None:
        try:
            self.images.push(image, uploads=changed.uploads, pack=after, due_at=due_at, beside_layers=True)
        except StandingLayersLost:
            now = self.packs.get(before.id)
            if now is None or (now.revision, now.status) != (before.revision, PackStatus.ACTIVE):
                # A deletion has taken them. The client's repeat learns it from the row.
                raise
            raise InvalidRequest({"id": _LOST[before.image_origin is ImageOrigin.CLONE]}) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Revision:
    """What a change of files makes of a pack, its image apart.

    Attributes:
        manifest: What the pack's file at the root says; None for a `pack.yaml` that stays.
        actor: Who changes the pack.
        operation: What changes it, for the history.
        if_match: What the client has seen of the pack.
        due_at: When the change has ended, whatever became of it.
        files: The files that are new or replaced, for the scanner.
        alongside: Returns what else to write in the row's transaction.
    """

    manifest: Manifest | None
    actor: Actor
    operation: str
    if_match: IfMatch | None
    due_at: datetime
    files: Sequence[ScannableFile]
    alongside: Alongside = nothing

    @property
    def warnings(self) -> Sequence[str]:
        """What breaks the specification of Agent Skills in what was sent."""
        return () if self.manifest is None else self.manifest.warnings


def _change(edit: Edit, spool: LayerSpool, index: FileIndex) -> Changes:
    there = index.find(edit.path)
    if there is None:
        check_place(edit.path, files=(file.path for file in index.files), directories=index.directories)
    executable = there is not None and bool(there.mode & 0o111)
    return Changes(files={edit.path: File(edit.path, executable, spool.store([edit.content]))})


def _require_kept(pack: Pack, manifest: Manifest | None) -> None:
    """Check that a manifest has the name and the version of the pack, which an edit cannot change."""
    if manifest is None:
        return
    faults = {}
    if manifest.name != pack.name:
        faults[f"{manifest.file}:name"] = f"must be {pack.name}, the name of the pack, which never changes"
    if manifest.version_is_stated and manifest.version != pack.version:
        key = "version" if manifest.file == MANIFEST_PATH else "metadata.version"
        faults[f"{manifest.file}:{key}"] = (
            f"must be {pack.version}; another version takes another archive, POST /packs/{pack.id}/upload"
        )
    if faults:
        raise InvalidRequest(faults)
