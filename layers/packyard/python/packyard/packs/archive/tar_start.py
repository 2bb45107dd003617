"""The start of a tar, as readers see it that guess what a file is: libarchive tries every format that it knows.

Such readers go by the first bytes, which are the first header's name. A name that is also the signature of a
compression has the whole tar decompressed once more; one of another archive format outbids a header of V7 tar. What
comes out then has nothing to do with the members that everybody else sees.
"""

import codecs
import re
from typing import Final

_NAME_FIELD: Final = slice(0, 100)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
# All other signatures hold something besides text, which a name cannot: bzip2, and Microsoft's cabinets.
_SIGNATURES = re.compile(rb"BZh[1-9]1AY&SY|MSCF\0\0\0\0")


def check_start(block: bytes, *, extension: bool) -> None:
    """Check that no reader takes a tar that starts like this for anything else.

    Args:
        block: The first header's 512 bytes.
        extension: Whether its name is only that of an extension header, which is no member's and otherwise unchecked.

    Raises:
        ValueError: One could.
    """
    name, _, rest = block[_NAME_FIELD].partition(b"\0")
    if _SIGNATURES.match(block) or rest.strip(b"\0") or (extension and not _is_text(name)):
        raise ValueError("starts like a file of another kind")


def _is_text(name: bytes) -> bool:
    """Tell whether a name is UTF-8 without control characters; writers cut long ones anywhere."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(name)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(name) is None
