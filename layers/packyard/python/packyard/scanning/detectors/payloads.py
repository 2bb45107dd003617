"""Texts that are written in base64 or as escapes, and are read by the rules once they are decoded."""

import base64
import re
from collections.abc import Iterator
from typing import Final

from packyard.scanning.file_kind import FileKind

# Long enough for `curl https://a.b|sh`.
_SHORTEST: Final = 24
_ESCAPES: Final = (
    (b"\\x", re.compile(rb"(?:\\x[0-9A-Fa-f]{2}){12,16384}")),
    (b"%", re.compile(rb"(?:%[0-9A-Fa-f]{2}){12,16384}")),
    (b"\\u00", re.compile(rb"(?:\\u00[0-9A-Fa-f]{2}){12,16384}")),
)
_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# Every digit of base64 becomes an x, everything else a space: finding a run of x is then a search for one text.
_DIGITS_AS_X: Final = bytes(120 if byte in _DIGITS else 32 for byte in range(256))
_HEX_DIGITS: Final = re.compile(rb"(?:\\x|%|\\u00)([0-9A-Fa-f]{2})")
_READ: Final = frozenset({FileKind.GUIDE, FileKind.SCRIPT, FileKind.CONFIG, FileKind.PAGE})
_MOST_UNPRINTABLE: Final = 0.1
_PRINTABLE: Final = bytes([*range(0x20, 0x7F), 9, 10, 13])


def decoded_payloads(data: bytes, kind: FileKind) -> Iterator[tuple[int, bytes]]:
    """Yield decoded texts, each with the offset at which it stands encoded. Together they are shorter than the data.

    Args:
        data: The bytes of a window.
        kind: The kind of its file; data is not looked at.
    """
    if kind not in _READ:
        return
    for start, end in _runs_of_base64(data):
        if (text := _from_base64(data[start:end])) is not None:
            yield start, text
    for sign, pattern in _ESCAPES:
        if sign in data:
            for match in pattern.finditer(data):
                if (text := _from_escapes(match[0])) is not None:
                    yield match.start(), text


def _runs_of_base64(data: bytes) -> Iterator[tuple[int, int]]:
    signs = data.translate(_DIGITS_AS_X)
    run = b"x" * _SHORTEST
    start = signs.find(run)
    while start >= 0:
        end = signs.find(b" ", start)
        end = len(signs) if end < 0 else end
        yield start, end
        start = signs.find(run, end)


def _from_base64(encoded: bytes) -> bytes | None:
    whole = encoded[:-1] if len(encoded) % 4 == 1 else encoded
    decoded = base64.b64decode(whole + b"=" * (-len(whole) % 4))
    # PowerShell's `-EncodedCommand` takes UTF-16.
    if len(decoded) > 8 and decoded[1:9:2] == b"\0\0\0\0":  # noqa: PLR2004 - four characters
        decoded = decoded.decode("utf-16-le", "replace").encode("utf-8", "replace")
    return decoded if _is_text(decoded) else None


def _from_escapes(escaped: bytes) -> bytes | None:
    decoded = bytes(int(digits, 16) for digits in _HEX_DIGITS.findall(escaped))
    return decoded if _is_text(decoded) else None


def _is_text(data: bytes) -> bool:
    return len(data.translate(None, _PRINTABLE)) <= _MOST_UNPRINTABLE * len(data)
