"""Of an archive's content, what is known is hashed only, and the rest is stored as any archive's."""

import hashlib
from collections.abc import Container, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.new_content import MAX_HELD_BYTES, NewContent, not_kept
from packyard.oci.content import Content
from packyard.oci.image_fault import NotOurForm

KNOWN = {hashlib.sha256(content).hexdigest() for content in (b"known", b"ab" * 300_000, b"")}


def stored(files: list[list[bytes]], known: Container[str] = KNOWN) -> tuple[list[Content], int]:
    """Return what becomes of files, and how much of the spool they take."""
    with LayerSpool() as spool, NewContent(spool, known=known) as content:
        handles = [content.store(chunks) for chunks in files]
        content.finish()
        return [handle.content() for handle in handles], spool.size


@given(
    files=st.lists(
        st.lists(st.sampled_from([b"kn", b"own", b"known", b"new", b"", b"ab" * 100_000]), max_size=4),
        max_size=9,
    )
)
def test_only_new_content_is_kept_and_as_a_new_pack_s(files: list[list[bytes]]) -> None:
    contents = [b"".join(chunks) for chunks in files]
    new = [content for content in contents if hashlib.sha256(content).hexdigest() not in KNOWN]
    with LayerSpool() as other:
        wanted = [other.store([content]) for content in new]

        found, size = stored(files)

        assert [content for content in found if content.sha256 not in KNOWN] == wanted
        assert size == other.size
        assert [(content.size, content.sha256) for content in found] == [
            (len(content), hashlib.sha256(content).hexdigest()) for content in contents
        ]
        assert [not_kept(content) for content in found] == [
            content != b"" and hashlib.sha256(content).hexdigest() in KNOWN for content in contents
        ]


def test_a_file_too_large_to_be_held_is_kept_though_it_is_known() -> None:
    chunk = bytes(256 << 10)
    count = MAX_HELD_BYTES // len(chunk) + 1

    (content,), _ = stored([[chunk] * count], known={hashlib.sha256(chunk * count).hexdigest()})

    assert sum(piece.raw_size for piece in content.pieces) == content.size == count * len(chunk)


def test_content_can_be_had_again_unless_it_is_known() -> None:
    with LayerSpool() as spool, NewContent(spool, known=KNOWN) as content:
        new, known = content.store([b"ne", b"w"]), content.store([b"known"])

        assert content.fetch(new) == b"new"
        with pytest.raises(NotOurForm):
            content.fetch(known)


def test_what_the_archive_raises_passes_through() -> None:
    def cut_off() -> Iterator[bytes]:
        yield b"some"
        raise EOFError

    with pytest.raises(EOFError), LayerSpool() as spool, NewContent(spool, known=KNOWN) as content:
        content.store(cut_off())
