import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.spool import Spool

MIB = 1 << 20


@given(pieces=st.lists(st.binary(max_size=100)))
def test_every_piece_is_read_back_by_where_it_started(pieces: list[bytes]) -> None:
    with Spool() as spool:
        offsets = [spool.append(piece) for piece in pieces]

        assert [
            spool.read(offset, len(piece)) for offset, piece in zip(offsets, pieces, strict=True)
        ] == pieces


def test_pieces_lie_one_after_the_other() -> None:
    with Spool() as spool:
        assert [spool.append(b"abc"), spool.append(b""), spool.append(b"de")] == [0, 3, 3]


def test_what_memory_does_not_hold_is_read_from_disk() -> None:
    pieces = [bytes([number]) * MIB for number in range(20)]
    with Spool() as spool:
        offsets = [spool.append(piece) for piece in pieces]

        for offset, piece in reversed(list(zip(offsets, pieces, strict=True))):
            assert spool.read(offset, MIB) == piece


def test_reading_on_other_threads_while_it_grows_gives_what_was_written() -> None:
    piece = b"0123456789abcdef" * (MIB // 16)
    with Spool() as spool, ThreadPoolExecutor(max_workers=2) as threads:
        reads = [threads.submit(spool.read, spool.append(piece), MIB) for _ in range(40)]

        assert all(read.result() == piece for read in reads)


def test_what_memory_holds_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with Spool() as spool:
        offset = spool.append(bytes(MIB))

        assert spool.read(offset, MIB) == bytes(MIB)
        with pytest.raises(FileNotFoundError):
            spool.append(bytes(8 * MIB))


@pytest.mark.parametrize("kept", [0, 1, 5, 12, 19])
def test_what_is_truncated_gives_its_place_to_what_follows(kept: int) -> None:
    pieces = [bytes([number]) * MIB for number in range(20)]
    with Spool() as spool:
        offsets = [spool.append(piece) for piece in pieces]

        spool.truncate(offsets[kept])

        assert spool.size == offsets[kept]
        more = [spool.append(piece) for piece in reversed(pieces)]
        assert more[0] == offsets[kept]
        assert [spool.read(offset, MIB) for offset in offsets[:kept]] == pieces[:kept]
        assert [spool.read(offset, MIB) for offset in more] == list(reversed(pieces))
