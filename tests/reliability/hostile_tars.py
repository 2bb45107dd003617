"""Archives that somebody hostile, or an odd tool, could have written: Hypothesis strategies over tar and gzip.

Each field has a few values that all readers take the same way, and some on which they are known or suspected to differ.
Most draws are of the first kind, so that a fair part of the archives is accepted: only those can show a difference.
"""

import gzip
import zlib
from collections.abc import Sequence
from typing import Final, TypeVar

from fuzz.tar_mutation import put_checksums_right
from hypothesis import strategies as st
from tests.corpus.cases import accept_cases
from tests.corpus.gzip_bytes import gzipped, with_fields
from tests.corpus.tar_bytes import END, GNU, USTAR, V7, base_256, gnu_long, header, octal, padded, record

MANIFEST: Final = b"name: slack\nversion: 1.4.0\n"
_BLOCK: Final = 512
_SMALL: Final = 16 << 10

_NAMES: Final = [
    *(b"data/a", b"data/b", b"guides/a.md", b"scripts/run.sh", b"README.md", b"./data/a", b"data/d/e/f"),
    *(
        "data/\u00e9".encode(),
        "data/e\u0301".encode(),
        b"data/a b",
        b"data/-rf",
        b"data/._a",
        b"data/" + b"n" * 95,
    ),
    *(b"data/.DS_Store", b"__MACOSX/data/._a", b"data/'\"$*?[", b"data/" + b"n" * 94 + b"/"),
]
_ODD_NAMES: Final = [
    *(
        b"data/a/",
        b"",
        b"/",
        b".",
        b"./",
        b"..",
        b"data//a",
        b"data/../a",
        b"/data/a",
        b".//data/a",
        b"data/a\0b",
    ),
    *(
        b"data/caf\xe9",
        b"data/a\n",
        b"data/a\\b",
        b"data/.wh.a",
        b"BZh91AY&SY",
        b"MSCF",
        b"\x1f\x8b\x08\x04",
        b"]",
    ),
]
_DIRECTORIES: Final = [b"data/", b"data", b"guides/", b"data/d/", b"./", b".", b"data/d/e", b"templates/x/"]
_CONTENTS: Final = [b"", b"a", b"b" * 511, b"c" * 512, b"d" * 513, bytes(512), bytes(1024), b"e" * 2000]
_MODES: Final[list[int | bytes]] = [
    0o644,
    0o755,
    0o600,
    0o100755,
    0o4755,
    0o001,
    0o010,
    b"000755 \0",
    b"    755\0",
    bytes(8),
    base_256(0o755, width=8),
    base_256(2**31 + 0o644, width=8),
    b"755\0gar",
]
_ODD_MODES: Final[list[int | bytes]] = [
    b"0000755",
    b"755\0\0\0\0\0",
    b"\0000755\0",
    b"\t000755\0",
    b"\0000755\0",
    base_256(-1, width=8),
    base_256(2**54 + 0o755, width=8),
]
_KINDS: Final = [b"0", b"0", b"0", b"\0"]
_ODD_KINDS: Final = [bytes([kind]) for kind in b"1234567xgLKSVMNDAZX\x01\x80 "]
_MAGICS: Final = [USTAR, USTAR, GNU, V7, b"ustar\0\0\0", b"ustar\x0001", b"ustar\x000 "]
_ODD_MAGICS: Final = [
    b"ustar 00",
    b"USTAR\x0000",
    b"ustar  1",
    b"\0\0\0\0\0\0\x0000",
]
_PREFIXES: Final = [b"", b"", b"", b"", b"data", b"guides/x", b"."]
_ODD_PREFIXES: Final = [
    b"data/",
    b"/",
    b"data\0more",
    b"data" + bytes(127) + b"14400000000 14400000000 ",
    b"\0data",
    b"..",
]
_TAILS: Final = [b"", b"", b"", bytes(8) + b"tar\0", b"x" * 12]
_OWNERS: Final = [b"0000000\0", bytes(8), base_256(70_000, width=8), b" " * 7 + b"\0", b"0001750 "]
_ODD_OWNERS: Final = [
    base_256(-2, width=8),
    base_256(2**32 - 1, width=8),
    base_256(2**32, width=8),
    b"-1\0\0\0\0\0\0",
]
_TIMES: Final = [
    *(b"00000000000\0", bytes(12), base_256(-1, width=12), b"14371573023 ", b"77777777777\0"),
    *(b"\x000000000007 ", b" " * 12),
]
_ODD_TIMES: Final = [
    base_256(2**53 - 1, width=12),
    base_256(2**60, width=12),
    b"yesterday\0\0\0",
    b"7\0\n\n\n\n\n\n\n\n\n\n",
]
_KEYS: Final = [
    *(
        "mtime",
        "atime",
        "uid",
        "uname",
        "comment",
        "SCHILY.xattr.user.a",
        "SCHILY.dev",
        "LIBARCHIVE.creationtime",
        "mode",
        "type",
        "ctime",
        "gid",
    ),
    *(
        "GNU.volume.label",
        "GNU.volume.offset",
        "GNU.dumpdir",
        "SCHILY.fflags",
        "LIBARCHIVE.xattr.user.a",
        "charset",
    ),
]
_ODD_KEYS: Final = [
    *(
        " path",
        "\tpath",
        "path ",
        "PATH",
        "\0path",
        "path\0",
        "\npath",
        "7 path",
        "\u00a0path",
        "pat\u0068\u0300",
        " size",
    ),
    *(
        "GNU.sparse.major",
        "GNU.sparse.map",
        "GNU.sparse.size",
        "SCHILY.realsize",
        "SUN.holesdata",
        "SCHILY.filetype",
    ),
    *("hdrcharset", "size", "linkpath", "GNU.sparse.name", "path"),
    *("SCHILY.acl.access", "SCHILY.acl.default", "SCHILY.acl.ace"),
]
_VALUES: Final = [
    b"1",
    b"0",
    b"-1",
    b"1700000000.5",
    b"x",
    b"",
    b"data/z",
    b"a=b",
    b"12 path=data/z\n",
    b"\0",
    b"1" * 25,
    b"x\n15 path=data/z\n",
    b"x\n16 path=data/z\ny",
    b"user::rwx,group::r-x,other::r-x",
    b"user::rw-,group::r--,other::r--",
    b"owner@:rwxp:-------:allow",
]


