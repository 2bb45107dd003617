"""Public keys that signatures are verified with, and how.

The algorithms are those that cosign and sigstore's clients write with keys of these kinds: ECDSA over SHA-256 or, on
P-384, SHA-384; RSA with PKCS #1 v1.5 over SHA-256; Ed25519 over the message itself.
"""

import hashlib
from typing import Final, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey

KINDS: Final = "ECDSA on P-256 or P-384, RSA of 2,048 to 8,192 bits, or Ed25519"
_RSA_BITS: Final = range(2048, 8193)
_CURVES: Final = (SECP256R1, SECP384R1)


def parse_key(pem: str) -> PublicKey:
    """Return a public key in PEM (RFC 7468, section 13).

    Raises:
        ValueError: It is no public key in PEM, or of a kind that is not verified here. The message is for people.
    """
    if "PRIVATE KEY" in pem:
        raise ValueError("is a private key, which must stay with its owner; give the public one")
    try:
        key = load_pem_public_key(pem.encode())
    except Exception:  # noqa: BLE001 - the library has errors of several families for what is no key
        raise ValueError("must be a public key in PEM, as cosign.pub is") from None
    return supported(key)


def supported(key: object) -> PublicKey:
    """Return a key if signatures with it can be verified here.

    Raises:
        ValueError: It is of another kind. The message is for people.
    """
    known = (
        (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, _CURVES))
        or (isinstance(key, RSAPublicKey) and key.key_size in _RSA_BITS)
        or isinstance(key, Ed25519PublicKey)
    )
    if not known:
        raise ValueError(f"must be a key of {KINDS}")
    return cast("PublicKey", key)


def is_ed25519(key: PublicKey) -> bool:
    """Return whether it is a key of Ed25519."""
    return isinstance(key, Ed25519PublicKey)


def key_id(key: PublicKey) -> str:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo in DER, in hex. Rekor's log ids and cosign's hints are it."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Return whether a signature of a message is of a key.

    Args:
        key: The public key.
        signature: Of ECDSA in DER; of the others as the algorithm gives it.
        message: The bytes that were signed.
    """
    if isinstance(key, Ed25519PublicKey):
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True
    if verifies_digest(key, signature, hashlib.sha256(message).digest()):
        return True
    if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1)):
        return False
    try:
        key.verify(signature, message, ECDSA(SHA384()))
    except InvalidSignature:
        return False
    return True


def verifies_digest(key: PublicKey, signature: bytes, sha256: bytes) -> bool:
    """Return whether a signature is of a key, over a message of which only the SHA-256 is known.

    Args:
        key: The public key. Ed25519 signs whole messages, so that nothing verifies with it.
        signature: As for `verifies`.
        sha256: The 32 bytes.
    """
    hashed = Prehashed(SHA256())
    try:
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, sha256, ECDSA(hashed))
            return True
        if isinstance(key, RSAPublicKey):
            key.verify(signature, sha256, PKCS1v15(), hashed)
            return True
    except InvalidSignature:
        return False
    return False
