"""moto's KMS, made to sign a digest as KMS does: moto hashes it once more, whatever `MessageType` says."""

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto.kms.utils import ECDSAPrivateKey


def sign_digests() -> None:
    """Let keys on P-256 sign digests, in this process. The contract test compares with another KMS."""
    ECDSAPrivateKey.sign = _sign  # type: ignore[method-assign]


def _sign(self: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
    assert (len(message), signing_algorithm) == (SHA256.digest_size, "ECDSA_SHA_256")
    return self.private_key.sign(message, ECDSA(Prehashed(SHA256())))
