"""A signer of statements for tests: what KMS does with a key on P-256, in this process."""

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from packyard.attestations.bundle import Bundle
from packyard.attestations.envelope import Envelope, encoding_hash
from packyard.attestations.public_key import PublicKey
from packyard.attestations.statement import PAYLOAD_TYPE, Statement
from packyard.errors import ServiceUnavailable


class FakeSigner:
    """Implements `packyard.aws.signer.Signer` (the contract test compares it with KMS).

    Attributes:
        reachable: Whether it answers.
        signed: How many signatures it has made.
    """

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.reachable = True
        self.signed = 0

    def public_key(self) -> PublicKey:
        """Return the public key."""
        self._require_reachable()
        public = self._key.public_key()
        return PublicKey(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, hashed: bytes) -> bytes:
        """Return a signature over a SHA-256, as DER."""
        self._require_reachable()
        self.signed += 1
        return self._key.sign(hashed, ECDSA(Prehashed(SHA256())))

    def _require_reachable(self) -> None:
        if not self.reachable:
            raise ServiceUnavailable


def signed_bundle(signer: FakeSigner, statement: Statement, *, payload_type: str = PAYLOAD_TYPE) -> Bundle:
    """Return a bundle of a statement."""
    payload = statement.to_bytes()
    return Bundle(
        envelope=Envelope(
            payload_type=payload_type,
            payload=payload,
            signature=signer.sign(encoding_hash(payload_type, payload)),
        ),
        key_id=signer.public_key().id,
    )
