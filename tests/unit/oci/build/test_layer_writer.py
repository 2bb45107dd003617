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


def written(files: list[list[bytes]]) -> list[Content]:
    with LayerSpool() as spool:
        with LayerWriter(spool) as writer:
            stored = [writer.store(chunks) for chunks in files]
            writer.finish()
        return [file.content() for file in stored]


def stored(files: list[list[bytes]]) -> list[Content]:
    with LayerSpool() as spool:
        return [spool.store(chunks) for chunks in files]


@given(files=st.lists(st.lists(st.binary(max_size=2000))))
def test_another_thread_stores_the_same(files: list[list[bytes]]) -> None:
    assert written(files) == stored(files)


def test_files_of_many_batches_and_of_many_members_are_the_same() -> None:
    files = [[content] for content in MANY] + [[bytes(PIECE_BYTES), b"x" * (3 * PIECE_BYTES), b"end"]]

    assert written(files) == stored(files)


def test_content_can_be_had_again_once_all_is_stored() -> None:
    large = bytes(PIECE_BYTES) + b"end"
    with LayerSpool() as spool, LayerWriter(spool) as writer:
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
