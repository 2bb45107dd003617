"""Reading the statements about a pack's image, and the keys that verify them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from aws_lambda_powertools import Logger

from packyard.attestations.record import AttestationRecord, RecordStatus
from packyard.aws.signer import Signer
from packyard.errors import InvalidRequest, RegistryUnavailable, ServiceUnavailable
from packyard.oci.digest import Digest
from packyard.oci.reference import parse_reference
from packyard.operations.pack_at import pack_at
from packyard.packs.attestation_state import Attestations
from packyard.packs.image_state import ImageId
from packyard.packs.pack import Pack
from packyard.registry.third_party.pull import ImageSource
from packyard.store.attestations import AttestationStore
from packyard.store.pack_revisions import PackRevisions
from packyard.store.signing_keys import SigningKeyRecord, SigningKeyStore
from packyard.tenants.caller import Caller

logger = Logger(child=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStatements:
    """The statements about an image.

    Attributes:
        pack: The pack at the revision that was asked for.
        state: Whether there are statements.
        record: What the ledger says of them; None if they are not all attached.
        bundles: The bundles, by digest.
    """

    pack: Pack
    state: Attestations
    record: AttestationRecord | None
    bundles: Mapping[Digest, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationReader:
    """Reads statements.

    Attributes:
        packs: The packs at their revisions.
        store: What the ledger says of statements.
        sources: Reads our registry.
    """

    packs: PackRevisions
    store: AttestationStore
    sources: ImageSource

    def find(self, pack_id: str, revision: int | None, *, caller: Caller) -> FoundStatements:
        """Return the statements about the image of a pack's revision.

        Args:
            pack_id: The pack, as the client names it.
            revision: The revision; None for the present one.
            caller: Who asks.

        Raises:
            PackNotFound, RevisionNotFound, InvalidRequest: As for `pack_at`.
            RegistryUnavailable: Our registry did not answer, or has lost a bundle.
            ServiceUnavailable: AWS did not answer.
        """
        pack = pack_at(pack_id, revision, caller=caller, packs=self.packs)
        record = self.store.find(ImageId(pack.id, pack.image_digest))
        if record is None or record.status is RecordStatus.REMOVED:
            return FoundStatements(pack=pack, state=pack.attestations, record=None, bundles={})
        if record.status is RecordStatus.SIGNED:
            return FoundStatements(pack=pack, state=Attestations.PENDING, record=None, bundles={})
        return FoundStatements(
            pack=pack, state=Attestations.ATTACHED, record=record, bundles=self._bundles(pack, record)
        )

    def _bundles(self, pack: Pack, record: AttestationRecord) -> dict[Digest, bytes]:
        reference = replace(parse_reference(pack.image_ref), digest=pack.image_digest)
        bundles: dict[Digest, bytes] = {}
        try:
            with self.sources.opened(reference, org_id=pack.org_id) as repository:
                for statement in record.statements:
                    bundles[statement.bundle.digest] = b"".join(repository.content(statement.bundle))
        except InvalidRequest as lost:
            # Of our own registry, the client has named nothing that could be wrong.
            logger.exception("a bundle is not in the registry", extra={"pack_id": pack.id})
            raise RegistryUnavailable("The registry does not have a bundle that was pushed.") from lost
        return bundles


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key of statements.

    Attributes:
        record: The key, and since when it is used.
        is_current: Whether it signs new statements.
    """

    record: SigningKeyRecord
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKeys:
    """The public keys of this deployment.

    Attributes:
        store: The keys that have signed.
        signer: The present key; None if nothing is signed.
        clock: The present instant, UTC.
    """

    store: SigningKeyStore
    signer: Signer | None
    clock: Callable[[], datetime]

    def all(self) -> list[PublishedKey]:
        """Return all keys, the newest first. The present one is among them before it has signed anything.

        One read; the first time in a container, KMS is asked for the present key. If KMS does not answer, the keys that
        have signed are returned, since signatures are verified with them.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; or KMS did not, and no key has signed yet.
        """
        known = self.store.all()
        if self.signer is None:
            return [PublishedKey(record, is_current=False) for record in known]
        try:
            present = self.signer.public_key()
        except ServiceUnavailable:
            if not known:
                raise
            logger.warning("KMS did not say which key is the present one", exc_info=True)
            return [PublishedKey(record, is_current=False) for record in known]
        if present not in [record.key for record in known]:
            now = self.clock()
            self.store.add(present, now=now)
            known = [SigningKeyRecord(present, now), *known]
        return [PublishedKey(record, is_current=record.key == present) for record in known]
