"""Checkpoints: from each of them, a gzip stream goes on as it does when it is inflated from its start."""

import gzip
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip
from tests.third_party_images import gzipped, pieces
from tests.witnesses import witness

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.checkpoints import (
    MAX_CHECKPOINTS,
    MAX_KEPT_BYTES,
    WINDOW_BYTES,
    Checkpoint,
    CheckpointLog,
    checkpoint_before,
    checkpoint_behind,
    inflate_from,
    kept_window,
)
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.piece_log import PieceLog

_RANDOM = random.Random(76)  # noqa: S311 - content of a test
_WORDS = [_RANDOM.randbytes(_RANDOM.randrange(1, 5)).hex() for _ in range(2000)]
# Text, noise, one byte many times, and text that repeats what stands a whole window before it.
CONTENT = (
    " ".join(_RANDOM.choices(_WORDS, k=60_000)).encode()
    + _RANDOM.randbytes(200_000)
    + bytes(300_000)
    + _RANDOM.randbytes(WINDOW_BYTES) * 6
    + " ".join(_RANDOM.choices(_WORDS, k=10_000)).encode()
)
SPACING = 40_000


def deflated(*, level: int = 6, memory: int = 8, strategy: int = 0, window: int = 15) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, window + 16, memory, strategy)
    return compressor.compress(CONTENT) + compressor.flush()


def flushed(mode: int) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    parts = (compressor.compress(piece) + compressor.flush(mode) for piece in pieces(CONTENT, 7000))
    return b"".join(parts) + compressor.flush()


def written_by(name: str, *options: str) -> bytes:
    command = [witness(name), *options, "-c"]
    return subprocess.run(command, input=CONTENT, capture_output=True, check=True).stdout  # noqa: S603 - a witness


WRITERS: dict[str, Callable[[], bytes]] = {
    **{f"zlib -{level}": partial(deflated, level=level) for level in range(10)},
    "zlib, small blocks": lambda: deflated(memory=1),
    "zlib, large blocks": lambda: deflated(memory=9),
    "zlib, a small window": lambda: deflated(window=9),
    "zlib, fixed codes": lambda: deflated(strategy=zlib.Z_FIXED),
    "zlib, no matches": lambda: deflated(strategy=zlib.Z_HUFFMAN_ONLY),
    "zlib, runs": lambda: deflated(strategy=zlib.Z_RLE),
    "zlib, partly flushed": lambda: flushed(zlib.Z_PARTIAL_FLUSH),
    "zlib, synchronised": lambda: flushed(zlib.Z_SYNC_FLUSH),
    "zlib, flushed": lambda: flushed(zlib.Z_FULL_FLUSH),
    **{f"isal -{level}": partial(igzip.compress, CONTENT, level) for level in range(1, 4)},
    "gzip": lambda: written_by("gzip", "-9"),
    "pigz": lambda: written_by("pigz", "-p", "2", "-b", "128"),
}


@cache
def stream() -> bytes:
    return deflated()


@cache
def checkpoints_of_stream() -> tuple[tuple[Checkpoint, ...], bytes]:
    return noted(stream())


def noted(blob: bytes, *, feed: int = 32 << 10) -> tuple[tuple[Checkpoint, ...], bytes]:
    log = CheckpointLog(first_at=SPACING, spacing=SPACING)
    assert b"".join(inflate_layer(pieces(blob, feed), log=PieceLog(checkpoints=log))) == CONTENT
    return log.finish()


def window_of(checkpoint: Checkpoint, windows: bytes) -> bytes:
    return kept_window(windows[checkpoint.kept_at : checkpoint.kept_at + checkpoint.kept_size])


@pytest.fixture(scope="module", params=WRITERS.values(), ids=list(WRITERS))
def blob(request: pytest.FixtureRequest) -> bytes:
    write: Callable[[], bytes] = request.param
    return write()


def test_from_each_checkpoint_a_stream_goes_on_to_its_end(blob: bytes) -> None:
    checkpoints, windows = noted(blob)

    assert len(checkpoints) >= 3
    for checkpoint in checkpoints:
        rest = pieces(blob[checkpoint.start :], 10_000)
        content = b"".join(inflate_from(checkpoint, window_of(checkpoint, windows), rest))
        assert content == CONTENT[checkpoint.at :]


def test_what_lies_between_two_checkpoints_takes_no_byte_behind_the_second(blob: bytes) -> None:
    checkpoints, windows = noted(blob)

    for here, there in pairwise(checkpoints):
        between = pieces(blob[here.start : there.offset], 999)
        content = b"".join(inflate_from(here, window_of(here, windows), between))
        assert content == CONTENT[here.at : there.at]


def test_checkpoints_are_the_same_however_a_layer_comes(blob: bytes) -> None:
    assert noted(blob, feed=1 << 20) == noted(blob, feed=997)


def test_checkpoints_are_as_far_apart_as_they_should_be(blob: bytes) -> None:
    checkpoints, _ = noted(blob)

    places = [0, *(checkpoint.at for checkpoint in checkpoints)]
    assert min(later - earlier for earlier, later in pairwise(places)) >= SPACING


def test_the_writers_leave_each_number_of_bits() -> None:
    found = {checkpoint.bits for write in WRITERS.values() for checkpoint in noted(write())[0]}

    assert found == set(range(8))


