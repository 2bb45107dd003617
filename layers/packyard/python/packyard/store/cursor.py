"""Cursors: where a listing continues. They are signed, so a client cannot forge one or use it for another listing."""

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Final, NewType

from packyard.errors import InvalidRequest

# The sort key of the last entry that the previous page looked at.
Position = NewType("Position", str)

# What a cursor is valid for: the organisation that asked and its filters, by name.
Binding = Mapping[str, str | bool | None]

_VERSION: Final = b"\x01"
# SHA-256 truncated to its left half (RFC 2104, section 5).
_MAC_BYTES: Final = 16
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{24,256}")


def encode_cursor(position: Position, *, key: str, binding: Binding) -> str:
    """Return a position as an opaque cursor, at most 256 characters of base64url.

    Args:
        position: Where the page ended.
        key: The secret that signs the cursor.
        binding: What the cursor is valid for.
    """
    content = _VERSION + position.encode()
    return urlsafe_b64encode(_mac(content, key, binding) + content).rstrip(b"=").decode()


def decode_cursor(text: str, *, keys: Iterable[str], binding: Binding) -> Position:
    """Return the position that a cursor stands for.

    Args:
        text: The cursor as the client sent it.
        keys: The secrets that may have signed it. They are read lazily: none if the text cannot be a cursor, and none
            after the one that matches.
        binding: What the cursor must be valid for.

    Raises:
        InvalidRequest: On `cursor`: the text is not a cursor of this deployment, or it belongs to another organisation
            or to other filters.
    """
    refusal = InvalidRequest({"cursor": "is not one that this listing answered with; start again without it"})
    if _CURSOR.fullmatch(text) is None or len(text) % 4 == 1:
        raise refusal
    signed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    mac, content = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if content[:1] != _VERSION or not any(
        hmac.compare_digest(mac, _mac(content, key, binding)) for key in keys
    ):
        raise refusal
    return Position(content[1:].decode())


def _mac(content: bytes, key: str, binding: Binding) -> bytes:
    bound_to = json.dumps(binding, sort_keys=True, separators=(",", ":")).encode()
    # The length prefix makes it unambiguous where the binding ends and the content begins.
    signed = len(bound_to).to_bytes(4) + bound_to + content
    return hmac.digest(key.encode(), signed, hashlib.sha256)[:_MAC_BYTES]
