"""Files that are not a valid gzip of a valid tar, each with the field that its refusal names."""

from tests.corpus.accept_cases import GUIDE, PACK, packed
from tests.corpus.gzip_bytes import deflated, gzipped, trailer, with_fields, zeros_gzipped
from tests.corpus.tar_bytes import (
    END,
    GNU,
    V7,
    base_256,
    file,
    gnu_long,
    header,
    link,
    pax,
    pax_path,
    record,
    records,
)

_TAR = PACK + GUIDE + END
_GZIP = gzipped(_TAR)
_ZEROS = zeros_gzipped(4_065)
_ZEROS_BYTES = 1 + 258 * 4_065


def broken_gzip() -> dict[str, bytes]:
    return {
        "empty-file": b"",
        "text": b"name: slack\nversion: 1.4.0\n",
        "zip": b"PK\x03\x04\x14\0\0\0\0\0" + bytes(100),
        "xz": b"\xfd7zXZ\x00\x00\x04" + bytes(100),
        "bzip2": b"BZh91AY&SY" + bytes(100),
        "zstd": b"\x28\xb5\x2f\xfd\x04\x00" + bytes(100),
        "tar-not-compressed": _TAR,
        "one-byte-of-the-magic": b"\x1f",
        "gzip-cut-in-the-header": _GZIP[:7],
        "gzip-cut-after-the-header": _GZIP[:10],
        "gzip-cut-in-the-content": _GZIP[: len(_GZIP) // 2],
        "gzip-cut-before-the-trailer": _GZIP[:-8],
        "gzip-cut-in-the-trailer": _GZIP[:-3],
        "gzip-cut-in-an-extra-field": with_fields(_TAR, extra=b"x" * 50)[:30],
        "gzip-name-without-end": with_fields(_TAR, name=b"slack.tar")[:15],
        "gzip-name-too-long": with_fields(_TAR, name=b"n" * 70_000),
        "gzip-name-far-too-long": with_fields(_TAR, name=b"n" * 400_000),
        "gzip-wrong-checksum": _GZIP[:-8] + bytes([_GZIP[-8] ^ 1]) + _GZIP[-7:],
        "gzip-wrong-length": _GZIP[:-1] + bytes([_GZIP[-1] ^ 1]),
        "gzip-wrong-header-checksum": _flipped(with_fields(_TAR, header_crc=True), at=10),
        "gzip-reserved-flag": _GZIP[:3] + b"\x20" + _GZIP[4:],
        "gzip-unknown-method": _GZIP[:2] + b"\x07" + _GZIP[3:],
        "gzip-impossible-block-type": _GZIP[:10] + b"\x07" + _GZIP[11:],
        "gzip-stored-length-mismatch": _flipped(_GZIP, at=13),
        "gzip-copy-from-before-the-start": _GZIP[:10] + b"\x03\x02\x00\x00" + bytes(8),
        "gzip-flipped-bit": _flipped(deflated(_TAR), at=80),
        "gzip-second-member-cut": gzipped(_TAR) + gzipped(b"")[:-4],
        "gzip-second-member-corrupt": gzipped(_TAR) + _flipped(gzipped(bytes(512)), at=300),
        "gzip-then-text": _GZIP + b"signature",
        "gzip-then-zeros-then-text": _GZIP + bytes(100) + b"signature",
        "gzip-then-zeros-then-gzip": gzipped(_TAR) + bytes(8) + gzipped(bytes(512)),
        "gzip-of-a-gzip": gzipped(_GZIP),
        "gzip-of-nothing": gzipped(b""),
        "gzip-of-noise": gzipped(bytes((n * 167 + n // 7) % 256 for n in range(5_120))),
        "gzip-of-text": gzipped(b"name: slack\n" * 100),
        "gzip-of-too-many-members": gzipped(_TAR) + (_GZIP[:10] + b"\3\0" + trailer(b"")) * 65_536,
    }


def _flipped(content: bytes, *, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def bombs() -> dict[str, bytes]:
    half = header(b"data/half", size=512 * (_ZEROS_BYTES + 7))
    rest = gzipped(bytes(-(512 * (_ZEROS_BYTES + 7)) % 512 + 7 * 512))
    copies = b"".join(link(f"data/{n}", "data/a") for n in range(1_100))
    return {
        "bomb-in-one-file": gzipped(PACK + header(b"data/a", size=2**30)) + _ZEROS * 64,
        "bomb-in-several-files": gzipped(PACK + half) + _ZEROS * 512 + rest + gzipped(half) + _ZEROS * 8,
        "bomb-behind-the-end": gzipped(_TAR) + _ZEROS * 1_030,
        "bomb-in-an-extension-header": gzipped(header(b"x", size=2**29, kind=b"x")) + _ZEROS * 8,
        "bomb-of-hard-links": packed(PACK, file("data/a", bytes(2**20)), copies),
        "bomb-of-members": packed(PACK, *(file(f"data/{n:05}") for n in range(20_000))),
        "bomb-of-litter": packed(PACK, *(file(f"._{n:05}") for n in range(20_000))),
        "bomb-of-unpackable-size": packed(
            PACK, header(b"data/a", size=base_256(2**63 - 1, width=12), magic=GNU)
        ),
        "bomb-of-octal-size": packed(PACK, header(b"data/a", size=b"77777777777\0")),
    }


def broken_tar() -> dict[str, bytes]:
    sound = header(b"data/a")
    return {
        "cut-in-a-header": gzipped((PACK + GUIDE)[:-700]),
        "cut-in-content": gzipped(PACK + header(b"data/a", size=5_000) + bytes(1_000)),
        "cut-in-padding": gzipped(PACK + GUIDE[:-10]),
        "member-after-one-end-block": packed(PACK, bytes(512), GUIDE),
        "tar-after-the-end": gzipped(_TAR + _TAR),
        "text-after-the-end": gzipped(_TAR + b"more"),
        "checksum-wrong": packed(PACK, _flipped(sound, at=0)),
        "checksum-blank": packed(PACK, header(b"data/a", checksum=b" " * 8)),
        "checksum-of-zeros": packed(PACK, header(b"data/a", checksum=bytes(8))),
        "checksum-not-a-number": packed(PACK, header(b"data/a", checksum=b"checksum")),
        "checksum-of-signed-bytes": packed(PACK, _with_signed_checksum("data/é".encode())),
        "size-negative": packed(PACK, header(b"data/a", size=base_256(-512, width=12), magic=GNU)),
        "size-with-a-sign": packed(PACK, header(b"data/a", size=b"-0000000001\0")),
        "size-decimal": packed(PACK, header(b"data/a", size=b"00000000009\0")),
        "size-hexadecimal": packed(PACK, header(b"data/a", size=b"0x000000001\0")),
        "size-with-underscores": packed(PACK, header(b"data/a", size=b"0_000000001\0")),
        "size-after-a-zero-byte": packed(PACK, header(b"data/a", size=b"\x00000000001\0")),
        "size-in-odd-base-256": packed(PACK, header(b"data/a", size=b"\x81" + bytes(10) + b"\1", magic=GNU)),
        "mode-not-a-number": packed(PACK, header(b"data/a", mode=b"rwxr-xr-")),
        "owner-not-a-number": packed(PACK, header(b"data/a", uid=b"nobody\0\0")),
        "time-beyond-64-bits": packed(PACK, header(b"data/a", mtime=base_256(2**80, width=12), magic=GNU)),
        "unknown-format-with-a-prefix": packed(PACK, header(b"a", prefix=b"data", magic=b"tarball\0")),
        "v7-with-a-prefix": packed(PACK, header(b"a", prefix=b"data", magic=V7)),
        "gnu-with-a-prefix": packed(PACK, header(b"a", prefix=b"data", magic=GNU)),
        "xstar-with-a-long-prefix": packed(
            PACK, header(b"a", prefix=b"data/" + b"p" * 140, tail=bytes(8) + b"tar\0")
        ),
        "directory-with-content": packed(PACK, header(b"data/", kind=b"5", size=512) + GUIDE[:512]),
        "old-directory-with-content": packed(PACK, header(b"data/", kind=b"\0", size=512) + GUIDE[:512]),
        "hard-link-with-content": packed(
            PACK, header(b"data/a", kind=b"1", link=b"pack.yaml", size=512) + GUIDE[:512]
        ),
        "symbolic-link-with-content": packed(
            PACK, header(b"data/a", kind=b"2", link=b"x", size=512) + GUIDE[:512]
        ),
        "device-with-content": packed(PACK, header(b"data/a", kind=b"3", size=512) + GUIDE[:512]),
        "file-with-a-trailing-slash": packed(PACK, file("data/a/", b"a")),
        "old-file-with-a-trailing-slash-from-pax": packed(
            PACK, pax_path("data/a/"), header(b"x", kind=b"\0")
        ),
        "old-directory-renamed-by-pax": packed(PACK, pax_path("data/a"), header(b"data/", kind=b"\0")),
    }


def _with_signed_checksum(name: bytes) -> bytes:
    block = header(name)
    signed = int(block[148:154], 8) - 256 * sum(byte >= 128 for byte in block)
    return header(name, checksum=b"%06o\0 " % signed)


def broken_extensions() -> dict[str, bytes]:
    leaf = header(b"data/a")
    return {
        **{
            f"pax-record-{name}": packed(PACK, pax(payload), leaf)
            for name, payload in {
                "without-length": b"path=data/b\n",
                "with-length-zero": b"0 path=data/b\n",
                "with-a-leading-zero": b"015 path=data/b\n",
                "with-a-negative-length": b"-15 path=data/b\n",
                "with-a-huge-length": b"99999999999999999999 path=data/b\n",
                "longer-than-the-header": b"16 path=data/b\n",
                "shorter-than-it-is": b"13 path=data/b\n",
                "without-newline": b"14 path=data/b ",
                "without-equals-sign": b"15 path:data/b\n",
                "without-key": b"11 =data/b\n",
                "followed-by-zeros": record("path", "data/b") + bytes(3),
                "with-an-empty-path": record("path", ""),
                "with-an-empty-size": record("size", ""),
                "with-a-zero-byte-in-the-path": record("path", "data/b\0/../../x"),
                "with-another-size": record("size", "1024"),
                "with-a-negative-size": record("size", "-1"),
                "with-an-octal-size": record("size", "0o0"),
                "with-an-endless-size": record("size", "0" * 5_000),
                "with-another-charset": record("hdrcharset", "ISO-IR 8859 1 1998"),
                "with-a-link-path-for-a-file": record("linkpath", "pack.yaml"),
            }.items()
        },
        "pax-records-by-the-thousand": packed(PACK, pax(records((f"k{n}", "v") for n in range(1025))), leaf),
        "pax-header-too-large": packed(PACK, pax(record("comment", "x" * 2**20)), leaf),
        "pax-header-with-nothing-after-it": packed(PACK, pax_path("data/b")),
        "pax-header-twice": packed(PACK, pax_path("data/b"), pax_path("data/c"), leaf),
        "pax-header-and-gnu-name": packed(PACK, pax_path("data/b"), gnu_long("data/c"), leaf),
        "gnu-name-and-pax-header": packed(PACK, gnu_long("data/c"), pax_path("data/b"), leaf),
        "gnu-name-twice": packed(PACK, gnu_long("data/b"), gnu_long("data/c"), leaf),
        "gnu-link-twice": packed(
            PACK, gnu_long("pack.yaml", kind=b"K"), gnu_long("x", kind=b"K"), link("data/b", "pack.yaml")
        ),
        "gnu-link-for-a-file": packed(PACK, gnu_long("pack.yaml", kind=b"K"), leaf),
        "gnu-name-with-nothing-after-it": packed(PACK, gnu_long("data/b")),
        "gnu-name-empty": packed(PACK, gnu_long(""), leaf),
        "gnu-name-with-text-after-its-end": packed(PACK, gnu_long("data/b\0data/c"), leaf),
        "gnu-name-not-padded-with-zeros": packed(PACK, gnu_long("data/b")[:-1] + b"x", leaf),
        "pax-header-not-padded-with-zeros": packed(
            PACK, header(b"x", size=15, kind=b"x") + b"15 path=data/b\n" * 2 + bytes(482), leaf
        ),
        "gnu-name-too-large": packed(PACK, gnu_long("data/" + "n" * 2**20), leaf),
        "global-path": packed(PACK, pax(record("path", "data/b"), kind=b"g"), leaf),
        "global-size": packed(PACK, pax(record("size", "0"), kind=b"g"), leaf),
        "global-link-path": packed(PACK, pax(record("linkpath", "x"), kind=b"g"), leaf),
        "global-charset": packed(PACK, pax(record("hdrcharset", "BINARY"), kind=b"g"), leaf),
        "global-sparse": packed(PACK, pax(record("GNU.sparse.major", "1"), kind=b"g"), leaf),
        "global-header-after-a-pax-header": packed(
            PACK, pax_path("data/b"), pax(record("comment", "x"), kind=b"g"), leaf
        ),
        "global-headers-by-the-dozen": packed(PACK, pax(record("comment", "x"), kind=b"g") * 20, leaf),
        "global-header-with-nothing-after-it": packed(PACK, pax(record("comment", "x"), kind=b"g")),
        "global-header-malformed": packed(PACK, pax(b"x", kind=b"g"), leaf),
    }


def rejected_files() -> dict[str, tuple[bytes, str]]:
    """Every archive that is refused as a whole, by name, with the field that the refusal names."""
    tables = (broken_gzip(), bombs(), broken_tar(), broken_extensions())
    refused = {name: (archive, "archive") for table in tables for name, archive in table.items()}
    # It is whole, and holds nothing.
    return {**refused, "empty-zip": (b"PK\x05\x06" + bytes(18), "pack.yaml")}
