"""Changes tar archives so that they stay tar archives, and fuzzing gets past the first checksum."""

import random
import re
from collections.abc import Callable
from typing import Final

BLOCK: Final = 512
_MAGIC: Final = slice(257, 262)
_CHECKSUM: Final = slice(148, 156)
_DIGITS = re.compile(rb"[0-7]{6}[\0 ]{2}")
_KINDS: Final = b"0\x00125xgLK7S346VMDX"
_MAGICS: Final = (b"ustar\x0000", b"ustar  \0", bytes(8), b"ustar\0\0\0", b"tarball\0")
# Offsets where fields of a header start or end.
_FIELDS: Final = (0, 99, 100, 108, 116, 124, 135, 136, 156, 157, 257, 263, 265, 329, 345, 475, 476, 500, 508)
_EDGES: Final = (
    *(b"\0", b"/", b"./", b"../", b" ", b"\t", b"\n", b"=", b"\\", b"\x80", b"\xff", b"7", b"8", b"-1", b"+"),
    *(
        b".wh.",
        b"._",
        b"pack.yaml\0",
        b"data/a\0",
        b"guides/\0",
        b"tar\0",
        b"\xc3\xa9",
        b"e\xcc\x81",
        b"\xed\xa0\x80",
    ),
    *(
        b"00000000003\0",
        b"00000001000\0",
        b"\x80" + bytes(10) + b"\3",
        b"0000755\0",
        b"12 path=a/b\n",
        b"8 size=9\n",
    ),
    *(b"30 GNU.sparse.major=1\n", b"23 hdrcharset=BINARY\n", b"17 linkpath=data/a\n"),
    *(
        b"9 mtime=1\n",
        b"8 uid=-1\n",
        b"35 SCHILY.acl.access=user::rwx\n",
        bytes(12),
        b" " * 7 + b"\0",
        b"Icon\r",
    ),
)


def put_checksums_right(tar: bytearray) -> None:
    """Set the checksum of every block that looks like a header."""
    for at in range(0, len(tar) - BLOCK + 1, BLOCK):
        block = tar[at : at + BLOCK]
        if block[_MAGIC] == b"ustar" or _DIGITS.fullmatch(block[_CHECKSUM]):
            block[_CHECKSUM] = b" " * 8
            tar[at + 148 : at + 156] = b"%06o\0 " % sum(block)


def mutate_tar(data: bytes, max_bytes: int, seed: int, at_random: Callable[[bytes, int], bytes]) -> bytes:
    """Return a tar with one or a few changes: in a field, in the order of blocks, or anywhere.

    Args:
        data: The tar.
        max_bytes: The longest result.
        seed: Decides which change.
        at_random: Changes bytes without knowing the format.
    """
    chance = random.Random(seed)  # noqa: S311 - the fuzzer's own dice
    tar = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        if len(tar) < BLOCK or chance.random() < 0.2:  # noqa: PLR2004 - now and then
            tar = bytearray(at_random(bytes(tar[:max_bytes]), max_bytes))
        else:
            _change(tar, chance)
    put_checksums_right(tar)
    return bytes(tar[:max_bytes])


def _change(tar: bytearray, chance: random.Random) -> None:
    at, other = (BLOCK * chance.randrange(len(tar) // BLOCK) for _ in range(2))
    match chance.randrange(8):
        case 0:
            tar[at + 156] = chance.choice(_KINDS)
        case 1:
            tar[at + 257 : at + 265] = chance.choice(_MAGICS)
        case 2:
            tar[at:at] = tar[other : other + BLOCK]
        case 3 if len(tar) > BLOCK:
            del tar[at : at + BLOCK]
        case 4:
            tar[at : at + BLOCK], tar[other : other + BLOCK] = (
                tar[other : other + BLOCK],
                tar[at : at + BLOCK],
            )
        case 5:
            start = at + chance.randrange(BLOCK)
            tar[start] = chance.randrange(256)
        case _:
            value = chance.choice(_EDGES)
            start = min(at + chance.choice(_FIELDS), len(tar) - len(value))
            tar[start : start + len(value)] = value
