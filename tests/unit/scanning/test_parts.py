"""Cutting the files of a pack into requests to the scanner."""

from random import Random

import pytest

from packyard.oci.build.compression import compress_piece, inflate_pieces
from packyard.scanning import parts as module
from packyard.scanning.parts import FilePart, RawPiece, ScannableFile, requests

PIECE = 1000


def noise(size: int, seed: int = 0) -> bytes:
    return Random(seed).randbytes(size)  # noqa: S311 - the same each time


def file(path: str, content: bytes) -> ScannableFile:
    cut = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
    # The last piece has padding, as in a layer.
    padded = [*cut[:-1], cut[-1] + bytes(-len(content) % 512)] if cut else []
    return ScannableFile(
        path, len(content), lambda: [RawPiece(compress_piece(each), len(each)) for each in padded]
    )


def inflate(compressed: bytes, size: int) -> bytes:
    return inflate_pieces(compressed, size=size)


def content_of(part: FilePart) -> bytes:
    return inflate(part.compressed, part.raw_size)[: part.size] if part.raw_size else b""


def cut(*files: ScannableFile) -> list[list[FilePart]]:
    return list(requests(files, inflate=inflate))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REQUEST_CHARACTERS", 6000)


def test_small_files_go_in_one_request() -> None:
    (request,) = cut(file("a.md", b"# A\n"), file("empty", b""), file("b.md", b"# B\n"))

    assert [(part.path, content_of(part), part.first_line) for part in request] == [
        ("a.md", b"# A\n", 1),
        ("empty", b"", 1),
        ("b.md", b"# B\n", 1),
    ]


def test_no_files_are_no_request() -> None:
    assert cut() == []


@pytest.mark.usefixtures("small")
def test_what_does_not_fit_goes_in_the_next_request() -> None:
    sent = cut(*(file(f"{number}.bin", noise(900, number)) for number in range(12)))

    assert [part.path for request in sent for part in request] == [f"{number}.bin" for number in range(12)]
    assert len(sent) == 3
    assert all(sum(part.characters for part in request) <= 6000 for request in sent)


@pytest.mark.usefixtures("small")
def test_a_large_file_is_cut_and_every_part_begins_with_the_last_piece_of_the_one_before() -> None:
    whole = b"\n".join(noise(99, number).hex().encode() for number in range(100))
    sent = cut(file("large.txt", whole))

    parts = [part for request in sent for part in request]
    assert len(parts) > 2
    assert all(len(request) == 1 for request in sent)
    at = 0
    for part in parts:
        start = at
        assert content_of(part) == whole[start : start + len(content_of(part))]
        assert part.first_line == whole[:start].count(b"\n") + 1
        at = start + len(content_of(part)) - PIECE
    assert whole.endswith(content_of(parts[-1]))


def test_little_that_inflates_to_much_is_cut_by_what_it_inflates_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REQUEST_RAW_BYTES", 3 * PIECE)

    sent = cut(file("zeros.bin", bytes(10 * PIECE)))

    assert all(part.raw_size <= 3 * PIECE for request in sent for part in request)
    assert len(sent) == 5
