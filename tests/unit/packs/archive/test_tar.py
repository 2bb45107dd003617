"""What the tar reader makes of archives, byte for byte the same as other readers, or nothing at all."""

import io
import os
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.gzip_bytes import gzipped
from tests.corpus.tar_bytes import END, base_256, directory, file, header, link, pax, record
from tests.reliability.hostile_tars import changed_tars

from packyard.errors import InvalidRequest
from packyard.packs.archive.gzip_stream import GzipStream
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.pax import parse_pax_records
from packyard.packs.archive.tar import TarReader
from packyard.packs.archive.tar_header import parse_tar_header
from packyard.packs.archive.tar_member import MemberKind

LIMITS = ArchiveLimits()


def _reader(tar: bytes, limits: ArchiveLimits = LIMITS) -> TarReader:
    return TarReader(GzipStream(io.BytesIO(gzipped(tar)), limits=limits), limits=limits)


def _seen_by_us(tar: bytes) -> list[tuple[bytes, bool, bytes, bytes]] | None:
    reader = _reader(tar)
    seen = []
    for member in reader:
        if member.kind is MemberKind.REFUSED:
            return None
        link_name = member.link_name if member.kind is MemberKind.HARD_LINK else b""
        name = member.name.rstrip(b"/") if member.kind is MemberKind.DIRECTORY else member.name
        seen.append((name, member.executable, link_name, b"".join(reader.content())))
    return seen


def _seen_by_python(tar: bytes) -> list[tuple[bytes, bool, bytes, bytes]]:
    seen = []
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            link_name = os.fsencode(member.linkname) if member.islnk() else b""
            row = (
                os.fsencode(member.name),
                bool(member.mode & 0o111),
                link_name,
                content.read() if content else b"",
            )
            seen.append(row)
    return seen


@settings(max_examples=400)
@given(changed_tars())
def test_what_is_taken_is_what_python_sees(tar: bytes) -> None:
    try:
        seen = _seen_by_us(tar)
    except InvalidRequest:
        return
    if seen is not None:
        assert seen == _seen_by_python(tar)


@given(st.binary(max_size=1_200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(InvalidRequest):
        list(_reader(b"x" + noise))


def test_members_come_in_order_with_their_content() -> None:
    reader = _reader(
        directory("data/")
        + file("data/a", b"x" * 700, mode=0o755)
        + link("data/b", "data/a")
        + file("c")
        + END
    )
    seen = [
        (
            member.name,
            member.kind,
            member.size,
            member.executable,
            member.link_name,
            b"".join(reader.content()),
        )
        for member in reader
    ]
    assert seen == [
        (b"data/", MemberKind.DIRECTORY, 0, True, b"", b""),
        (b"data/a", MemberKind.FILE, 700, True, b"", b"x" * 700),
        (b"data/b", MemberKind.HARD_LINK, 0, False, b"data/a", b""),
        (b"c", MemberKind.FILE, 0, False, b"", b""),
    ]


def test_content_that_is_not_read_is_skipped() -> None:
    reader = _reader(file("a", b"x" * 5_000) + file("b", b"y" * 600) + file("c", b"z") + END)
    names = []
    for member in reader:
        names.append(member.name)
        if member.name == b"b":
            assert next(reader.content())[:1] == b"y"
    assert names == [b"a", b"b", b"c"]


def test_members_up_to_the_limit_are_read_and_extension_headers_are_not_counted() -> None:
    limits = ArchiveLimits(members=2)
    two = pax(record("mtime", "1")) + file("a") + pax(record("mtime", "1")) + file("b")
    assert len(list(_reader(two + END, limits))) == 2
    with pytest.raises(InvalidRequest, match="more than 2 members"):
        list(_reader(two + file("c") + END, limits))


def test_a_refusal_states_the_offset_of_the_header() -> None:
    with pytest.raises(InvalidRequest, match="header of c at byte 2048"):
        list(_reader(file("a", b"x" * 600) + file("b") + header(b"c", size=b"garbage") + END))


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(1024), bytes(1100), bytes(10_240)])
def test_zeros_or_nothing_end_an_archive(end: bytes) -> None:
    assert len(list(_reader(file("a") + end))) == 1


@pytest.mark.parametrize(
    ("size", "value"),
    [
        (b"00000000017\0", 15),
        (b"        17 \0", 15),
        (b"17 \0\0\0\0\0\0\0\0\0", 15),
        (b"000000000017", 15),
        (base_256(15, width=12), 15),
        (base_256(2**62, width=12), 2**62),
        (bytes(12), 0),
        (b" " * 11 + b"\0", 0),
        (b"17\0 left over", 15),
    ],
)
def test_numbers_are_read_as_writers_write_them(size: bytes, value: int) -> None:
    assert parse_tar_header(header(b"a", size=size)).size == value


def test_extended_headers_are_read_record_by_record() -> None:
    payload = record("path", "guides/é") + record("SCHILY.xattr.user.a", b"\n=\xff") + record("comment", "")
    assert parse_pax_records(payload) == {
        b"path": "guides/é".encode(),
        b"SCHILY.xattr.user.a": b"\n=\xff",
        b"comment": b"",
    }


@given(
    st.dictionaries(
        st.from_regex(r"[a-z.]{1,12}", fullmatch=True).filter(lambda k: k not in {"path", "size"}),
        st.binary(max_size=120),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_records_say_they_are_taken_apart_as_they_were_put_together(
    values: dict[str, bytes],
) -> None:
    values.pop("linkpath", None)
    values.pop("hdrcharset", None)
    payload = b"".join(record(key, value) for key, value in values.items())
    assert parse_pax_records(payload) == {key.encode(): value for key, value in values.items()}
