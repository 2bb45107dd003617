"""Other people's readers and clients see what is in our images (docs/readers.md)."""

from typing import Final

import pytest
from tests.layer_readers.verdicts import DOCUMENT, KNOWN, Verdict, verdicts

# At least as many are there after `make test` has fetched what it needs.
_EVERYWHERE: Final = 50


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    return list(verdicts(tmp_path_factory.mktemp("readers")))


def test_every_reader_is_right_but_those_that_are_known_not_to_be(found: list[Verdict]) -> None:
    wrong = {verdict.reading.reader: verdict.reading for verdict in found if not verdict.right}

    assert wrong.keys() == KNOWN.keys() & {verdict.reading.reader for verdict in found}, wrong


def test_the_readers_that_come_with_the_tests_were_all_asked(found: list[Verdict]) -> None:
    assert len(found) >= _EVERYWHERE


def test_the_document_has_a_row_for_each(found: list[Verdict]) -> None:
    rows = DOCUMENT.read_text()

    assert [verdict.reading.reader for verdict in found if f"| {verdict.reading.reader} |" not in rows] == []
