import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.file_in_spool import PIECE_BYTES
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.layer_writer import LayerWriter
from packyard.oci.content import Content

MANY = [bytes([number % 251]) * (number * 997 % 60_000) for number in range(100)]


# Where pieces lie in a spool depends on which thread was first.
Stored = tuple[int, str, list[bytes]]


def written(files: list[list[bytes]], *, processors: int) -> list[Stored]:
    with LayerSpool(processors=processors) as spool:
        with LayerWriter(spool) as writer:
            stored = [writer.store(chunks) for chunks in files]
            writer.finish()
        return [as_it_lies(file.content(), spool) for file in stored]


def stored(files: list[list[bytes]]) -> list[Stored]:
    with LayerSpool() as spool:
        return [as_it_lies(spool.store(chunks), spool) for chunks in files]


def as_it_lies(content: Content, spool: LayerSpool) -> Stored:
    return content.size, content.sha256, [spool.read(piece) for piece in content.pieces]


@given(files=st.lists(st.lists(st.binary(max_size=2000))))
def test_other_threads_store_the_same(files: list[list[bytes]]) -> None:
    assert written(files, processors=2) == stored(files)


@pytest.mark.parametrize("processors", [2, 3, 6])
def test_files_of_many_batches_and_of_many_pieces_are_the_same(processors: int) -> None:
    large = [bytes(PIECE_BYTES), b"x" * (3 * PIECE_BYTES), b"end"]
    files = [[content] for content in MANY] + [large, [bytes(PIECE_BYTES)]]

    assert written(files, processors=processors) == stored(files)


@pytest.mark.parametrize("processors", [2, 6])
def test_content_can_be_had_again_once_all_is_stored(processors: int) -> None:
    large = bytes(PIECE_BYTES) + b"end"
    with LayerSpool(processors=processors) as spool, LayerWriter(spool) as writer:
        kept = [writer.store([content]) for content in (*MANY, large, b"")]

        assert writer.fetch(kept[7]) == MANY[7]
        assert writer.fetch(kept[-2]) == large
        assert writer.fetch(kept[-1]) == b""
        writer.finish()

        assert spool.fetch(kept[3].content()) == MANY[3]


def test_a_small_pack_starts_no_thread() -> None:
    before = threading.active_count()
    with LayerSpool() as spool, LayerWriter(spool) as writer:
        writer.store([bytes(60_000)])
        writer.finish()

        assert threading.active_count() == before


@pytest.mark.parametrize("processors", [2, 4])
def test_one_processor_is_left_to_the_thread_that_reads(processors: int) -> None:
    before = threading.active_count()
    with LayerSpool(processors=processors) as spool, LayerWriter(spool) as writer:
        for content in MANY * 2:
            writer.store([content])

        assert threading.active_count() - before == processors - 1


def test_what_the_archive_raises_passes_through() -> None:
    def cut_off() -> Iterator[bytes]:
        yield bytes(PIECE_BYTES)
        raise ValueError("cut off")

    with (
        LayerSpool() as spool,
        pytest.raises(ValueError, match="cut off"),
        LayerWriter(spool) as writer,
    ):
        writer.store(cut_off())
