"""moto's KMS, made to sign a digest as KMS does: moto hashes it once more, whatever `MessageType` says."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kms.models import kms_backends
from moto.kms.utils import ECDSAPrivateKey


def sign_digests() -> None:
    """Let keys on P-256 sign digests, in this process. The contract test compares with another KMS."""
    ECDSAPrivateKey.sign = _sign  # type: ignore[method-assign]


def _sign(self: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
    assert (len(message), signing_algorithm) == (SHA256.digest_size, "ECDSA_SHA_256")
    # RFC 6979: the same signature for the same message, so that runs can be compared. KMS's own are random.
    return self.private_key.sign(message, ECDSA(Prehashed(SHA256()), deterministic_signing=True))


def use_key(key_id: str, number: int, *, region: str) -> None:
    """Let a key of moto's be the same in every run."""
    key: Any = kms_backends[DEFAULT_ACCOUNT_ID][region].keys[key_id]
    key.private_key.private_key = derive_private_key(number, SECP256R1())
