"""A member is valid gzip, and follows from its content alone."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.compression import compress_member

_RANDOM = random.Random(8)  # noqa: S311 - the same each time


def content_of(size: int) -> bytes:
    """Return content whose start comes again later on, so that what a match finder makes of its start shows."""
    start, middle = _RANDOM.randbytes(6), bytes(_RANDOM.choices(b"abcdefgh", k=size // 2))
    return start + middle + start + middle[::-1]


@given(st.binary(max_size=2_000) | st.binary(max_size=30).map(lambda piece: piece * 5_000))
def test_a_member_is_gzip_of_the_content_and_nothing_else(raw: bytes) -> None:
    inflater = zlib.decompressobj(wbits=31)

    assert inflater.decompress(compress_member(raw)) == raw
    assert inflater.eof
    assert inflater.unused_data == b""


@pytest.mark.parametrize("size", [20, 300, 400, 500])
def test_it_is_the_same_wherever_in_memory_it_is_made(size: int) -> None:
    contents = [content_of(size) for _ in range(200)]
    expected = [compress_member(raw) for raw in contents]

    # Takes the place of the compressor before, each time, so that the next one is elsewhere.
    ballast = []
    for _ in range(300):
        ballast.append(bytearray(70_000))
        assert [compress_member(raw) for raw in contents] == expected
