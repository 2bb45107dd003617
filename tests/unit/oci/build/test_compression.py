"""A piece is raw deflate that ends with a full flush, and follows from its content alone."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.compression import END_OF_STREAM, compress_piece, inflate_pieces

_RANDOM = random.Random(8)  # noqa: S311 - the same each time
CONTENTS = st.binary(max_size=2_000) | st.binary(max_size=30).map(lambda part: part * 5_000)


def content_of(size: int) -> bytes:
    """Return content whose start comes again later on, so that what a match finder makes of its start shows."""
    start, middle = _RANDOM.randbytes(6), bytes(_RANDOM.choices(b"abcdefgh", k=size // 2))
    return start + middle + start + middle[::-1]


@given(contents=st.lists(CONTENTS, max_size=4), data=st.data())
def test_pieces_in_any_order_are_one_stream_to_another_s_inflater(
    contents: list[bytes], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(contents))
    inflater = zlib.decompressobj(wbits=-15)

    assert inflater.decompress(b"".join(map(compress_piece, order)) + END_OF_STREAM) == b"".join(order)
    assert inflater.eof
    assert inflater.unused_data == b""


@given(contents=st.lists(CONTENTS, max_size=4))
def test_pieces_inflate_to_what_they_were_made_of(contents: list[bytes]) -> None:
    compressed = b"".join(map(compress_piece, contents))

    assert inflate_pieces(compressed, size=sum(map(len, contents))) == b"".join(contents)


PIECE = compress_piece(b"some content, some content")
WRONG = {
    "fewer bytes than they are": (PIECE, 25),
    "more bytes than they are": (PIECE, 27),
    "cut off": (PIECE[:-1], 26),
    "something behind": (PIECE + b"\0", 26),
    "ended before": (PIECE + END_OF_STREAM + PIECE, 52),
    "no deflate": (b"\xff" * 20, 26),
}


@pytest.mark.parametrize(("compressed", "size"), WRONG.values(), ids=WRONG)
def test_what_is_not_whole_pieces_of_that_size_is_refused(compressed: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="pieces"):
        inflate_pieces(compressed, size=size)


@pytest.mark.parametrize("size", [20, 300, 400, 500])
def test_it_is_the_same_wherever_in_memory_it_is_made(size: int) -> None:
    contents = [content_of(size) for _ in range(200)]
    expected = [compress_piece(raw) for raw in contents]

    # Takes the place of the compressor before, each time, so that the next one is elsewhere.
    ballast = []
    for _ in range(300):
        ballast.append(bytearray(70_000))
        assert [compress_piece(raw) for raw in contents] == expected
