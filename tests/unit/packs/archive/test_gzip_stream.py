import gzip
import io
import threading
from contextlib import closing
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.corpus.gzip_bytes import gzipped, with_fields, zeros_gzipped

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive import gzip_stream
from packyard.packs.archive.gzip_stream import GzipStream
from packyard.packs.archive.limits import KIB, ArchiveLimits

SMALL = ArchiveLimits(compressed_bytes=100 * KIB, unpacked_bytes=100 * KIB)
EVERY_FIELD = with_fields(b"content", extra=b"AB\4\0data", name=b"name", comment=b"comment", header_crc=True)


class _Dribble(io.BytesIO):
    """A file that gives one byte at a time, as a slow network might."""

    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(1)


def _stream(compressed: bytes, limits: ArchiveLimits = SMALL) -> GzipStream:
    return GzipStream(io.BytesIO(compressed), limits=limits)


def _inflate(compressed: bytes, limits: ArchiveLimits = SMALL) -> bytes:
    return b"".join(_stream(compressed, limits).pieces(limits.unpacked_bytes + 1))


@given(
    contents=st.lists(st.binary(max_size=2_000), min_size=1, max_size=5),
    level=st.integers(min_value=0, max_value=9),
    padding=st.integers(min_value=0, max_value=600),
)
def test_inflates_what_gzip_compressed(contents: list[bytes], level: int, padding: int) -> None:
    members = b"".join(gzip.compress(content, level) for content in contents)
    assert _inflate(members + bytes(padding)) == b"".join(contents)


@given(content=st.binary(max_size=3_000), cuts=st.lists(st.integers(min_value=0, max_value=700)))
def test_reads_in_steps_of_any_size_give_the_same_bytes(content: bytes, cuts: list[int]) -> None:
    stream = _stream(gzip.compress(content))
    taken = [stream.take(cut) for cut in cuts]
    ends = list(accumulate(cuts))
    assert taken == [content[end - cut : end] for cut, end in zip(cuts, ends, strict=True)]


@pytest.mark.parametrize("processors", [2, 3])
def test_a_large_file_is_inflated_ahead_where_there_is_a_processor_for_it(
    processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gzip_stream, "usable_processors", lambda: processors)
    before = threading.active_count()
    content = bytes(range(256)) * (64 * KIB)
    stream = _stream(gzip.compress(content, 1), ArchiveLimits())
    start = stream.take(len(content) // 2)

    assert threading.active_count() - before == (processors > 2)
    assert start + stream.take(len(content)) == content
    stream.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("processors", [2, 6])
def test_a_large_file_is_refused_where_its_fault_is(processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_stream, "usable_processors", lambda: processors)
    content = bytes(range(256)) * (64 * KIB)
    cut_off = _stream(gzip.compress(content, 1)[:-9], ArchiveLimits())
    too_large = _stream(gzip.compress(content, 1), ArchiveLimits(unpacked_bytes=len(content) - 1))

    for stream, reason in ((cut_off, "cut off"), (too_large, "unpacks to more than")):
        with closing(stream):
            # The last pieces are already taken, or being taken, and their fault waits for its turn.
            assert stream.take(len(content) - 256 * KIB) == content[: -256 * KIB]
            with pytest.raises(InvalidRequest) as refusal:
                list(stream.pieces(len(content)))
        assert reason in refusal.value.fields["archive"]


def test_a_file_that_comes_byte_by_byte_is_read_the_same() -> None:
    stream = GzipStream(_Dribble(EVERY_FIELD + gzipped(b" and more")), limits=SMALL)
    assert stream.take(100) == b"content and more"


def test_pieces_stay_small_however_well_the_input_compresses() -> None:
    limits = ArchiveLimits()
    sizes = [len(piece) for piece in _stream(zeros_gzipped(40_650), limits).pieces(limits.unpacked_bytes)]
    assert sum(sizes) == 1 + 258 * 40_650
    assert max(sizes) <= 256 * KIB


@pytest.mark.parametrize("length", range(len(EVERY_FIELD)))
def test_a_file_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        _inflate(EVERY_FIELD[:length])
    assert refusal.value.fields.keys() == {"archive"}


@given(st.data())
def test_a_flipped_bit_is_refused_or_means_nothing(data: Any) -> None:
    position = data.draw(st.integers(min_value=0, max_value=len(EVERY_FIELD) - 1))
    bit = data.draw(st.integers(min_value=0, max_value=7))
    flipped = bytearray(EVERY_FIELD)
    flipped[position] ^= 1 << bit
    try:
        content = _inflate(bytes(flipped))
    except InvalidRequest:
        return
    assert content == b"content"


@given(st.binary(max_size=200))
@example(b"\x1f\x8b\x08\x00")
def test_any_bytes_inflate_or_are_refused(noise: bytes) -> None:
    for file in (noise, b"\x1f\x8b\x08\x00" + noise, gzipped(noise)[:10] + noise):
        try:
            content = _inflate(file)
        except InvalidRequest as refusal:
            assert refusal.fields.keys() == {"archive"}  # noqa: PT017 - both outcomes are right
        else:
            assert content == gzip.decompress(file)


@pytest.mark.parametrize("size", [0, 1, 100 * KIB])
def test_content_up_to_the_unpacked_limit_is_inflated(size: int) -> None:
    assert len(_inflate(gzip.compress(bytes(size)))) == size


@pytest.mark.parametrize("members", [[100 * KIB + 1], [60 * KIB, 60 * KIB], [100 * KIB, 0, 1]])
def test_content_over_the_unpacked_limit_is_refused(members: list[int]) -> None:
    with pytest.raises(InvalidRequest, match="unpacks to more than 102400 bytes"):
        _inflate(b"".join(gzip.compress(bytes(size)) for size in members))


def test_a_file_of_the_compressed_limit_is_read_and_one_byte_more_is_too_large() -> None:
    file = gzipped(b"content")
    limits = ArchiveLimits(compressed_bytes=len(file))
    assert _inflate(file, limits) == b"content"
    with pytest.raises(PayloadTooLarge, match=f"over {len(file)} bytes"):
        _inflate(file + b"\0", limits)


def test_what_cannot_fit_is_refused_before_it_is_inflated() -> None:
    stream = _stream(gzipped(b"header") + b"never looked at")
    assert stream.take(6) == b"header"
    stream.reserve(100 * KIB - 6)
    with pytest.raises(InvalidRequest, match="unpacks to more than"):
        stream.reserve(100 * KIB - 5)


def test_what_is_charged_counts_like_what_is_read() -> None:
    stream = _stream(gzip.compress(bytes(50 * KIB)))
    assert len(stream.take(10 * KIB)) == 10 * KIB
    stream.charge(50 * KIB)
    stream.reserve(40 * KIB)
    with pytest.raises(InvalidRequest, match="unpacks to more than"):
        stream.charge(40 * KIB + 1)


@pytest.mark.parametrize("rest", [b"", bytes(1), bytes(9_000)])
def test_zeros_to_the_end_are_padding(rest: bytes) -> None:
    stream = _stream(gzipped(b"tar" + rest))
    stream.take(3)
    stream.expect_zeros_to_end()


@pytest.mark.parametrize("rest", [b"\1", bytes(9_000) + b"x", b"x" + bytes(9_000)])
def test_anything_else_behind_the_end_is_refused(rest: bytes) -> None:
    stream = _stream(gzipped(b"tar" + rest))
    stream.take(3)
    with pytest.raises(InvalidRequest, match="data after the tar's end marker"):
        stream.expect_zeros_to_end()
