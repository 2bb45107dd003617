import bz2
import gzip
import lzma
import os
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from tests.third_party_images import gzipped, pieces, tar
from tests.witnesses import witness

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.checkpoints import CheckpointLog
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.piece_log import PieceLog

CONTENT = os.urandom(100_000) + bytes(500_000) + b"end"
SKIPPED_FRAME = b"\x5e\x2a\x4d\x18\x04\x00\x00\x00skip"
FORMS = {
    "plain": CONTENT,
    "gzip": gzipped(CONTENT),
    "gzip-of-many-members": b"".join(gzipped(piece) for piece in pieces(CONTENT, 3000)),
    "gzip-with-an-empty-member": gzipped(CONTENT) + gzipped(b""),
    "gzip-with-a-name": gzip.compress(CONTENT, mtime=1),
    "zstd": zstd.compress(CONTENT),
    "zstd-of-many-frames": b"".join(zstd.compress(piece) for piece in pieces(CONTENT, 3000)),
    "zstd-after-a-frame-to-skip": SKIPPED_FRAME + zstd.compress(CONTENT),
    "zstd-before-a-frame-to-skip": zstd.compress(CONTENT) + SKIPPED_FRAME,
}


# With checkpoints, another library inflates the first gzip member.
LOGS: dict[str, Callable[[], PieceLog | None]] = {
    "read": lambda: None,
    "indexed": PieceLog,
    "with checkpoints": lambda: PieceLog(checkpoints=CheckpointLog(first_at=1000, spacing=1000)),
}
each = pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)


@each
@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
@pytest.mark.parametrize("blob", FORMS.values(), ids=FORMS)
def test_a_layer_is_inflated_however_it_is_compressed_and_cut(
    blob: bytes, size: int, log: Callable[[], PieceLog | None]
) -> None:
    assert b"".join(inflate_layer(pieces(blob, size), log=log())) == CONTENT


@pytest.mark.parametrize("blob", [b"", b"\x1f", b"\0" * 3], ids=["nothing", "one-byte", "zeros"])
def test_what_is_too_short_for_a_magic_number_is_plain(blob: bytes) -> None:
    assert b"".join(inflate_layer([blob])) == blob


OTHERS: dict[str, bytes] = {
    "xz": lzma.compress(CONTENT),
    "bzip2": bz2.compress(CONTENT[:1000]),
    "lz4": bytes.fromhex("04224d186470b9"),
    "lzip": b"LZIP\x01\x0c" + bytes(30),
    "compress": b"\x1f\x9d\x90" + bytes(30),
    "zip": b"PK\x03\x04" + bytes(30),
    "7z": bytes.fromhex("377abcaf271c0004") + bytes(30),
}


@pytest.mark.parametrize(("name", "blob"), OTHERS.items(), ids=OTHERS)
def test_another_compression_is_refused_by_its_name(name: str, blob: bytes) -> None:
    with pytest.raises(ImageFault, match=f"compressed with {name}.*; push it again with gzip or zstd"):
        list(inflate_layer(pieces(blob, 3)))


@pytest.mark.parametrize("name", ["BZh9", "LZIP", "PK", "]", "7z"])
def test_a_file_whose_name_is_like_one_makes_no_compression(name: str) -> None:
    plain = tar((name, b"x"))

    assert b"".join(inflate_layer([plain])) == plain


def test_zstd_at_its_highest_level_is_read() -> None:
    packed = subprocess.run(  # noqa: S603 - a witness
        [witness("zstd"), "--ultra", "-22", "-c"], input=CONTENT, capture_output=True, check=True
    ).stdout

    assert b"".join(inflate_layer([packed])) == CONTENT


CORRUPT = {
    "gzip-cut-off": gzipped(CONTENT)[:-9],
    "gzip-without-its-checksum": gzipped(CONTENT)[:-8],
    "gzip-with-a-wrong-checksum": gzipped(CONTENT)[:-8] + bytes(8),
    "gzip-with-a-wrong-byte": gzipped(CONTENT)[:20] + b"\xff" * 8 + gzipped(CONTENT)[28:],
    "gzip-and-something-else": gzipped(CONTENT) + b"something else",
    "gzip-with-an-unknown-flag": gzipped(CONTENT)[:3] + b"\x20" + gzipped(CONTENT)[4:],
    "gzip-with-a-wrong-header-checksum": gzipped(CONTENT)[:3] + b"\x02" + gzipped(CONTENT)[4:],
    "gzip-of-no-method": b"\x1f\x8b\x09\0" + bytes(30),
    "zstd-cut-off": zstd.compress(CONTENT)[:-1],
    "zstd-with-wrong-bytes": zstd.compress(CONTENT)[:5] + b"\xff" * 20,
    "zstd-and-something-else": zstd.compress(CONTENT) + b"something else",
    # A single segment of 2 GiB: window and content size are one, and more than a reader need hold.
    "zstd-with-a-window-of-2-gib": b"\x28\xb5\x2f\xfd\xe0" + (1 << 31).to_bytes(8, "little") + bytes(100),
    "zstd-frame-to-skip-cut-off": SKIPPED_FRAME[:-1],
}


@each
@pytest.mark.parametrize("blob", CORRUPT.values(), ids=CORRUPT)
def test_what_does_not_inflate_is_a_fault_of_the_image(
    blob: bytes, log: Callable[[], PieceLog | None]
) -> None:
    with pytest.raises(ImageFault, match="corrupt"):
        for _ in inflate_layer([blob], log=log()):
            pass


@each
@pytest.mark.parametrize("pack", [gzipped, zstd.compress], ids=["gzip", "zstd"])
def test_a_bomb_is_inflated_piece_by_piece(
    pack: Callable[[bytes], bytes], log: Callable[[], PieceLog | None]
) -> None:
    bomb = pack(bytes(64 << 20))
    tracemalloc.start()
    try:
        largest = max(map(len, inflate_layer([bomb], log=log())))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert largest <= 256 << 10
    assert peak < 4 << 20


def test_what_raises_in_the_transfer_passes_through() -> None:
    def broken() -> Iterator[bytes]:
        yield gzipped(CONTENT)[:50]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        list(inflate_layer(broken()))


@each
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"])
)
def test_any_bytes_inflate_or_are_a_fault(
    log: Callable[[], PieceLog | None], blob: bytes, magic: bytes
) -> None:
    with suppress(ImageFault):
        list(inflate_layer([magic + blob], log=log()))