@given(at=st.integers(0, len(CONTENT)), size=st.integers(0, 200_000))
def test_any_part_is_read_between_the_checkpoints_around_it(at: int, size: int) -> None:
    checkpoints, windows = checkpoints_of_stream()
    end = min(at + size, len(CONTENT))

    before, behind = checkpoint_before(checkpoints, at), checkpoint_behind(checkpoints, end)

    if before is None:
        assert at < checkpoints[0].at
        return
    part = stream()[before.start : behind.offset if behind else None]
    content = b"".join(inflate_from(before, window_of(before, windows), [part]))
    assert content[at - before.at : end - before.at] == CONTENT[at:end]


def test_the_checkpoints_around_a_part_may_be_at_its_ends() -> None:
    checkpoints = (Checkpoint(10, 5, 0, 0, 1), Checkpoint(20, 9, 0, 1, 1))

    assert checkpoint_before(checkpoints, 9) is None
    assert [checkpoint_before(checkpoints, at) for at in (10, 19, 20, 99)] == [
        *checkpoints[:1] * 2,
        *checkpoints[1:] * 2,
    ]
    assert [checkpoint_behind(checkpoints, end) for end in (10, 11, 20)] == [
        checkpoints[0],
        *checkpoints[1:] * 2,
    ]
    assert checkpoint_behind(checkpoints, 21) is None
    assert checkpoint_before((), 5) is checkpoint_behind((), 5) is None


def test_however_large_a_layer_is_its_checkpoints_are_few() -> None:
    log = CheckpointLog(first_at=10, spacing=10)
    window = os.urandom(WINDOW_BYTES)
    for at in range(1, 20_000):
        if at >= log.next_at:
            log.note(at=at, offset=at, bits=0, window=window)

    checkpoints, windows = log.finish()

    places = [checkpoint.at for checkpoint in checkpoints]
    assert MAX_CHECKPOINTS // 2 <= len(places) <= MAX_CHECKPOINTS
    assert max(later - earlier for earlier, later in pairwise([0, *places, 20_000])) <= 80
    assert all(checkpoint.kept_size <= MAX_KEPT_BYTES for checkpoint in checkpoints)
    assert window_of(checkpoints[-1], windows) == window


def test_a_layer_of_many_members_has_no_checkpoints() -> None:
    log = CheckpointLog(first_at=SPACING, spacing=SPACING)

    blob = gzipped(CONTENT) + gzipped(b"more")

    assert b"".join(inflate_layer([blob], log=PieceLog(checkpoints=log))) == CONTENT + b"more"

    assert log.finish() == ((), b"")


WITHOUT = {
    "plain": CONTENT,
    "empty": gzipped(b""),
    "short": gzipped(CONTENT[: SPACING - 1]),
    # igzip's fastest level writes what it is given at once as one block.
    "one block": igzip.compress(CONTENT, 0),
}


@pytest.mark.parametrize("blob", WITHOUT.values(), ids=WITHOUT.keys())
def test_a_layer_without_a_place_for_any_has_no_checkpoints(blob: bytes) -> None:
    log = CheckpointLog(first_at=SPACING, spacing=SPACING)

    for _ in inflate_layer([blob], log=PieceLog(checkpoints=log)):
        pass

    assert log.finish() == ((), b"")


def test_many_empty_blocks_take_no_longer_than_their_bytes() -> None:
    # An empty block with fixed codes is 10 bits long: 5 bytes hold four.
    blocks = sum(2 << 10 * number for number in range(4)).to_bytes(5, "little") * 200_000
    empty = gzip.compress(b"", mtime=0)
    blob = empty[:10] + blocks + empty[10:]
    log = CheckpointLog(first_at=0, spacing=SPACING)
    started = process_time()

    assert b"".join(inflate_layer([blob], log=PieceLog(checkpoints=log))) == b""

    assert process_time() - started < 5


def test_where_the_system_has_no_zlib_a_layer_is_read_without_checkpoints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "packyard.oci.read.block_inflater", None)
    log = CheckpointLog(first_at=SPACING, spacing=SPACING)

    assert b"".join(inflate_layer([stream()], log=PieceLog(checkpoints=log))) == CONTENT

    assert log.finish() == ((), b"")


WRONG_WINDOWS = {
    "nothing": b"",
    "no gzip": bytes(100),
    "cut off": gzipped(bytes(WINDOW_BYTES))[:-1],
    "too long": gzipped(bytes(WINDOW_BYTES + 1)),
    "a bomb": gzipped(bytes(1 << 20)),
    "of a wrong checksum": gzipped(bytes(WINDOW_BYTES))[:-8] + bytes(8),
}


@pytest.mark.parametrize("kept", WRONG_WINDOWS.values(), ids=WRONG_WINDOWS.keys())
def test_what_is_kept_and_is_no_window_is_one_error(kept: bytes) -> None:
    with pytest.raises(ValueError, match="the window is damaged"):
        kept_window(kept)


@given(
    offset=st.integers(1, 100_000),
    bits=st.integers(0, 7),
    window=st.binary(max_size=100),
    feed=st.sampled_from([1000, 1 << 20]),
)
def test_from_a_wrong_checkpoint_something_else_comes_or_a_fault(
    offset: int, bits: int, window: bytes, feed: int
) -> None:
    wrong = Checkpoint(SPACING, offset, bits, 0, 1)

    with suppress(ImageFault):
        for _ in inflate_from(wrong, window, pieces(stream()[wrong.start :], feed)):
            pass
