"""Signatures by a KMS key: ECDSA on P-256 over a SHA-256. The private key never leaves KMS."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from packyard.attestations.public_key import PublicKey
from packyard.aws.outages import outages_translated

_ALGORITHM: Final = "ECDSA_SHA_256"


class Signer:
    """Signs with one key.

    Args:
        client: Returns the KMS client; called when it is first needed.
        key_id: The key's ARN. Its spec is ECC_NIST_P256, and its usage SIGN_VERIFY.
    """

    def __init__(self, *, client: Callable[[], Any], key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def public_key(self) -> PublicKey:
        """Return the public key. One call, and none after that: the key of an ARN never changes.

        Raises:
            ServiceUnavailable: KMS did not answer.
        """
        return self._public_key

    def sign(self, hashed: bytes) -> bytes:
        """Return a signature, as DER. One call.

        Args:
            hashed: A SHA-256, 32 bytes. KMS takes no more than 4,096 bytes of a message (API_Sign).

        Raises:
            ServiceUnavailable: KMS did not answer.
        """
        with outages_translated():
            answer = self._client().sign(
                KeyId=self._key_id, Message=hashed, MessageType="DIGEST", SigningAlgorithm=_ALGORITHM
            )
        return bytes(answer["Signature"])

    @cached_property
    def _public_key(self) -> PublicKey:
        with outages_translated():
            answer = self._client().get_public_key(KeyId=self._key_id)
        return PublicKey(bytes(answer["PublicKey"]))
