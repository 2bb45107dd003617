"""Packs whose image is elsewhere: registering one, and moving a pack to another version of its image.

    read the image and what it brings → claim the name → [look again, in our own registry] → commit the row

Nothing of ours exists before the row, so that a crash at any step leaves nothing but a claim, which expires. The name
is claimed although no image is pushed: the image may be in our own registry, and the claim then keeps cleaners from
removing it until the row is written. Such an image must therefore be in the repository that belongs to the name.

The signatures and attestations of the image are written with the row. The organisation's signature policy decides by
them before the name is claimed (`signature_policy`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from packyard.errors import (
    InvalidRequest,
    RegistryUnavailable,
    RevisionNotFound,
    ServiceUnavailable,
)
from packyard.oci.digest import Digest
from packyard.oci.reference import Reference, parse_reference, same_repository
from packyard.operations.owned_pack import (
    changing,
    owned_pack,
    require_changeable,
    require_name,
    require_reach,
)
from packyard.operations.pack_content import Content, first_revision, manifest_fields
from packyard.operations.published import Published
from packyard.operations.repeats import same_reference, settle_repeat
from packyard.operations.scan_rule import ScanRule
from packyard.operations.signature_policy import SignatureRule, brings_signatures
from packyard.operations.unusable_images import current_is_withdrawn, published_before
from packyard.operations.version_policy import VersionRule
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.name import PackName, repository_of
from packyard.packs.manifest.unstated_version import next_version
from packyard.packs.pack import ImageOrigin, Layer, Pack, Visibility
from packyard.packs.precondition import IfMatch
from packyard.registry.third_party.pull import ImageSource, PulledPack
from packyard.store.brought_signatures import brought_item
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, ClaimLost, NameHeld, RepositoryBusy
from packyard.tenants.caller import Actor

if TYPE_CHECKING:
    from packyard.signatures.brought import ImageSignatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """Registers packs by the image that carries them.

    Attributes:
        attestations: Whether statements are made about images that the service has built.
        deadline: Longer than a registration can take until its function ends.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    packs: PackStore
    repositories: RepositoryStore
    images: ImageSource
    versions: VersionRule
    attestations: Attestations
    signatures: SignatureRule
    scans: ScanRule
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def create(self, reference: Reference, *, visibility: Visibility, actor: Actor) -> Published:
        """Make a pack of an image.

        Args:
            reference: Where the image is. The digest that it resolves to now becomes the pin.
            visibility: Who may see the pack.
            actor: Whose pack it becomes.

        Raises:
            InvalidRequest: On `image_ref`: the image cannot be fetched or read. On `pack.yaml`: it is not valid.
            PermissionDenied: The actor is narrowed to another pack.
            PackNameTaken: The organisation has another pack of that name.
            VersionTaken: The organisation's version policy does not allow the version.
            SignatureRequired: Its signature policy does not accept the image.
            RegistryUnavailable: The registry did not answer in time.
            ServiceUnavailable: A backing service did not answer, or the name's repository is being cleaned up.
        """
        due_at = self.clock() + self.deadline
        ours = reference.registry == self.images.own.host
        if ours and actor.pack_name is not None:
            # Before the image is read: what an image of another pack holds is not for this actor.
            self._require_repository(reference, actor.pack_name, actor.org_id)
        pulled, brought = self.images.read_signed_pack(reference, org_id=actor.org_id, at=self.clock())
        require_reach(actor, pulled.manifest.name)
        pack = first_revision(
            self._content(reference, pulled),
            ulid=self.new_ulid(),
            org_id=actor.org_id,
            name=pulled.manifest.name,
            visibility=visibility,
            image_origin=ImageOrigin.IMAGE_REF,
            now=self.clock(),
        )
        if ours:
            self._require_repository(reference, pack.name, pack.org_id)
        self.signatures.require(brought, org_id=actor.org_id)
        try:
            claim = self.repositories.claim_for_create(
                org_id=pack.org_id, name=pack.name, until=due_at, now=self.clock(), token=self.new_ulid()
            )
            if ours:
                # A cleaner may have removed it since. After the claim, none can without making the commit fail.
                self.images.read_pack(replace(reference, digest=pulled.digest), org_id=actor.org_id)
            self.versions.require(pack, before=None, actor=actor)
            with self.versions.publishing(pack):
                self.packs.create(
                    pack,
                    actor=actor.principal,
                    operation="create",
                    claim=claim,
                    policy=actor.version_policy,
                    alongside=[brought_item(pack.id, brought)],
                )
        except NameHeld as held:
            there = settle_repeat(held.pack_id, pack, same=same_reference, packs=self.packs)
            # It may have been signed since.
            self.signatures.keep(there.pack.id, brought)
            return replace(there, warnings=pulled.manifest.warnings)
        except (ClaimLost, RepositoryBusy) as busy:
            raise ServiceUnavailable from busy
        return Published(pack=pack, changed=True, warnings=pulled.manifest.warnings)

    def replace(
        self, pack_id: str, target: Reference | int, *, actor: Actor, if_match: IfMatch | None
    ) -> Published:
        """Move an owned pack to another tag or digest of its repository; id, roles and visibility stay.

        A pack that we built can go back to any version that is still in its repository.

        Args:
            pack_id: The pack, as the client names it.
            target: Where the image is, or the revision that had it.
            actor: Who changes it.
            if_match: What the client has seen of it.

        Raises:
            PackNotFound: The actor's organisation owns no such pack.
            RevisionNotFound: It has no such revision.
            InvalidRequest: On `image_ref`: another repository, or an image that cannot be fetched or read. On
                `pack.yaml`: what it holds is wrong; or another pack's name, in an image that this pack has never had.
            PackDeleting: The pack is being deleted.
            PreconditionFailed: The pack is at another revision than the client has seen.
            PackModified: Another change came in between.
            VersionTaken: The organisation's version policy does not allow the version of an image that is new to the
                pack.
            SignatureRequired: Its signature policy does not accept a registered image.
            RevisionWithdrawn: The image is withdrawn or deleted.
            ScanBlocked: The organisation's scan policy does not allow what a scan of the image found.
            RegistryUnavailable, ServiceUnavailable: As for `create`.
        """
        due_at = self.clock() + self.deadline
        before = owned_pack(pack_id, actor=actor, packs=self.packs)
        reference, known = self._image_at(before, target) if isinstance(target, int) else (target, None)
        if not same_repository(reference, parse_reference(before.image_ref)):
            place = _repository_of(before)
            raise InvalidRequest(
                {
                    "image_ref": f"must be in {place}, as before; only tag or digest may change, as in {place}:TAG"
                }
            )
        require_changeable(before, if_match)
        with changing(if_match):
            return self._moved(before, reference, known, actor=actor, due_at=due_at)

    def _moved(
        self,
        before: Pack,
        reference: Reference,
        known: Pack | None,
        *,
        actor: Actor,
        due_at: datetime,
    ) -> Published:
        """Read the image of a reference, and write it as the pack's next revision. See `replace`.

        Args:
            before: The pack as it is.
            reference: Where the image is.
            known: The pack as it was with the image, where the client has named a revision; None otherwise.
            actor: Who changes it.
            due_at: Until when a claim on a repository holds.
        """
        # A cleaner may be about to remove the image, so that its repository is claimed before the image is read.
        ours = reference.registry == self.images.own.host
        claim = self._claim_repository(before, due_at) if ours else None
        built_here = ours and _has_built_images(before)
        with self._there(before, reference):
            pulled, brought = self._read(before, reference, actor=actor, built_here=built_here)
        # What the history says of the image is right: the image has the same digest.
        then = self._with_image(before, pulled.digest, known) if ours else None
        if then is None:
            # A clone under another name has its source's `pack.yaml`, and may go back to it.
            require_name(before, pulled.manifest, instead="POST /packs")
        pulled = _with_next_version(pulled, before, then)
        warnings = pulled.manifest.warnings
        # An image of the pack's history is stored and counted already.
        counted = {} if then is None else {"stored_bytes": before.stored_bytes}
        after = before.revised(at=self.clock(), **self._content(reference, pulled, then), **counted)
        if after.withdrawn:
            raise current_is_withdrawn(before)
        if brought is not None:
            brought = self._accepted(after, brought)
        if same_reference(before, after):
            if brought is not None:
                # It may have been signed since.
                self.signatures.brought.write(before.id, brought)
            return Published(pack=before, changed=False, warnings=warnings)
        # Going back to an image of the history publishes nothing.
        returns = then is not None or known is not None
        if returns:
            self.scans.require_known(after)
        else:
            self.versions.require(after, before=before, actor=actor)
        with self.versions.publishing(after):
            self.packs.change(
                before,
                after,
                actor=actor.principal,
                operation="replace",
                claim=claim,
                policy=None if returns else actor.version_policy,
                alongside=[] if brought is None else [brought_item(after.id, brought)],
            )
        return Published(pack=after, changed=True, warnings=warnings)

    def _read(
        self, before: Pack, reference: Reference, *, actor: Actor, built_here: bool
    ) -> tuple[PulledPack, "ImageSignatures | None"]:
        """Read an image, and what it brings if images of the pack are registered."""
        if not brings_signatures(before):
            return self.images.read_pack(reference, org_id=actor.org_id, built_here=built_here), None
        return self.images.read_signed_pack(
            reference, org_id=actor.org_id, built_here=built_here, at=self.clock()
        )

    def _accepted(self, after: Pack, read: "ImageSignatures") -> "ImageSignatures | None":
        """Check that the signature policy accepts an image of registered ones. Return what is to be written of it."""
        if after.image_origin is ImageOrigin.CLONE:
            return self.signatures.require_of_clone(after, read, org_id=after.org_id)
        self.signatures.require(read, org_id=after.org_id)
        return self.signatures.news(after.id, read)

    def _image_at(self, pack: Pack, revision: int) -> tuple[Reference, Pack | None]:
        found = self.packs.image_at(pack, revision)
        if found is None:
            raise RevisionNotFound(pack.id, revision)
        digest, then = found
        return replace(parse_reference(pack.image_ref), tag=None, digest=digest), then

    @contextmanager
    def _there(self, pack: Pack, reference: Reference) -> Iterator[None]:
        """Say of an image that cannot be read that its content was deleted, if it was."""
        try:
            yield
        except (InvalidRequest, RegistryUnavailable):
            state = None if reference.digest is None else self.packs.state_of(pack.id, reference.digest)
            if state is not None and state.is_gone:
                raise published_before(state) from None
            raise

    def _with_image(self, pack: Pack, digest: Digest, known: Pack | None) -> Pack | None:
        """Return the pack when it had an image: as it is known, unless that does not say what its layers are."""
        if known is not None and known.layer_digest is not None:
            return known
        return self.packs.with_image(pack, digest)

    def _require_repository(self, reference: Reference, name: str, org_id: str) -> None:
        """Check that an image in our own registry is in the repository that belongs to a pack's name (decision 3).

        In the repository of another name, it would be removed with that name's pack, or as an orphan.
        """
        own = repository_of(PackName(name), org_id=org_id, prefix=self.images.own.prefix)
        if reference.repository != own:
            raise InvalidRequest(
                {"image_ref": f"must lie in {own}, which goes with the name {name} in its pack.yaml"}
            )

    def _content(self, reference: Reference, pulled: PulledPack, then: Pack | None = None) -> Content:
        """Return what a pack has from its image.

        Args:
            reference: Where the image is.
            pulled: What was read of it.
            then: The pack at an earlier revision with the same image, if that is known.
        """
        built = then is not None and then.layer_digest is not None
        return Content(
            **manifest_fields(pulled.manifest),
            image_ref=str(reference),
            image_digest=pulled.digest,
            content_digest=None if then is None else then.content_digest,
            chain_id=None if then is None else then.chain_id,
            layer_digest=None if then is None else then.layer_digest,
            layers=tuple(Layer(layer.digest, layer.size, layer.media_type) for layer in pulled.layers),
            size_bytes=pulled.size_bytes,
            archive_digest=None if then is None else then.archive_digest,
            # Where statements were attached before, whoever makes them finds them.
            attestations=self.attestations if built else Attestations.OFF,
        )

    def _claim_repository(self, pack: Pack, due_at: datetime) -> Claim:
        return self.repositories.claim_for_change(pack, until=due_at, now=self.clock(), token=self.new_ulid())


def _with_next_version(pulled: PulledPack, before: Pack, then: Pack | None) -> PulledPack:
    """Return an image of an Agent Skill that states no version under the one that it had, or else under the next one.

    Args:
        pulled: What was read of the image.
        before: The pack as it is.
        then: The pack at an earlier revision with the same image, if that is known.
    """
    if pulled.manifest.version_is_stated:
        return pulled
    known = before if pulled.digest == before.image_digest else then
    version = next_version(before) if known is None else known.version
    return replace(pulled, manifest=replace(pulled.manifest, version=version))


def _has_built_images(pack: Pack) -> bool:
    """Return whether every image in a pack's repository was built here.

    Of a clone, only an image that was built here can be changed, so that its other images were built here too.
    """
    return pack.image_origin is ImageOrigin.UPLOAD or pack.layer_digest is not None


def _repository_of(pack: Pack) -> str:
    reference = parse_reference(pack.image_ref)
    return f"{reference.registry}/{reference.repository}"
