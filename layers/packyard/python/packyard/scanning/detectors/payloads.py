"""Texts that are written in base64 or as escapes, and are read by the rules once they are decoded."""

import base64
import re
from collections.abc import Iterator
from typing import Final

from packyard.scanning.file_kind import FileKind

# Long enough for `curl https://a.b|sh`. At most this much of one is decoded.
_BASE64: Final = re.compile(
    rb"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{4}){6,16384}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![A-Za-z0-9+/=_-])"
)
_ESCAPES: Final = re.compile(
    rb"(?:\\x[0-9A-Fa-f]{2}){12,16384}|(?:%[0-9A-Fa-f]{2}){12,16384}|(?:\\u00[0-9A-Fa-f]{2}){12,16384}"
)
_HEX_DIGITS: Final = re.compile(rb"(?:\\x|%|\\u00)([0-9A-Fa-f]{2})")
_READ: Final = frozenset({FileKind.GUIDE, FileKind.SCRIPT, FileKind.CONFIG, FileKind.PAGE})
_MAX_IN_WINDOW: Final = 40
_MOST_UNPRINTABLE: Final = 0.1
_PRINTABLE: Final = bytes([*range(0x20, 0x7F), 9, 10, 13])


def decoded_payloads(data: bytes, kind: FileKind) -> Iterator[tuple[int, bytes]]:
    """Yield decoded texts, each with the offset at which it stands encoded; at most 40.

    Args:
        data: The bytes of a window.
        kind: The kind of its file; data is not looked at.
    """
    if kind not in _READ:
        return
    count = 0
    for pattern, decode in ((_BASE64, _from_base64), (_ESCAPES, _from_escapes)):
        for match in pattern.finditer(data):
            text = decode(match[0])
            if text is not None:
                yield match.start(), text
                count += 1
                if count == _MAX_IN_WINDOW:
                    return


def _from_base64(encoded: bytes) -> bytes | None:
    decoded = base64.b64decode(encoded)
    # PowerShell's `-EncodedCommand` takes UTF-16.
    if len(decoded) > 8 and decoded[1:9:2] == b"\0\0\0\0":  # noqa: PLR2004 - four characters
        decoded = decoded.decode("utf-16-le", "replace").encode("utf-8", "replace")
    return decoded if _is_text(decoded) else None


def _from_escapes(escaped: bytes) -> bytes | None:
    decoded = bytes(int(digits, 16) for digits in _HEX_DIGITS.findall(escaped))
    return decoded if _is_text(decoded) else None


def _is_text(data: bytes) -> bool:
    return len(data.translate(None, _PRINTABLE)) <= _MOST_UNPRINTABLE * len(data)