T = TypeVar("T")


def _mostly(usual: Sequence[T], odd: Sequence[T]) -> st.SearchStrategy[T]:
    """Nineteen times in twenty something usual."""
    return st.integers(0, 19).flatmap(lambda number: st.sampled_from(odd if number == 7 else usual))


@st.composite
def _headers(draw: st.DrawFn, *, kind: bytes, name: bytes, size: int) -> bytes:
    """A header block that may be odd in any field."""
    sizes = [
        octal(size, width=12),
        octal(size, width=12),
        b"%011o " % size,
        b"%12o" % size,
        base_256(size, width=12),
    ]
    odd_sizes = [
        octal(size + 1, width=12),
        bytes(12),
        b" " * 12,
        octal(_BLOCK, width=12),
        base_256(-1, width=12),
        b"\0" + b"%011o" % size,
    ]
    magic = draw(_mostly(_MAGICS, _ODD_MAGICS))
    prefix = draw(_mostly(_PREFIXES, _ODD_PREFIXES)) if magic == USTAR else b""
    return header(
        name,
        size=draw(_mostly(sizes, [*odd_sizes, b"%o" % size + b"\0garbage"])),
        kind=draw(_mostly([kind], _ODD_KINDS)),
        mode=draw(_mostly(_MODES, _ODD_MODES)),
        uid=draw(_mostly(_OWNERS, _ODD_OWNERS)),
        mtime=draw(_mostly(_TIMES, _ODD_TIMES)),
        link=draw(_mostly([b""], [b"data/a"])),
        magic=magic,
        prefix=prefix,
        tail=draw(st.sampled_from(_TAILS)) if magic == USTAR else b"",
    )


@st.composite
def _files(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(_CONTENTS))
    name = draw(_mostly(_NAMES, _ODD_NAMES))
    return draw(_headers(kind=draw(st.sampled_from(_KINDS)), name=name, size=len(content))) + padded(content)


@st.composite
def _directories(draw: st.DrawFn) -> bytes:
    name = draw(_mostly(_DIRECTORIES, _ODD_NAMES))
    kind = draw(st.sampled_from([b"5", b"5", b"5", b"\0"])) if name.endswith(b"/") else b"5"
    return draw(_headers(kind=kind, name=name, size=0))


