"""Writes tar archives block by block, so that a case can have exactly one fault."""

import struct
from collections.abc import Iterable

USTAR = b"ustar\x0000"
GNU = b"ustar  \x00"
V7 = bytes(8)
END = bytes(1024)

_LAYOUT = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 32s 32s 8s 8s 155s 12s")


def octal(value: int, *, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, value)


def base_256(value: int, *, width: int) -> bytes:
    marker = b"\xff" if value < 0 else b"\x80"
    return marker + (value % (1 << 8 * (width - 1))).to_bytes(width - 1, "big")


def header(
    name: bytes,
    *,
    size: int | bytes = 0,
    kind: bytes = b"0",
    mode: int | bytes = 0o644,
    uid: bytes = b"0000000\0",
    mtime: bytes = b"00000000000\0",
    link: bytes = b"",
    magic: bytes = USTAR,
    prefix: bytes = b"",
    device: bytes = b"0000000\0",
    tail: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """One header block, with the right checksum unless one is given."""
    fields = [
        name,
        mode if isinstance(mode, bytes) else octal(mode, width=8),
        uid,
        b"0000000\0",
        size if isinstance(size, bytes) else octal(size, width=12),
        mtime,
        b" " * 8,
        kind,
        link,
        magic,
        b"",
        b"",
        bytes(8) if magic == V7 else device,
        bytes(8) if magic == V7 else device,
        prefix,
        tail,
    ]
    if checksum is None:
        checksum = b"%06o\0 " % sum(_LAYOUT.pack(*fields))
    fields[6] = checksum
    return _LAYOUT.pack(*fields)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def file(
    name: str | bytes, content: bytes = b"", *, mode: int | bytes = 0o644, magic: bytes = USTAR
) -> bytes:
    return header(_bytes(name), size=len(content), mode=mode, magic=magic) + padded(content)


def directory(name: str | bytes, *, magic: bytes = USTAR) -> bytes:
    return header(_bytes(name), kind=b"5", mode=0o755, magic=magic)


def link(
    name: str | bytes, target: str | bytes, *, kind: bytes = b"1", mode: int = 0o644, magic: bytes = USTAR
) -> bytes:
    return header(_bytes(name), kind=kind, mode=mode, link=_bytes(target), magic=magic)


def record(key: str, value: str | bytes) -> bytes:
    """One pax record. Its length includes the digits of the length itself."""
    body = b" " + key.encode() + b"=" + _bytes(value) + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length += 1
    return str(length).encode() + body


def records(values: Iterable[tuple[str, str | bytes]]) -> bytes:
    return b"".join(record(key, value) for key, value in values)


def pax(payload: bytes, *, kind: bytes = b"x") -> bytes:
    return header(b"PaxHeaders/0", size=len(payload), kind=kind) + padded(payload)


def pax_path(path: str | bytes) -> bytes:
    return pax(record("path", path))


def gnu_long(text: str | bytes, *, kind: bytes = b"L") -> bytes:
    payload = _bytes(text) + b"\0"
    return header(b"././@LongLink", size=len(payload), kind=kind, magic=GNU) + padded(payload)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
