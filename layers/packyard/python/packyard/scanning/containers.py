"""What is inside a ZIP: documents of office programs (ECMA-376, ISO 26300), and archives within a pack.

Only what is small is looked into. The text of a document stands in pieces between the marks of its XML, which are taken
out.
"""

import io
import re
from collections.abc import Iterator
from typing import Final

MAX_CONTAINER: Final = 16 << 20
_START: Final = b"PK\x03\x04"
_MAX_MEMBERS: Final = 500
_MAX_MEMBER: Final = 4 << 20
_MAX_TOTAL: Final = 32 << 20
_PARAGRAPH: Final = re.compile(rb"</(?:w:p|a:p|text:p|text:h|si|t)>")
_MARK: Final = re.compile(rb"<[^<>]{0,4000}>")
# These parts of documents say how they look, and are long.
_LEFT_OUT: Final = re.compile(
    r"(?:word|xl|ppt)/(?:[\w-]+/)?(?:theme|styles|fontTable|settings|printerSettings)\d*\.(?:xml|bin)"
    r"|(?:[\w-]+/)*_rels/[\w.-]+\.rels"
)


def is_container(start: bytes) -> bool:
    """Return whether a file is a ZIP, by its first bytes."""
    return start.startswith(_START)


def members_of(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of what is inside; nothing of what is damaged, encrypted or too large."""
    import lzma  # noqa: PLC0415 - few packs have one
    import zipfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    # What is damaged may also ask for a dictionary of four gigabytes.
    damaged = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, MemoryError)

    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist()[:_MAX_MEMBERS]:
                if info.is_dir() or info.file_size > _MAX_MEMBER or _LEFT_OUT.fullmatch(info.filename):
                    continue
                with archive.open(info) as member:
                    # The size that is stated may be wrong.
                    data = member.read(_MAX_MEMBER)
                total += len(data)
                if total > _MAX_TOTAL:
                    return
                yield info.filename, _text_of(info.filename, data)
    except (*damaged, OSError, RuntimeError):
        return


def _text_of(name: str, data: bytes) -> bytes:
    if not name.endswith(".xml"):
        return data
    return _MARK.sub(b"", _PARAGRAPH.sub(b"\n", data))
