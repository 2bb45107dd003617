"""Secrets that KMS encrypts for one purpose, and that only somebody who names the same purpose can decrypt."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from packyard.aws.outages import outages_translated

# A container decrypts each secret once, and remembers as many as it delivers to at the same time.
_REMEMBERED: Final = 256


class SealedSecrets:
    """Encrypts and decrypts secrets of up to 4,096 bytes (API_Encrypt).

    Args:
        client: Returns the KMS client; called when it is first needed.
        key_id: The key: its id or its ARN.
    """

    def __init__(self, *, client: Callable[[], Any], key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._known: OrderedDict[tuple[bytes, tuple[tuple[str, str], ...]], bytes] = OrderedDict()

    def seal(self, secret: bytes, context: Mapping[str, str]) -> bytes:
        """Return a secret, encrypted. One call.

        Args:
            secret: The secret.
            context: What the secret is for. It is authenticated, and logged by CloudTrail in plain text.

        Raises:
            ServiceUnavailable: KMS did not answer.
        """
        with outages_translated():
            answer = self._client().encrypt(
                KeyId=self._key_id, Plaintext=secret, EncryptionContext=dict(context)
            )
        return bytes(answer["CiphertextBlob"])

    def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        """Return the secret that `seal` has encrypted. One call, or none if this container has opened it before.

        Args:
            sealed: What `seal` returned.
            context: As for `seal`; KMS refuses another.

        Raises:
            ServiceUnavailable: KMS did not answer.
        """
        name = sealed, tuple(sorted(context.items()))
        if name in self._known:
            self._known.move_to_end(name)
            return self._known[name]
        with outages_translated():
            answer = self._client().decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=dict(context)
            )
        self._known[name] = bytes(answer["Plaintext"])
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return self._known[name]
