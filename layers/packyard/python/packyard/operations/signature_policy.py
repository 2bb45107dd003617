"""Signature policies: which images one refuses (API contract, section 11; decision 128).

What an image brings is read when it is registered, and kept beside the pack. So a policy is applied without a request
to any registry to a role that gets the pack, to a pin that moves, and to a clone. It is the policy of the organisation
that uses the image: another one's community pack is judged by that of the role's organisation.

A request is judged by the policy as it reads it. One that overlaps a change of the policy counts as one before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packyard.errors import RegistryUnavailable, SignatureRequired
from packyard.packs.image_state import ImageId
from packyard.packs.pack import ImageOrigin, Pack
from packyard.store.brought_signatures import BroughtStore
from packyard.store.signature_policies import SignaturePolicyStore

if TYPE_CHECKING:
    from packyard.signatures.brought import ImageSignatures
    from packyard.signatures.policy import SignaturePolicy


def brings_signatures(pack: Pack) -> bool:
    """Return whether a pack's image was built elsewhere: a registered image, or a copy of one.

    An image that was built here is known by the digest of its layers.
    """
    if pack.image_origin is ImageOrigin.CLONE:
        return pack.layer_digest is None
    return pack.image_origin is ImageOrigin.IMAGE_REF


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRule:
    """Decides whether images that were built elsewhere may be used.

    Attributes:
        policies: The policies.
        brought: What images bring.
    """

    policies: SignaturePolicyStore
    brought: BroughtStore

    def require(self, signatures: "ImageSignatures", *, org_id: str) -> None:
        """Check that the policy of an organisation accepts an image that is being registered. One read.

        Args:
            signatures: What the image brings.
            org_id: The organisation that registers it.

        Raises:
            SignatureRequired: It does not.
            RegistryUnavailable: The registry did not say what the image brings, and the policy needs to know.
            ServiceUnavailable: DynamoDB did not answer.
        """
        refused = _refusals(self.policies.get(org_id).policy, [(None, signatures)])
        if refused and signatures.unread:
            raise RegistryUnavailable(
                f"{signatures.unread} The signature policy needs to know what the image brings."
            )
        if refused:
            raise SignatureRequired(refused)

    def require_of_clone(
        self, clone: Pack, read: "ImageSignatures", *, org_id: str
    ) -> "ImageSignatures | None":
        """Check the image that a clone has, or moves to. Two reads.

        It is judged by what its source's registry had beside it, which came with the clone. Our registry has the image
        alone.

        Args:
            clone: As it is to be.
            read: What our registry has beside the image. It counts only if the image did not come from a source.
            org_id: The clone's owner.

        Returns:
            What is to be written of the image; None if what is kept stays.

        Raises:
            SignatureRequired, RegistryUnavailable, ServiceUnavailable: As for `require`.
        """
        kept = self.brought.get(ImageId(clone.id, clone.image_digest))
        if kept is None:
            self.require(read, org_id=org_id)
            return read
        if refused := _refusals(self.policies.get(org_id).policy, [(None, kept)]):
            raise SignatureRequired(refused)
        return None

    def news(self, pack_id: str, read: "ImageSignatures") -> "ImageSignatures | None":
        """Return what is to be written of an image that a pack may have had before; None if what is kept stays.

        A registry that did not answer has not said that there is nothing, so nothing is written over what is kept.
        One read in that case, else none.

        Args:
            pack_id: The pack.
            read: What was read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        is_known = read.unread and self.brought.get(ImageId(pack_id, read.digest)) is not None
        return None if is_known else read

    def keep(self, pack_id: str, read: "ImageSignatures") -> None:
        """Write what was read of an image that a pack has, unless `news` says that there is none.

        Args:
            pack_id: The pack.
            read: What was read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        if (news := self.news(pack_id, read)) is not None:
            self.brought.write(pack_id, news)

    def require_of(self, packs: Iterable[Pack], *, org_id: str) -> None:
        """Check that an organisation's policy accepts the images of packs. No read if all were built here.

        One read if the organisation requires nothing; else two.

        Args:
            packs: As they are to be used.
            org_id: The organisation that uses them, whoever owns them.

        Raises:
            SignatureRequired: It does not accept all of them; names those that it does not.
            ServiceUnavailable: DynamoDB did not answer.
        """
        registered = [pack for pack in packs if brings_signatures(pack)]
        policy = self.policies.get(org_id).policy if registered else None
        if policy is None or policy.requires_nothing:
            return
        known = self.brought.get_many(ImageId(pack.id, pack.image_digest) for pack in registered)
        images = [
            (pack.id, known.get(ImageId(pack.id, pack.image_digest)) or _unknown(pack)) for pack in registered
        ]
        if refused := _refusals(policy, images):
            raise SignatureRequired(refused)

    def of_source(self, source: Pack, *, org_id: str) -> "ImageSignatures | None":
        """Check that an organisation's policy accepts the image of a pack that it clones. Two reads.

        Args:
            source: The pack.
            org_id: The organisation that clones it.

        Returns:
            What the clone's image brings too; None for an image that was built here, for which nothing is read.

        Raises:
            SignatureRequired, ServiceUnavailable: As for `require_of`.
        """
        if not brings_signatures(source):
            return None
        signatures = self.brought.get(ImageId(source.id, source.image_digest)) or _unknown(source)
        if refused := _refusals(self.policies.get(org_id).policy, [(source.id, signatures)]):
            raise SignatureRequired(refused)
        return signatures


def _refusals(
    policy: "SignaturePolicy", images: Sequence[tuple[str | None, "ImageSignatures"]]
) -> list[dict[str, Any]]:
    """Return what a policy refuses, as the refusal shows it."""
    if policy.requires_nothing:
        return []
    from packyard.signatures.judging import Judge  # noqa: PLC0415 - few organisations have a policy

    judge = Judge(policy)
    refused = ((pack_id, judge.refusal(signatures)) for pack_id, signatures in images)
    return [
        {**({} if pack_id is None else {"pack_id": pack_id}), **refusal.shown()}
        for pack_id, refusal in refused
        if refusal is not None
    ]


def _unknown(pack: Pack) -> "ImageSignatures":
    """Return that nothing is known of an image: it was registered before signatures were read."""
    from packyard.oci.reference import parse_reference  # noqa: PLC0415 - only old packs need it
    from packyard.signatures.brought import ImageSignatures  # noqa: PLC0415 - as above

    reference = parse_reference(pack.image_ref)
    return ImageSignatures(
        repository=f"{reference.registry}/{reference.repository}",
        digest=pack.image_digest,
        looked_at=("nothing: it was registered before signatures were read",),
        complete=False,
        at=pack.updated_at,
    )