@st.composite
def _links(draw: st.DrawFn) -> bytes:
    target = draw(_mostly([b"data/a", b"pack.yaml", b"./data/a", b"data/b"], _ODD_NAMES))
    magic = draw(st.sampled_from(_MAGICS))
    return header(
        draw(_mostly(_NAMES, _ODD_NAMES)),
        kind=b"1",
        link=target,
        magic=magic,
        mode=draw(st.sampled_from(_MODES)),
    )


@st.composite
def _pax_headers(draw: st.DrawFn) -> bytes:
    """An extended header, of one member or of all that follow."""
    kind = draw(st.sampled_from([b"x", b"x", b"x", b"g"]))
    pairs = draw(st.lists(st.tuples(_mostly(_KEYS, _ODD_KEYS), st.sampled_from(_VALUES)), max_size=3))
    if kind == b"x" and draw(st.booleans()):
        path = ("path", draw(_mostly(_NAMES, _ODD_NAMES)))
        pairs.insert(draw(st.integers(0, len(pairs))), path)
    payload = b"".join(record(key, value) for key, value in pairs)
    payload = draw(
        _mostly([payload], [payload + b"\0", b" " + payload, payload[:-1], payload.replace(b" ", b"  ", 1)])
    )
    name = draw(_mostly([b"PaxHeaders/0", b"pax_global_header", b"././@PaxHeader"], _ODD_NAMES))
    return header(name, size=len(payload), kind=kind, magic=draw(st.sampled_from(_MAGICS))) + padded(payload)


@st.composite
def _gnu_headers(draw: st.DrawFn) -> bytes:
    name = draw(_mostly([*_NAMES, *_DIRECTORIES, b"data/" + b"l" * 200], _ODD_NAMES))
    kind = draw(st.sampled_from([b"L", b"L", b"L", b"K"]))
    if draw(st.booleans()):
        return gnu_long(name, kind=kind)
    return header(b"././@LongLink", size=len(name), kind=kind, magic=GNU) + padded(name)


