"""However an archive is made, reading it takes little memory, and no more of its bytes than needed."""

import io
import tracemalloc
from collections.abc import Callable, Iterable

import pytest
from tests.corpus.accept_cases import PACK
from tests.corpus.cases import REJECT_FOLDER
from tests.corpus.gzip_bytes import gzipped, zeros_gzipped
from tests.corpus.reading import DEFAULT_LIMITS, DroppedContents
from tests.corpus.tar_bytes import END, header

from packyard.errors import InvalidRequest
from packyard.packs.archive.limits import GIB, KIB, MIB
from packyard.packs.archive.reader import read_archive

_RUN = zeros_gzipped(4_065)
_RUN_BYTES = 1 + 258 * 4_065


class _Counted(io.BytesIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.count += len(piece)
        return piece


def _peak_memory(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _refuse(name: str) -> _Counted:
    stream = _Counted((REJECT_FOLDER / f"{name}.tar.gz").read_bytes())
    with pytest.raises(InvalidRequest, match="more than"):
        read_archive(stream, limits=DEFAULT_LIMITS, contents=DroppedContents())
    return stream


def test_a_gibibyte_of_zeros_in_one_file_passes_through_a_few_mebibytes() -> None:
    runs = (GIB - 10 * MIB) // _RUN_BYTES
    size = runs * _RUN_BYTES
    archive = (
        gzipped(PACK + header(b"data/zeros", size=size)) + _RUN * runs + gzipped(bytes(-size % 512) + END)
    )
    largest = 0

    class Measured:
        def store(self, chunks: Iterable[bytes]) -> int:
            nonlocal largest
            total = 0
            for chunk in chunks:
                largest = max(largest, len(chunk))
                total += len(chunk)
            return total

        def fetch(self, stored: int) -> bytes:
            raise NotImplementedError(stored)

    stream = io.BytesIO(archive)
    peak = _peak_memory(lambda: read_archive(stream, limits=DEFAULT_LIMITS, contents=Measured()))
    assert largest <= 256 * KIB
    assert peak < 4 * MIB


def test_a_gibibyte_behind_the_end_is_refused_in_a_few_mebibytes() -> None:
    assert _peak_memory(lambda: _refuse("bomb-behind-the-end")) < 8 * MIB


@pytest.mark.parametrize("name", ["bomb-in-one-file", "bomb-of-octal-size", "bomb-of-unpackable-size"])
def test_a_size_over_the_limit_is_refused_before_any_of_it_is_read(name: str) -> None:
    assert _refuse(name).count <= 256 * KIB


def test_twenty_thousand_members_fit_into_a_few_mebibytes() -> None:
    assert _peak_memory(lambda: _refuse("bomb-of-members")) < 32 * MIB
