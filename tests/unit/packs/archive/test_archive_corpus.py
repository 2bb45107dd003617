"""Every archive of the corpus is taken, or refused, as the table says."""

import io
import time
import zlib
from pathlib import Path

import pytest
from tests.corpus import build
from tests.corpus.cases import (
    ACCEPT_FOLDER,
    EXPECTED_FILE,
    REJECT_FOLDER,
    CorpusCase,
    accept_cases,
    reject_cases,
)
from tests.corpus.reading import DEFAULT_LIMITS, DroppedContents, read, seen_by_python, seen_by_us

from packyard.errors import InvalidRequest
from packyard.packs.archive.reader import read_archive

_MANY_BYTES = 32 * 1024 * 1024
_SLOWEST_SECONDS = 2


def _essence(file: bytes) -> bytes:
    """What must be the same wherever the corpus is built: what it inflates to, or all of it if that is nothing."""
    inflater = zlib.decompressobj(31)
    try:
        inflated = inflater.decompress(file, _MANY_BYTES)
    except zlib.error:
        return file
    return inflated if inflater.eof and not inflater.unused_data else file


def test_building_the_corpus_again_gives_what_is_committed() -> None:
    folder = EXPECTED_FILE.parent
    committed = [*ACCEPT_FOLDER.iterdir(), *REJECT_FOLDER.iterdir(), EXPECTED_FILE]
    built = build.files()
    assert {path.relative_to(folder).as_posix() for path in committed} == built.keys()
    assert [
        path.name
        for path in committed
        if _essence(path.read_bytes()) != _essence(built[path.relative_to(folder).as_posix()])
    ] == []


def test_the_corpus_is_large_in_cases_and_small_in_bytes() -> None:
    sizes = [case.path.stat().st_size for case in (*accept_cases(), *reject_cases())]
    assert len(accept_cases()) >= 40
    assert len(reject_cases()) >= 80
    assert sum(sizes) < 6_000_000
    assert max(sizes) < 4_400_000, "every case must fit into one request"


@pytest.mark.parametrize("case", accept_cases(), ids=str)
def test_is_taken_for_what_python_takes_it_for(case: CorpusCase) -> None:
    archive = case.path.read_bytes()
    contents = read(archive)
    seen = seen_by_python(archive)
    root = "" if contents.manifest.file in seen else next(iter(seen)).partition("/")[0] + "/"
    assert {root + path: file for path, file in seen_by_us(contents).items()} == seen


@pytest.mark.parametrize("case", reject_cases(), ids=str)
def test_is_refused_by_the_field_that_is_wrong(case: CorpusCase) -> None:
    started = time.process_time()
    with pytest.raises(InvalidRequest) as refusal:
        _read_from(case.path)
    assert case.field in refusal.value.fields
    assert time.process_time() - started < _SLOWEST_SECONDS


def _read_from(path: Path) -> None:
    read_archive(io.BytesIO(path.read_bytes()), limits=DEFAULT_LIMITS, contents=DroppedContents())