# What other files start with, where a tar has its first name: some take it for theirs, most would have more to follow.
_STARTS: Final = [
    *(
        b"pax_global_header",
        b"././@PaxHeader",
        b"PaxHeaders/\xe3\x83",
        b"BZh91AY",
        b"MSCF/",
        b"xar!",
        b"PK",
        b"#!/bin/sh",
    ),
    *(
        b"\x1f\x8b\x08\0",
        b"\x1f\x9d",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"LZIP\1",
    ),
    *(
        b"LRZI\0\6",
        b"]\0\0\0\4" + b"\xff" * 8,
        b"MSCF",
        b"xar!\0\x1c\0\1",
        b"WARC/1.0\r\n",
        b"!<arch>\n",
        b"070707",
    ),
    *(b"PK\3\4", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\7", b"begin 644 x\n#0V%T\n`\nend\n", b"#mtree", b"CD001"),
]
_STRAY: Final = [bytes(_BLOCK), END, b"x" * _BLOCK, header(b"")]
_MEMBERS: Final = st.one_of(
    _files(),
    _files(),
    _directories(),
    _links(),
    st.tuples(_pax_headers(), _files() | _directories()).map(b"".join),
    st.tuples(_gnu_headers(), _files() | _directories() | _links()).map(b"".join),
    st.tuples(_pax_headers(), _gnu_headers(), _files()).map(b"".join),
    st.tuples(_gnu_headers(), _pax_headers(), _files()).map(b"".join),
)


@st.composite
def written_tars(draw: st.DrawFn) -> bytes:
    """A tar put together from members, of which some are odd."""
    manifest = header(b"pack.yaml", size=len(MANIFEST), magic=draw(st.sampled_from(_MAGICS))) + padded(
        MANIFEST
    )
    members = draw(st.lists(_MEMBERS, max_size=4))
    members.insert(draw(st.integers(0, len(members))), manifest)
    if draw(st.integers(0, 19)) == 7:
        members.insert(draw(st.integers(0, len(members))), draw(st.sampled_from(_STRAY)))
    if draw(st.integers(0, 9)) == 3:
        payload = record("comment", b"c" * 60)
        start = header(
            draw(st.sampled_from(_STARTS)), size=len(payload), kind=b"g", magic=draw(st.sampled_from(_MAGICS))
        )
        members.insert(0, start + padded(payload))
    end = draw(
        _mostly(
            [END, END, bytes(10_240), b"", bytes(_BLOCK)],
            [bytes(256), bytes(700), bytes(1100), END + manifest + END, END + b"x", bytes(_BLOCK) + manifest],
        )
    )
    return b"".join(members) + end


# Small ones: what matters is the variety of headers.
_SOUND: Final = [
    tar
    for case in accept_cases()
    if case.path.stat().st_size < _SMALL and not case.name.startswith("manifest-")
    for tar in [gzip.decompress(case.path.read_bytes())]
    if len(tar) < _SMALL
]
_EDGES: Final = [
    b"\0",
    b"/",
    b" ",
    b"8",
    b"-",
    b"\x80",
    b"\xff",
    b"\n",
    b"=",
    b"./",
    b"0000003\0",
    b"\t",
    b"\0\0\0\0",
]
_FIELD_STARTS: Final = [
    0,
    99,
    100,
    108,
    124,
    135,
    136,
    148,
    154,
    156,
    157,
    257,
    263,
    329,
    345,
    476,
    499,
    508,
    512,
    515,
]


@st.composite
def changed_tars(draw: st.DrawFn) -> bytes:
    """A tar of the corpus with a few bytes changed, or blocks moved, and its checksums put right again."""
    tar = bytearray(draw(st.sampled_from(_SOUND)))
    for _ in range(draw(st.integers(1, 3))):
        at, other = (_BLOCK * draw(st.integers(0, len(tar) // _BLOCK - 1)) for _ in range(2))
        match draw(st.sampled_from(["edge", "edge", "edge", "kind", "byte", "repeat", "remove", "swap"])):
            case "edge":
                value = draw(st.sampled_from(_EDGES))
                start = min(at + draw(st.sampled_from(_FIELD_STARTS)), len(tar) - len(value))
                tar[start : start + len(value)] = value
            case "kind":
                tar[at + 156 : at + 157] = draw(st.sampled_from(_KINDS + _ODD_KINDS))
            case "byte":
                tar[at + draw(st.integers(0, _BLOCK - 1))] = draw(st.integers(0, 255))
            case "repeat":
                tar[at:at] = tar[other : other + _BLOCK]
            case "remove" if len(tar) > _BLOCK:
                del tar[at : at + _BLOCK]
            case _:
                tar[at : at + _BLOCK], tar[other : other + _BLOCK] = (
                    tar[other : other + _BLOCK],
                    tar[at : at + _BLOCK],
                )
    put_checksums_right(tar)
    return bytes(tar)


@st.composite
def compressed(draw: st.DrawFn, tars: st.SearchStrategy[bytes]) -> bytes:
    """A gzip file of a tar, in one member or several, with or without what a header may hold, and what may follow."""
    tar = draw(tars)
    cut = draw(st.integers(0, len(tar)))
    match draw(st.sampled_from(["plain", "plain", "two", "three", "fields", "deflated", "fixed"])):
        case "two":
            archive = gzipped(tar[:cut]) + gzipped(tar[cut:])
        case "three":
            archive = (
                gzipped(tar[:cut]) + gzipped(b"") + with_fields(tar[cut:], name=b"x.tar", header_crc=True)
            )
        case "fields":
            archive = with_fields(
                tar, extra=b"\x1f\x8b\x08\0", name=b"a\nb", comment=b"\xff", header_crc=draw(st.booleans())
            )
        case "deflated":
            archive = gzip.compress(tar, mtime=0)
        case "fixed":
            squeezer = zlib.compressobj(9, zlib.DEFLATED, 31, 1, zlib.Z_FIXED)
            archive = squeezer.compress(tar) + squeezer.flush()
        case _:
            archive = gzipped(tar)
    return archive + draw(
        _mostly([b"", b"", bytes(1), bytes(600)], [b"x", b"\0\x1f\x8b", b"\x1f\x8b", gzipped(tar)])
    )


def hostile_archives() -> st.SearchStrategy[bytes]:
    """Return archives of both kinds."""
    return compressed(written_tars() | changed_tars())
