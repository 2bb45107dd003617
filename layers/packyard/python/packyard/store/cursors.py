"""The cursors of one deployment, signed with a secret. It can be rotated while clients read lists."""

from packyard.aws.signing_secret import SigningSecret
from packyard.store.cursor import Binding, Position, decode_cursor, encode_cursor


class Cursors:
    """Encodes and decodes cursors. The secret is read when the first cursor is encoded or decoded.

    Args:
        secret: The secret that signs them.
    """

    def __init__(self, *, secret: SigningSecret) -> None:
        self._secret = secret

    def encode(self, position: Position, binding: Binding) -> str:
        """Return a position as a cursor; see `encode_cursor`.

        Raises:
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return encode_cursor(position, key=self._secret.signing_key(), binding=binding)

    def decode(self, text: str, binding: Binding) -> Position:
        """Return the position that a cursor of this deployment stands for; see `decode_cursor`.

        Cursors signed with the version before the last rotation are accepted too.

        Raises:
            InvalidRequest: On `cursor`, as for `decode_cursor`.
            ServiceUnavailable: The secret cannot be read; the log says why.
        """
        return decode_cursor(text, keys=self._secret.keys(), binding=binding)
