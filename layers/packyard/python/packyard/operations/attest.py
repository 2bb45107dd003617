"""Making statements about an image that was published, and attaching them to it (API contract, section 11).

    read the pack and the ledger → read the image's files → sign → write the record → claim the repository → push
    → say that they are attached

A message comes for each image that a pack gets, from the events (`operations.fan_out`). It comes again until it is
settled, so that a publish neither waits for KMS nor fails with it.

- A crash before the record: nothing of ours exists, and the next attempt begins anew.
- A crash after it: the next attempt makes the same bytes with the signatures of the record, and pushes what is missing.
  If it comes to other bytes, because the service has changed since, it signs those. The record keeps the digests of
  both, so that both are removed with the image.
- Two at once: one writes the record, and the other reads it and pushes the same.
- The pack or the image is deleted meanwhile: the deletion removes what the record names. What was pushed after that is
  removed here, since the last write fails and the message comes again.
- The pack goes back to an image that has statements: the record says so, and only the row is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from packyard.attestations.bill_of_materials import bill_of_materials
from packyard.attestations.bundle import Bundle
from packyard.attestations.dependencies import dependencies_of, readable
from packyard.attestations.envelope import Envelope, encoding_hash
from packyard.attestations.provenance import Origin, provenance
from packyard.attestations.public_key import PublicKey
from packyard.attestations.record import AttestationRecord, RecordStatus, SignedStatement
from packyard.attestations.referrer import Referrer, referrer
from packyard.attestations.statement import PAYLOAD_TYPE, Statement
from packyard.aws import figures
from packyard.messaging.attestation_queue import ImageToAttest, parse_message
from packyard.messaging.not_yet import NotYet
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import digest_of
from packyard.oci.read.file_index import FileIndex
from packyard.operations.attached import AttachedStatements
from packyard.operations.image_files import ImageFiles
from packyard.packs.image_state import ImageId
from packyard.packs.pack import Pack
from packyard.store.attestations import Attestable, AttestationStore, Overtaken
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import NameLost, RepositoryBusy
from packyard.store.signing_keys import SigningKeyStore

logger = Logger(child=True)

# The operations that change files of the image before.
_CHANGES: Final = frozenset({"put_file", "changes"})
# After somebody else has written in between, everything is read again.
_ATTEMPTS: Final = 3


class SignsStatements(Protocol):
    """Signs with one key."""

    def public_key(self) -> PublicKey:
        """Return the public key."""
        ...

    def sign(self, hashed: bytes) -> bytes:
        """Return a signature over a SHA-256, as DER."""
        ...


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement's bytes."""

    predicate_type: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Attester:
    """Makes and attaches statements.

    Attributes:
        store: What the ledger says of statements.
        keys: The public keys that have signed.
        repositories: The claims on repositories.
        attached: Puts statements into the registry and removes them.
        files: Reads the files of images.
        signer: Signs.
        builder: The URI of this deployment, for provenance.
        deadline: Longer than an attempt can take until its function ends.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    store: AttestationStore
    keys: SigningKeyStore
    repositories: RepositoryStore
    attached: AttachedStatements
    files: ImageFiles
    signer: SignsStatements
    builder: str
    deadline: timedelta
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def settle(self, body: str) -> None:
        """Make the statements about the image of a message, and attach them.

        Raises:
            ValueError: The message is not one of ours.
            NotYet: Somebody is at work in the image's repository, or on the image.
            RegistryCleanupFailed, RegistryUnavailable, ServiceUnavailable: It failed; the message should come again.
        """
        message = parse_message(body)
        for _ in range(_ATTEMPTS):
            try:
                self._settle(message)
            except Overtaken:
                continue
            return
        raise NotYet(self.clock(), now=self.clock())

    def measure(self, sent_at: datetime) -> None:
        """Write for how long a message that is left in the queue has waited, as a metric.

        Args:
            sent_at: When it was first sent.
        """
        waited = (self.clock() - sent_at).total_seconds()
        figures.record({"WaitingAttestationSeconds": (max(waited, 0), MetricUnit.Seconds)})

    def _settle(self, message: ImageToAttest) -> None:
        image = ImageId(message.pack_id, message.digest)
        found = self.store.read(image, message.revision)
        record, now = found.record, found.now
        if found.is_gone or now is None:
            self._remove(found)
        elif record is not None and record.status is RecordStatus.ATTACHED:
            self.store.mark(record, pack=now)
        else:
            self._attach(message, found, now)

    def _attach(self, message: ImageToAttest, found: Attestable, now: Pack) -> None:
        pack = found.then
        if pack is None or found.entry is None or pack.image_digest != message.digest:
            logger.error("no such image in the history", extra={"pack_id": message.pack_id})
            return
        subject = self.attached.subject(pack)
        known = found.record
        origin = _origin(message, found) if known is None else known.origin
        made = self._statements(pack, origin)
        record = self._signed(made, found, origin, subject)
        is_new = record is not known
        if is_new:
            self.store.write(record, replaced=known)
        try:
            claim = self.repositories.claim_for_change(
                now, until=self.clock() + self.deadline, now=self.clock(), token=self.new_ulid()
            )
        except RepositoryBusy as busy:
            raise NotYet(busy.until, now=self.clock()) from busy
        except NameLost as lost:
            raise Overtaken from lost
        self.attached.push(pack, _referrers(made, record, subject), is_new=is_new)
        self.store.finish(record, pack=now, claim=claim)
        logger.info("statements attached", extra={"pack_id": pack.id, "digest": pack.image_digest})

    def _statements(self, pack: Pack, origin: Origin) -> tuple[_Made, ...]:
        """Return the statements about a pack's image: always the same bytes for the same arguments."""
        index = self.files.index(pack, org_id=pack.org_id)
        chosen, left_out = readable((file.path, file.size) for file in index.files)
        dependencies = dependencies_of(
            ((path, self._content(pack, index, path)) for path in chosen), left_out
        )
        return (
            _made(provenance(pack, origin, builder=self.builder)),
            _made(bill_of_materials(pack, index, dependencies, at=origin.at)),
        )

    def _content(self, pack: Pack, index: FileIndex, path: str) -> bytes:
        file = index.find(path)
        if file is None:
            raise AssertionError("the path is one of the index")
        return self.files.read(pack, index, file, b"".join, org_id=pack.org_id)

    def _signed(
        self, made: tuple[_Made, ...], found: Attestable, origin: Origin, subject: Descriptor
    ) -> AttestationRecord:
        """Return the record that is known, if it is about these bytes; otherwise a new one, signed now."""
        known = found.record
        payloads = [digest_of(one.payload) for one in made]
        if known is not None and [statement.payload for statement in known.statements] == payloads:
            return known
        pack = found.then
        if pack is None:
            raise AssertionError("only an image of the history is signed")
        key = self.signer.public_key()
        now = self.clock()
        # Before the first signature exists, so that nobody meets one whose key is not published.
        self.keys.add(key, now=now)
        record = AttestationRecord(
            pack_id=pack.id,
            image=pack.image_digest,
            revision=pack.revision if known is None else known.revision,
            origin=origin,
            status=RecordStatus.SIGNED,
            key_id=key.id,
            signed_at=now,
            statements=(),
            manifests=(),
        )
        statements = []
        for one in made:
            signature = self.signer.sign(encoding_hash(PAYLOAD_TYPE, one.payload))
            artifact = _referrer(one, signature, record, subject)
            statements.append(
                SignedStatement(
                    predicate_type=one.predicate_type,
                    payload=digest_of(one.payload),
                    signature=signature,
                    bundle=Descriptor("", digest_of(artifact.bundle), len(artifact.bundle)),
                    manifest=artifact.manifest.digest,
                )
            )
        return replace(
            record,
            statements=tuple(statements),
            manifests=tuple(statement.manifest for statement in statements),
        )

    def _remove(self, found: Attestable) -> None:
        """Remove what an attempt may have pushed for an image that is deleted by now."""
        record, now = found.record, found.now
        if record is None or now is None or record.status is not RecordStatus.SIGNED:
            # What was attached before the deletion has gone with it.
            return
        self.attached.remove_late(now, record)
        self.store.removed(record)


def _origin(message: ImageToAttest, found: Attestable) -> Origin:
    entry = found.entry
    if entry is None:
        raise AssertionError("only an image of the history is signed")
    return Origin(
        operation=entry.operation,
        at=entry.at,
        request_id=message.request_id,
        ci=message.ci,
        source=message.source,
        replaced=found.before if entry.operation in _CHANGES else None,
    )


def _made(statement: Statement) -> _Made:
    return _Made(statement.predicate_type, statement.to_bytes())


def _referrers(
    made: tuple[_Made, ...], record: AttestationRecord, subject: Descriptor
) -> tuple[Referrer, ...]:
    return tuple(
        _referrer(one, statement.signature, record, subject)
        for one, statement in zip(made, record.statements, strict=True)
    )


def _referrer(made: _Made, signature: bytes, record: AttestationRecord, subject: Descriptor) -> Referrer:
    envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=made.payload, signature=signature)
    return referrer(
        Bundle(envelope=envelope, key_id=record.key_id).to_bytes(),
        subject=subject,
        predicate_type=made.predicate_type,
        at=record.origin.at,
    )
