"""Signatures by a KMS key: ECDSA on P-256 over a SHA-256. The private key never leaves KMS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from packyard.attestations.public_key import PublicKey
from packyard.aws.outages import error_code, outages_translated
from packyard.errors import ServiceUnavailable

logger = Logger(child=True)

_ALGORITHM: Final = "ECDSA_SHA_256"
# The key is disabled, is to be deleted or is deleted, is of another kind, or its policy does not let us use it (errors
# of API_Sign and API_GetPublicKey). An operator can mend each of these, and images wait until then.
_UNUSABLE: Final = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
        "NotFoundException",
    }
)


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
            ServiceUnavailable: KMS did not answer, or does not let the key be used.
        """
        return self._public_key

    def sign(self, hashed: bytes) -> bytes:
        """Return a signature, as DER. One call.

        Args:
            hashed: A SHA-256, 32 bytes. KMS takes no more than 4,096 bytes of a message (API_Sign).

        Raises:
            ServiceUnavailable: KMS did not answer, or does not let the key be used.
        """
        with self._refusals_translated():
            answer = self._client().sign(
                KeyId=self._key_id, Message=hashed, MessageType="DIGEST", SigningAlgorithm=_ALGORITHM
            )
        return bytes(answer["Signature"])

    @cached_property
    def _public_key(self) -> PublicKey:
        with self._refusals_translated():
            answer = self._client().get_public_key(KeyId=self._key_id)
        return PublicKey(bytes(answer["PublicKey"]))

    @contextmanager
    def _refusals_translated(self) -> Iterator[None]:
        try:
            with outages_translated():
                yield
        except ClientError as error:
            if error_code(error) not in _UNUSABLE:
                raise
            logger.exception(
                "KMS does not let the signing key be used. Enable the key, or allow kms:Sign and kms:GetPublicKey in "
                "its policy, or deploy with SigningKeyArn of another one (ECC_NIST_P256, SIGN_VERIFY). New images wait "
                "for their statements until then, for about four days.",
                extra={"key": self._key_id, "reason": error_code(error)},
            )
            raise ServiceUnavailable from error
