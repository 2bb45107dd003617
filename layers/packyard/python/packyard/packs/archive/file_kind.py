"""What a file is that should have been a gzip-compressed tar, by the bytes that it starts with."""

from typing import Final

_BINARY: Final = (
    "send its bytes as they are: -F archive=@pack.tar.gz, and in a program read the file as binary"
)
_DECODED: Final = f"is a gzip file that was decoded as text on its way, which destroys it; {_BINARY}"
_PRINTED: Final = f"is a gzip file as a program prints its bytes; {_BINARY}"
_IN_BASE64: Final = f"is a file in base64; {_BINARY}"
# How a gzip file begins that was made into text on its way. Its first bytes are 1f 8b 08 (RFC 1952, section 2.3).
_AS_TEXT: Final = (
    # Read as UTF-8, where 8b is no character: replaced by U+FFFD, or left out.
    (b"\x1f\xef\xbf\xbd", _DECODED),
    (b"\x1f\x08", _DECODED),
    # Read as ASCII, as Latin-1, and as Windows-1252.
    (b"\x1f?\x08", _DECODED),
    (b"\x1f\xc2\x8b", _DECODED),
    (b"\x1f\xe2\x80\xb9", _DECODED),
    (b"H4sI", _IN_BASE64),
    (b"data:", _IN_BASE64),
    (b"1f8b08", f"is a gzip file in hexadecimal digits; {_BINARY}"),
    (b"b'\\x1f\\x8b", _PRINTED),
    (b'b"\\x1f\\x8b', _PRINTED),
    (b"31,139,8,", _PRINTED),
    (b"[31,", _PRINTED),
    (b'{"type":"Buffer"', _PRINTED),
)
_TAR: Final = b"ustar"
_TAR_AT: Final = 257
# Where the bytes stand, the bytes, what they mean.
_KINDS: Final = (
    (0, b"PK\x03\x04", "a zip file"),
    (0, b"PK\x05\x06", "an empty zip file"),
    (0, b"\x1f\x8b", "compressed with gzip"),
    (0, b"\xfd7zXZ\x00", "compressed with xz"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4"),
    (0, b"LZIP", "compressed with lzip"),
    (0, b"\x5d\x00\x00", "compressed with lzma"),
    (0, b"\x1f\x9d", "compressed with compress"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip file"),
    (0, b"Rar!\x1a\x07", "a RAR file"),
    (0, b"!<arch>\n", "an ar file, such as a Debian package"),
    (0, b"070701", "a cpio file"),
    (0, b"070707", "a cpio file"),
    (
        0,
        b"version https://git-lfs.github.com",
        "a pointer of Git LFS; fetch the file itself with git lfs pull",
    ),
    (0, b"<", "a page of HTML or XML, perhaps an answer that was saved instead of a file"),
    (0, b"{", "a JSON document"),
    (_TAR_AT, _TAR, "a tar that is not compressed"),
)
LONGEST_LOOK: Final = 262


def kind_of(start: bytes) -> str | None:
    """Return what a file is, to follow "is", or None if that is unknown.

    Args:
        start: Its first 262 bytes, or all of it.
    """
    for offset, magic, what in _KINDS:
        if start.startswith(magic, offset):
            return what
    return None


def text_of_gzip(start: bytes) -> str | None:
    """Return what has become of a gzip file that was sent as text, and what helps; None for anything else.

    Args:
        start: The file's first 262 bytes, or all of it.
    """
    return next((fault for magic, fault in _AS_TEXT if start.startswith(magic)), None)


def is_tar(start: bytes) -> bool:
    """Tell whether a file starts with a header of ustar, GNU or pax tar, be it sound or not."""
    return start.startswith(_TAR, _TAR_AT)
