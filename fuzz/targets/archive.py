"""A pack's archive, byte for byte as it is uploaded: gzip and its content."""

import gzip
import re
import zlib
from collections.abc import Iterator

from tests.corpus.cases import accept_cases, reject_cases

from fuzz.accepted_archive import check_python_sees_the_same, read_or_refuse
from packyard.packs.archive.limits import KIB


def check(data: bytes) -> None:
    contents = read_or_refuse(data)
    if contents is not None and _inflates_for_zlib(data):
        check_python_sees_the_same(data, contents)


def seeds() -> Iterator[bytes]:
    for case in (*accept_cases(), *reject_cases()):
        if case.path.stat().st_size <= 4 * KIB and not case.name.startswith("manifest-"):
            yield case.path.read_bytes()


def _inflates_for_zlib(data: bytes) -> bool:
    """Return whether another inflater accepts an archive that ours has accepted, checksums included."""
    try:
        gzip.decompress(data)
    except zlib.error as error:
        # Ours also accepts incomplete Huffman codes. No reader gets other content from those (decision 30).
        if re.search(r"invalid (literal/lengths|distances) set", str(error)) is None:
            raise
        return False
    return True
