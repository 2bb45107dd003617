"""Recognising, by its first bytes, a file that was sent in place of a gzip-compressed tar."""

from typing import Final

_BINARY: Final = (
    "send its bytes as they are: -F archive=@pack.tar.gz, and in a program read the file as binary"
)
_DECODED: Final = f"is a gzip file that was decoded as text on its way, which destroys it; {_BINARY}"
_PRINTED: Final = f"is a gzip file as a program prints its bytes; {_BINARY}"
_IN_BASE64: Final = f"is a file in base64; {_BINARY}"
# The first bytes of gzip files that were converted to text on the way. A gzip file starts with 1f 8b 08 (RFC 1952,
# section 2.3).
_AS_TEXT: Final = (
    # Decoded as UTF-8, where 8b alone is invalid: replaced by U+FFFD, or dropped.
    (b"\x1f\xef\xbf\xbd", _DECODED),
    (b"\x1f\x08", _DECODED),
    # Decoded as ASCII, as Latin-1, and as Windows-1252, and encoded as UTF-8.
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
# Offset, bytes at that offset, and what the file is.
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
    """Return a phrase for what a file is, which completes "is …", or None if it is not recognised.

    Args:
        start: The file's first 262 bytes, or all of it if it is shorter.
    """
    for offset, magic, what in _KINDS:
        if start.startswith(magic, offset):
            return what
    return None


def text_of_gzip(start: bytes) -> str | None:
    """Return the fault and the remedy of a gzip file that was converted to text; None for any other file.

    Args:
        start: The file's first 262 bytes, or all of it if it is shorter.
    """
    return next((fault for magic, fault in _AS_TEXT if start.startswith(magic)), None)


def is_tar(start: bytes) -> bool:
    """Return whether a file starts with a ustar, GNU or pax tar header. The header may still be invalid."""
    return start.startswith(_TAR, _TAR_AT)
