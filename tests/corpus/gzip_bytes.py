"""Gzip files with the same bytes on every machine, each of which can have exactly one fault.

Real compressors differ between versions, so blocks are stored or, for runs of zeros, coded by hand (RFC 1951).
"""

import zlib

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_STORED_BYTES = 65_535


def trailer(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "little") + (len(content) % 2**32).to_bytes(4, "little")


def stored_blocks(content: bytes) -> bytes:
    """Deflate without compression."""
    blocks = bytearray()
    for start in range(0, max(len(content), 1), _STORED_BYTES):
        piece = content[start : start + _STORED_BYTES]
        final = start + _STORED_BYTES >= len(content)
        blocks += (
            bytes([final]) + len(piece).to_bytes(2, "little") + (len(piece) ^ 0xFFFF).to_bytes(2, "little")
        )
        blocks += piece
    return bytes(blocks)


def gzipped(content: bytes, *, header: bytes = _HEADER) -> bytes:
    return header + stored_blocks(content) + trailer(content)


def deflated(content: bytes) -> bytes:
    """Compressed by zlib, so that its bytes, but not its content, depend on zlib's version."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return _HEADER + compressor.compress(content) + compressor.flush() + trailer(content)


class _Bits:
    """Writes bits in deflate's order: from the least significant bit of each byte."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def add(self, value: int, width: int) -> None:
        self._value |= value << self._count
        self._count += width

    def add_code(self, code: str) -> None:
        """Write a Huffman code, which unlike a number starts with its most significant bit."""
        self.add(int(code[::-1], 2), len(code))

    def to_bytes(self) -> bytes:
        return self._value.to_bytes((self._count + 7) // 8, "little")


def zeros_gzipped(matches: int) -> bytes:
    """A gzip member of 1 + 258 * `matches` zeros at two bits per 258: about a thousand to one.

    One dynamic block: the literal 0, then copies of length 258 at distance 1. Its literal and length codes are
    0 for length 258 (symbol 285), 10 for the literal 0 and 11 for the end (symbol 256); the only distance has 0.
    """
    bits = _Bits()
    bits.add(0b101, 3)  # the final block, with codes of its own
    bits.add(286 - 257, 5)
    bits.add(1 - 1, 5)
    bits.add(18 - 4, 4)
    for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
        bits.add({18: 1, 1: 2, 2: 2}.get(symbol, 0), 3)
    one, two, run = "10", "11", "0"
    bits.add_code(two)
    for length in (138, 117):
        bits.add_code(run)
        bits.add(length - 11, 7)
    bits.add_code(two)
    bits.add_code(run)
    bits.add(28 - 11, 7)
    bits.add_code(one)
    bits.add_code(one)
    bits.add_code("10")
    bits.add(0, 2 * matches)
    bits.add_code("11")
    return _HEADER + bits.to_bytes() + trailer(bytes(1 + 258 * matches))


def with_fields(
    content: bytes,
    *,
    extra: bytes | None = None,
    name: bytes | None = None,
    comment: bytes | None = None,
    header_crc: bool = False,
) -> bytes:
    """A member whose header has optional fields."""
    flags = 2 * header_crc + 4 * (extra is not None) + 8 * (name is not None) + 16 * (comment is not None)
    header = _HEADER[:3] + bytes([flags]) + _HEADER[4:]
    if extra is not None:
        header += len(extra).to_bytes(2, "little") + extra
    for text in (name, comment):
        if text is not None:
            header += text + b"\0"
    if header_crc:
        header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    return gzipped(content, header=header)
