"""Reading a bundle whose tar was made to hurt its reader: it is refused, in bounded memory."""

import io
import tarfile
from pathlib import Path
from typing import Final

import pytest

from packyard_cli.bundle import read_bundle
from packyard_cli.failure import Exit, Failure

_SIZE: Final = slice(124, 136)
_CHECKSUM: Final = slice(148, 156)


def member(name: str = "a", *, kind: bytes = tarfile.REGTYPE, size: bytes = b"00000000001\0") -> bytes:
    """Return a header that states what it likes, with the right checksum."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    block[_SIZE] = size
    block[_CHECKSUM] = b" " * 8
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(record: bytes) -> bytes:
    header = member("x", kind=tarfile.XHDTYPE, size=b"%011o\0" % len(record))
    return header + record + bytes(-len(record) % 512)


NEGATIVE: Final = b"\xff" * 8 + b"\xf0\x00\x00\x00"
HUGE: Final = b"\x80" + b"\x7f" * 11
END: Final = bytes(1024)
TARS: Final = {
    "a negative size": member(size=NEGATIVE) + bytes(512) + END,
    "a size over what a file can have": member(size=HUGE) + bytes(512) + END,
    "more than there is": member(size=b"00000077777\0") + bytes(512) + END,
    "a negative size of what extends a header": member(kind=tarfile.XHDTYPE, size=NEGATIVE)
    + bytes(512)
    + END,
    "a huge size of what extends a header": member(kind=tarfile.GNUTYPE_LONGNAME, size=HUGE) + END,
    "10 MiB of what extends a header": member(kind=tarfile.XHDTYPE, size=b"00050000000\0") + bytes(10 << 20),
    "headers that extend each other": pax(b"9 mtime=1\n") * 3000 + END,
    "a number of 5,000 digits": pax(b"5014 GNU.size=" + b"1" * 4999 + b"\n") + pax(b"9 mtime=1\n") + END,
}


@pytest.mark.parametrize("content", TARS.values(), ids=TARS)
def test_what_no_tar_can_have_is_refused(content: bytes) -> None:
    with pytest.raises(Failure) as refused:
        read_bundle(Path("bundle.tar"), io.BytesIO(content))

    assert refused.value.exit_code is Exit.INVALID
    assert refused.value.advice == "Fetch the bundle again."
