"""Cloning a pack: its image is copied into our registry, for a pack of its own in the caller's organisation.

    read the source's row → claim the name → read the image's documents → enqueue their cleanup → copy the blobs, then
    the documents, each after what it names → commit the row → set the tag

The image is copied byte for byte, with every platform, so that the clone is pinned by the source's own digest
(decision 17). From the cleanup message on, the order is that of `operations.publish`, and it is safe for the same
reasons:

- A crash, or a source that fails: the cleanup message removes what was copied, unless a row uses it by then. The
  message names every document. Documents that the name's holder uses stay: two images may share manifests.
- A repeat: the name is held by a clone of the same version, digest and visibility, and that clone is the answer. If the
  image was registered, the clone gets the signatures that its source has by now.
- Two at once: both copy the same bytes, or different bytes under different digests. One commits, and the other is a
  repeat or a conflict.
- The source is deleted meanwhile: what has been copied stays, since registries keep a blob for as long as any
  repository names it (docker-registry links blobs into each repository, ECR counts references). Our registry takes no
  document before everything that it names is there. So either everything was copied, and the clone no longer depends on
  its source; or something could not be read, and no row is written. Then the source's row is read again, to say why.
- The source's image is withdrawn meanwhile: the commit has a condition on the image's state, so no row is written.
- The source gets another image meanwhile: the clone has the image of the pack as it was read. Images of earlier
  revisions stay.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from packyard.errors import InvalidRequest, PackDeleting, PackNameTaken, ServiceUnavailable
from packyard.messaging.cleanup_queue import MAX_DIGESTS
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.image_tree import ImageTree
from packyard.oci.reference import parse_reference
from packyard.operations.built_images import BuiltImages
from packyard.operations.owned_pack import require_reach
from packyard.operations.pack_content import content_of, first_revision
from packyard.operations.published import Published
from packyard.operations.read import get_pack
from packyard.operations.repeats import same_copy, settle_repeat
from packyard.operations.scan_rule import ScanRule
from packyard.operations.signature_policy import SignatureRule
from packyard.operations.unusable_images import not_cloned
from packyard.operations.version_policy import VersionRule
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Visibility
from packyard.registry.own.refusal import RegistryRefused
from packyard.registry.third_party.image_documents import read_tree
from packyard.registry.third_party.pull import ImageSource
from packyard.store.brought_signatures import brought_item
from packyard.store.image_state_items import one_more_clone, usable
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import ClaimLost, NameHeld, RepositoryBusy
from packyard.store.table import TransactionFailed
from packyard.tenants.caller import Caller

_NOT_TAKEN: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloner:
    """Clones packs.

    Attributes:
        images: Where the copy goes.
        sources: Where images are read.
        max_bytes: The largest image of another registry, all platforms together, compressed.
        deadline: Longer than a clone can take until its function ends.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    packs: PackStore
    repositories: RepositoryStore
    images: BuiltImages
    sources: ImageSource
    versions: VersionRule
    signatures: SignatureRule
    scans: ScanRule
    max_bytes: int
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def clone(
        self, pack_id: str, *, name: PackName | None, visibility: Visibility, caller: Caller
    ) -> Published:
        """Copy a pack that the caller can see into a new pack of the caller's organisation.

        Args:
            pack_id: The source, as the client names it.
            name: The name of the clone; the source's when None.
            visibility: Who may see the clone.
            caller: Whose pack it becomes.

        Raises:
            PackNotFound: There is no such pack that the caller can see.
            PackDeleting: It is being deleted.
            RevisionWithdrawn: Its image is withdrawn.
            PermissionDenied: The caller is narrowed to one pack, and the clone would have another name.
            PackNameTaken: The caller's organisation has another pack of the name.
            VersionTaken: The organisation's version policy does not allow the version under that name.
            SignatureRequired: Its signature policy does not accept the source's image, which was registered.
            ScanBlocked: The organisation's scan policy does not allow what the scan of the source found.
            InvalidRequest: On `id`: the source's image cannot be fetched, or cannot be copied.
            RegistryUnavailable: A registry did not answer in time.
            TimedOut: There was not enough time; a repeat finds what has been copied so far.
            ServiceUnavailable: A backing service did not answer, or the name's repository is being cleaned up.
        """
        due_at = self.clock() + self.deadline
        source = self._source(pack_id, caller)
        require_reach(caller, name or source.name)
        brought = self.signatures.of_source(source, org_id=caller.org_id)
        clone = self._new_pack(source, name or source.name, visibility, caller)
        try:
            claim = self.repositories.claim_for_create(
                org_id=clone.org_id, name=clone.name, until=due_at, now=self.clock(), token=self.new_ulid()
            )
            self.versions.require(clone, before=None, actor=caller)
            scan = self.scans.require_copy(source, clone)
            image = self._copy(source, clone, caller, due_at)
            with self.versions.publishing(clone):
                self.packs.create(
                    clone,
                    actor=caller.principal,
                    operation="clone",
                    claim=claim,
                    manifests=image.digests[1:],
                    policy=caller.version_policy,
                    scan=scan,
                    alongside=[
                        usable(source.id, source.image_digest),
                        one_more_clone(source.id, source.image_digest),
                        *([] if brought is None else [brought_item(clone.id, brought)]),
                    ],
                )
        except TransactionFailed:
            # The only other condition: the source's image has been withdrawn meanwhile.
            raise not_cloned(source) from None
        except NameHeld as held:
            there = self._settle_repeat(held.pack_id, source, clone)
            if brought is not None:
                # The source may have been signed since.
                self.signatures.keep(there.pack.id, brought)
            return there
        except (ClaimLost, RepositoryBusy) as busy:
            raise ServiceUnavailable from busy
        self.images.tag(image.top, pack=clone)
        return Published(pack=clone, changed=True)

    def _source(self, pack_id: str, caller: Caller) -> Pack:
        source = get_pack(pack_id, caller=caller, packs=self.packs)
        if source.status is not PackStatus.ACTIVE:
            raise PackDeleting
        if source.withdrawn:
            raise not_cloned(source)
        return source

    def _new_pack(self, source: Pack, name: PackName, visibility: Visibility, caller: Caller) -> Pack:
        content = content_of(source)
        content["image_ref"] = self.images.reference(org_id=caller.org_id, name=name, version=source.version)
        # The clone gets statements of its own, if the image was built here.
        built = source.layer_digest is not None
        content["attestations"] = self.images.attestations if built else Attestations.OFF
        return first_revision(
            content,
            ulid=self.new_ulid(),
            org_id=caller.org_id,
            name=name,
            visibility=visibility,
            image_origin=ImageOrigin.CLONE,
            now=self.clock(),
        )

    def _settle_repeat(self, holder_id: str, source: Pack, clone: Pack) -> Published:
        example = clone.name[:32].rstrip("-")
        name_taken = PackNameTaken(
            clone.name, holder_id, advice=f'Give the clone another name, as in {{"name": "our-{example}"}}.'
        )
        # A clone of a clone under the name that it has already is no copy.
        if holder_id == source.id:
            raise name_taken
        return settle_repeat(holder_id, clone, same=same_copy, packs=self.packs, refusal=name_taken)

    def _copy(self, source: Pack, clone: Pack, caller: Caller, due_at: datetime) -> ImageTree:
        reference = replace(parse_reference(source.image_ref), digest=source.image_digest)
        ours = reference.registry == self.sources.own.host
        # Who can see a pack can read its image in our own registry. In other registries, the caller's credentials
        # decide.
        reader = source.org_id if ours else caller.org_id
        with self._blaming(source, caller), self.sources.opened(reference, org_id=reader) as repository:
            image = read_tree(repository, source.image_digest, max_documents=MAX_DIGESTS)
            if not ours:
                self._require_size(image)
            with _taken(image):
                self.images.copy(
                    image,
                    content=repository.content,
                    mount_from=reference.repository if ours else None,
                    pack=clone,
                    due_at=due_at,
                )
        return image

    def _require_size(self, image: ImageTree) -> None:
        if image.blob_bytes > self.max_bytes:
            raise ImageFault(f"has more than {self.max_bytes} bytes, all platforms together")

    @contextmanager
    def _blaming(self, source: Pack, caller: Caller) -> Iterator[None]:
        """Turn a fault of the source's image into a refusal of the request's `id`."""
        try:
            yield
        except InvalidRequest as refusal:
            self._source(source.id, caller)
            raise InvalidRequest({"id": f"its image {refusal.fields['image_ref']}"}) from refusal


@contextmanager
def _taken(image: ImageTree) -> Iterator[None]:
    """Turn our registry's refusal of an image into a fault of the image."""
    try:
        yield
    except RegistryRefused as refusal:
        if refusal.answered not in _NOT_TAKEN:
            raise
        # Amazon ECR takes no blob without bytes (devcontainers/cli #814).
        empty = any(blob.size == 0 for blob in image.blobs)
        reason = ": it has a layer or a config of 0 bytes" if empty else ""
        raise ImageFault(f"is not one that our registry takes{reason}") from refusal
