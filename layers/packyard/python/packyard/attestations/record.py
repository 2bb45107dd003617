"""What the ledger says of the statements about an image: written before anything of them is pushed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from packyard.attestations.provenance import Origin
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest


class RecordStatus(StrEnum):
    """How far the statements about an image have come."""

    # They are signed. What the record names may be in the registry, or not yet.
    SIGNED = "signed"
    # All of it is in the registry.
    ATTACHED = "attached"
    # The pack or the image was deleted before all of it was there, and none of it is there any more.
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A statement that was signed.

    Attributes:
        predicate_type: What it is.
        payload: The digest of what was signed.
        signature: Over it, as DER. A signature is random, so that only the record can give it again.
        bundle: The bundle's digest and size.
        manifest: The digest of the manifest that attaches the bundle.
    """

    predicate_type: str
    payload: Digest
    signature: bytes
    bundle: Descriptor
    manifest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRecord:
    """The statements about an image of a pack.

    Attributes:
        pack_id: The pack.
        image: The image's digest.
        revision: The revision that the statements are about.
        origin: The write that gave the pack the image.
        status: How far they have come.
        key_id: The key that has signed them (`public_key`).
        signed_at: When, in UTC.
        statements: The statements.
        manifests: The digests of all manifests that were or are to be pushed for the image: those of the statements,
            and those of earlier attempts that came to other bytes.
    """

    pack_id: str
    image: Digest
    revision: int
    origin: Origin
    status: RecordStatus
    key_id: str
    signed_at: datetime
    statements: tuple[SignedStatement, ...]
    manifests: tuple[Digest, ...]
