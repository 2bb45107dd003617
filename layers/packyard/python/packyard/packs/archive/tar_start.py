"""Checking that no reader that guesses a file's format, such as libarchive, mistakes a tar for another format.

Such readers look at the first bytes, which are the name in a tar's first header. If the name is also the signature of a
compression format, they decompress the whole tar again. If it is the signature of another archive format, they may
prefer that format to V7 tar. Then they find other members than all other readers.
"""

import codecs
import re
from typing import Final

_NAME_FIELD: Final = slice(0, 100)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
# The only two signatures that are text, and so could be a name: bzip2 and Microsoft's cabinets.
_SIGNATURES = re.compile(rb"BZh[1-9]1AY&SY|MSCF\0\0\0\0")


def check_start(block: bytes, *, extension: bool) -> None:
    """Check that no reader takes a tar with this first block for another format.

    Args:
        block: The first header's 512 bytes.
        extension: Whether it is an extension header. Its name belongs to no member, so nothing else checks it.

    Raises:
        ValueError: A reader could take it for another format.
    """
    name, _, rest = block[_NAME_FIELD].partition(b"\0")
    if _SIGNATURES.match(block) or rest.strip(b"\0") or (extension and not _is_text(name)):
        raise ValueError("starts like a file of another kind")


def _is_text(name: bytes) -> bool:
    """Return whether a name is UTF-8 without control characters. An incomplete character at the end is accepted."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(name)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(name) is None
