"""Writing one file into a pack that we built: a new image of the same version, made of what the old one is made of.

    read the pack → read where its files lie → as the layer around the file comes, make another of it and the new file
    → claim the repository → enqueue the image's cleanup → push it by digest → commit the next revision → set the tag

From the claim on, the order is that of `operations.publish`, and it is safe for the same reasons: the cleanup message
removes what a crash leaves, unless a row uses it; one of two changes at once is refused; a repeat finds that the file
is there already. The steps before the claim write only a cache, and a large layer to an upload without a digest
(decision 21).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from packyard.errors import InvalidRequest, PermissionDenied, PreconditionFailed
from packyard.oci.build.image import build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File
from packyard.oci.read.file_index import FileIndex, IndexedFile, index_of_layers
from packyard.operations.built_images import BuiltImages
from packyard.operations.changed_image import ChangedImage, Changes, ImageChanger
from packyard.operations.image_files import ImageFiles
from packyard.operations.owned_pack import (
    changing,
    editable_pack,
    require_archive_origin,
    require_changeable,
)
from packyard.operations.pack_content import built_image_fields, manifest_fields
from packyard.operations.published import Published
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.top_level import MANIFEST_PATH
from packyard.packs.file_edit import Edit, check_new_path, check_place
from packyard.packs.manifest.pack_manifest import Manifest, parse_manifest
from packyard.packs.pack import Pack, Tier
from packyard.packs.precondition import FILE_TAG, IfMatch, file_tag
from packyard.storage.file_indexes import FileIndexes
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.tenants.caller import Caller


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
    limits: ArchiveLimits
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

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
            RegistryUnavailable: Our registry did not give the old image, or did not take the new one.
            ServiceUnavailable: A backing service did not answer, or the pack's repository is being cleaned up.
        """
        due_at = self.clock() + self.deadline
        manifest = self._checked(edit)
        before = self._editable(pack_id, caller)
        _require_kept(before, manifest)
        index = self.files.index(before, org_id=caller.org_id)
        there = index.find(edit.path)
        seen = _of_revision(if_match, before, there)
        _require_seen(seen, before, there, create_only=create_only)
        if there is not None and there.sha256 == edit.sha256:
            return Published(pack=before, changed=False)
        with (
            LayerSpool() as spool,
            self._changer.changed(before, index, partial(_change, edit, spool), spool=spool) as changed,
        ):
            return self._publish(before, changed, manifest, caller=caller, if_match=seen, due_at=due_at)

    @property
    def _changer(self) -> ImageChanger:
        return ImageChanger(images=self.images, files=self.files, limits=self.limits)

    def _checked(self, edit: Edit) -> Manifest | None:
        """Check an edit by itself. Return the new manifest when the file is `pack.yaml`."""
        check_new_path(edit.path, limits=self.limits)
        if edit.path != MANIFEST_PATH:
            return None
        return parse_manifest(edit.content, max_bytes=self.limits.manifest_bytes)

    def _editable(self, pack_id: str, caller: Caller) -> Pack:
        pack = editable_pack(pack_id, caller=caller, packs=self.packs)
        if pack.tier is not Tier.COMMUNITY:
            raise PermissionDenied(
                f"A {pack.tier} pack is vouched for as it is: its files stay. POST /packs/{pack.id}/clone makes a copy."
            )
        require_archive_origin(pack)
        require_changeable(pack, None)
        return pack

    def _publish(  # noqa: PLR0913 - by name: what is written, and on what condition
        self,
        before: Pack,
        changed: ChangedImage,
        manifest: Manifest | None,
        *,
        caller: Caller,
        if_match: IfMatch | None,
        due_at: datetime,
    ) -> Published:
        description = before.description if manifest is None else manifest.description
        image = build_image(
            layers=changed.layers, title=before.name, version=before.version, description=description
        )
        image_ref = self.images.reference(org_id=before.org_id, name=before.name, version=before.version)
        changes = {} if manifest is None else dict(manifest_fields(manifest))
        changes |= built_image_fields(image, image_ref=image_ref)
        after = before.revised(at=self.clock(), **changes)
        with changing(if_match):
            claim = self.repositories.claim_for_change(
                before, until=due_at, now=self.clock(), token=self.new_ulid()
            )
            self.indexes.put(image.layer_digest, index_of_layers(image.layers))
            self.images.push(image, uploads=changed.uploads, pack=after, due_at=due_at)
            self.packs.change(
                before,
                after,
                actor=caller.principal,
                operation="put_file",
                claim=claim,
                manifests=image.digests[1:],
            )
        self.images.tag(image.index, pack=after)
        return Published(pack=after, changed=True)


def _change(edit: Edit, spool: LayerSpool, index: FileIndex) -> Changes:
    there = index.find(edit.path)
    if there is None:
        check_place(edit.path, files=(file.path for file in index.files), directories=index.directories)
    executable = there is not None and bool(there.mode & 0o111)
    return {edit.path: File(edit.path, executable, spool.store([edit.content]))}


def _require_kept(pack: Pack, manifest: Manifest | None) -> None:
    """Check that a manifest has the name and the version of the pack, which an edit cannot change."""
    if manifest is None:
        return
    faults = {}
    if manifest.name != pack.name:
        faults["pack.yaml:name"] = f"must be {pack.name}, the name of the pack, which never changes"
    if manifest.version != pack.version:
        faults["pack.yaml:version"] = (
            f"must be {pack.version}; another version takes another archive, POST /packs/{pack.id}/upload"
        )
    if faults:
        raise InvalidRequest(faults)


def _require_seen(
    if_match: IfMatch | None, pack: Pack, file: IndexedFile | None, *, create_only: bool
) -> None:
    """Check the condition on the pack or on the file. A refusal says how both of them are."""
    if create_only and file is not None:
        raise PreconditionFailed(
            "There is a file at this path, and If-None-Match: * writes only where there is none.",
            pack.revision,
        )
    if if_match is None or if_match.matches(pack.revision):
        return
    if not any(tag.startswith(FILE_TAG) for tag in if_match.tags or ()):
        raise if_match.refusal(pack.revision)
    stands = "There is no file at this path" if file is None else f"The file is {file_tag(file.sha256)}"
    raise PreconditionFailed(
        f"{stands}, and the pack is at revision {pack.revision}; If-Match names neither. Read the file again.",
        pack.revision,
    )


def _of_revision(if_match: IfMatch | None, pack: Pack, file: IndexedFile | None) -> IfMatch | None:
    """Return a condition on the file's entity tag as a condition on the pack's.

    `If-Match` is about the resource that the request is sent to (RFC 9110, section 13.1.1): the file. The write changes
    the pack, so that its condition is on the pack's revision.
    """
    if if_match is None or if_match.tags is None or file is None:
        return if_match
    if f"{FILE_TAG}{file.sha256}" not in if_match.tags:
        return if_match
    return IfMatch(if_match.tags | {str(pack.revision)})
