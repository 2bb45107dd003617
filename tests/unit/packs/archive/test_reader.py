import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.accept_cases import GUIDE, MANIFEST, PACK, packed
from tests.corpus.cases import accept_cases
from tests.corpus.reading import DEFAULT_LIMITS, KeptContents, SeenFile, read, seen_by_us
from tests.corpus.tar_bytes import END, directory, file, header, link
from tests.witnesses import run

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive.contents import ArchivedFiles, PackFile
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive, read_files

SMALL_ARCHIVES = [case.path.read_bytes() for case in accept_cases() if case.path.stat().st_size < 8_192]

NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\"), min_size=1, max_size=12
).filter(lambda name: name not in {".", ".."} and not name.startswith((".wh.", "._")) and name != ".DS_Store")


def _fields(archive: bytes, *, limits: ArchiveLimits = DEFAULT_LIMITS) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refusal:
        read(archive, limits=limits)
    return refusal.value.fields


def test_a_pack_is_its_manifest_and_its_files_and_directories_in_order() -> None:
    contents = read(
        packed(
            file("w/scripts/run.sh", b"#!", mode=0o700),
            directory("w/guides/empty/"),
            file("w/README.md", b"hello"),
            file("w/pack.yaml", MANIFEST),
            file("w/data/a/b.bin", b"\0"),
        )
    )
    assert (contents.manifest.name, contents.manifest.version) == ("slack", "1.4.0")
    assert contents.directories == ("data", "data/a", "guides", "guides/empty", "scripts")
    assert contents.files == (
        PackFile("README.md", 5, executable=False, content=b"hello"),
        PackFile("data/a/b.bin", 1, executable=False, content=b"\0"),
        PackFile("pack.yaml", len(MANIFEST), executable=False, content=MANIFEST),
        PackFile("scripts/run.sh", 2, executable=True, content=b"#!"),
    )


def test_contents_are_stored_once_each_in_the_order_of_the_archive() -> None:
    store = KeptContents()
    archive = packed(GUIDE, PACK, file("._x", b"litter"), link("data/copy", "pack.yaml"), file("data/empty"))
    read_archive(io.BytesIO(archive), limits=DEFAULT_LIMITS, contents=store)
    assert store.stored == [b"# Start\n", MANIFEST, b""]


def test_a_hard_link_shares_content_and_mode_with_the_file_it_names() -> None:
    contents = read(
        packed(PACK, file("data/a", b"content", mode=0o755), link("data/b", "data/a", mode=0o755))
    )
    a, b, _ = contents.files
    assert (b.path, b.size, b.executable) == ("data/b", 7, True)
    assert b.content is a.content


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    fields = _fields(
        packed(
            file("pack.yaml", b"name: Not A Slug\nversion: 1.4.0\nbogus: 1\n"),
            link("data/a", "/etc/passwd", kind=b"2"),
            file("../x"),
            file("Makefile"),
            GUIDE,
            GUIDE,
        )
    )
    assert fields.keys() == {
        "archive:data/a",
        "archive:../x",
        "archive:Makefile",
        "archive:guides/start.md",
        "pack.yaml:name",
        "pack.yaml:bogus",
    }


def test_faults_found_before_a_truncated_archive_s_end_are_reported_too() -> None:
    assert _fields(packed(PACK, file("/x"), header(b"y", size=b"garbage"))).keys() == {
        "archive:/x",
        "archive",
    }


def test_nothing_is_stored_after_the_first_fault() -> None:
    store = KeptContents()
    with pytest.raises(InvalidRequest):
        read_archive(
            io.BytesIO(packed(PACK, file("/x", b"x"), GUIDE, link("data/b", "guides/start.md"))),
            limits=DEFAULT_LIMITS,
            contents=store,
        )
    assert store.stored == [MANIFEST]


def test_faults_are_listed_up_to_a_hundred() -> None:
    fields = _fields(
        packed(PACK, *(file(f"data/{n}\x01") for n in range(150)), header(b"x", size=b"garbage"))
    )
    assert len(fields) == 101
    assert fields["archive"] == "has more faults than the first 100, which are listed"
    assert fields["archive:data/99\\x01"] == "the path holds a control character; rename the file"


def test_a_hundred_faults_in_all_need_no_summary() -> None:
    fields = _fields(packed(PACK, *(file(f"data/{n}\x01") for n in range(100))))
    assert len(fields) == 100
    assert "archive" not in fields


@pytest.mark.parametrize("error", [ValueError("closed file"), OSError("disk full")], ids=repr)
def test_a_failure_of_the_store_is_not_reported_as_a_fault_of_the_archive(error: Exception) -> None:
    class Failing:
        def store(self, chunks: Iterable[bytes]) -> bytes:
            raise error if any(chunks) else AssertionError

        def fetch(self, stored: bytes) -> bytes:
            return stored

    with pytest.raises(type(error), match=str(error)):
        read_archive(io.BytesIO(packed(PACK)), limits=DEFAULT_LIMITS, contents=Failing())


def test_a_store_that_does_not_read_to_the_end_does_not_derail_the_reader() -> None:
    class Impatient:
        def store(self, chunks: Iterable[bytes]) -> bytes:
            return next(iter(chunks), b"")

        def fetch(self, stored: bytes) -> bytes:
            return stored

    archive = packed(file("data/a", b"x" * 3_000), PACK, GUIDE)
    contents = read_archive(io.BytesIO(archive), limits=DEFAULT_LIMITS, contents=Impatient())
    assert [file.path for file in contents.files] == ["data/a", "guides/start.md", "pack.yaml"]


def test_every_limit_is_inclusive() -> None:
    tar = PACK + file("data/a", b"x" * 600) + link("data/b", "data/a") + END
    archive = gzip.compress(tar)
    exact = ArchiveLimits(
        compressed_bytes=len(archive),
        unpacked_bytes=len(tar) + 600,
        members=3,
        path_bytes=len("pack.yaml"),
        path_depth=2,
        manifest_bytes=len(MANIFEST),
    )
    assert len(read(archive, limits=exact).files) == 3


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (ArchiveLimits(unpacked_bytes=4_095 + 600), "archive"),
        (ArchiveLimits(unpacked_bytes=3_584), "archive"),
        (ArchiveLimits(members=2), "archive"),
        (ArchiveLimits(path_bytes=8), "archive:pack.yaml"),
        (ArchiveLimits(path_depth=1), "archive:data/a"),
        (ArchiveLimits(manifest_bytes=len(MANIFEST) - 1), "pack.yaml"),
    ],
    ids=["unpacked-with-links", "unpacked", "members", "path-bytes", "path-depth", "manifest"],
)
def test_one_over_a_limit_is_refused(limits: ArchiveLimits, field: str) -> None:
    tar = PACK + file("data/a", b"x" * 600) + link("data/b", "data/a") + END
    assert len(tar) == 4_096
    assert field in _fields(gzip.compress(tar), limits=limits)


def test_a_file_over_the_compressed_limit_is_too_large_whatever_else_is_wrong() -> None:
    archive = packed(PACK, file("/x"))
    with pytest.raises(PayloadTooLarge):
        read(archive, limits=ArchiveLimits(compressed_bytes=len(archive) - 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_our_own_words(noise: bytes) -> None:
    _fields(noise)
    _fields(gzip.compress(noise))


@given(st.sampled_from(SMALL_ARCHIVES), st.data())
def test_a_damaged_archive_is_refused_or_still_a_pack(archive: bytes, data: st.DataObject) -> None:
    damaged = bytearray(archive)
    for _ in range(data.draw(st.integers(min_value=1, max_value=4))):
        at = data.draw(st.integers(min_value=0, max_value=len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(min_value=0, max_value=3))] = data.draw(st.binary(max_size=3))
    try:
        contents = read(bytes(damaged))
    except InvalidRequest as refusal:
        assert refusal.fields  # noqa: PT017 - both outcomes are right
    else:
        assert contents.files


@given(
    tree=st.dictionaries(
        st.lists(NAMES.map(lambda name: name + "_"), max_size=3).map("/".join),
        st.tuples(st.binary(max_size=1_500), st.booleans()),
        max_size=8,
    ),
    tar_format=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    wrapper=st.sampled_from(["", "./", "slack/", "./slack/"]),
)
def test_any_tree_that_python_packs_reads_back_the_same(
    tree: dict[str, tuple[bytes, bool]], tar_format: int, wrapper: str
) -> None:
    # A suffix per level keeps a file from standing where another's directory does.
    files = {f"data/{path}{number}f": seen for number, (path, seen) in enumerate(tree.items())}
    files["pack.yaml"] = (MANIFEST, False)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tar_format) as archive:
        for path, (content, executable) in files.items():
            info = tarfile.TarInfo(wrapper + path)
            info.size = len(content)
            info.mode = 0o755 if executable else 0o644
            archive.addfile(info, io.BytesIO(content))
    try:
        contents = read(buffer.getvalue())
    except InvalidRequest as refusal:
        # Two spellings of one path are the only thing that such a tree can have against it.
        assert all("Unicode spelling" in reason for reason in refusal.fields.values())  # noqa: PT017
    else:
        assert seen_by_us(contents) == {path: SeenFile(*seen) for path, seen in files.items()}


@pytest.mark.parametrize("wrapper", [".", "slack"])
@pytest.mark.parametrize("tar_format", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_what_gnu_tar_packs_reads_back_the_same(tmp_path: Path, tar_format: str, wrapper: str) -> None:
    long_name = "n" * (60 if tar_format == "v7" else 90 if tar_format == "ustar" else 200)
    files = {
        "pack.yaml": SeenFile(MANIFEST, executable=False),
        f"data/{long_name}": SeenFile(b"x" * 100_000, executable=False),
        "guides/é 日本.md": SeenFile(b"", executable=False),
        "scripts/run.sh": SeenFile(b"#!/bin/sh\n", executable=True),
    }
    root = tmp_path / "slack"
    for path, seen in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(seen.content)
        (root / path).chmod(0o755 if seen.executable else 0o644)
    (root / "templates").mkdir()
    (root / "data" / "linked").hardlink_to(root / "scripts" / "run.sh")
    files["data/linked"] = files["scripts/run.sh"]
    archive = tmp_path / "slack.tar.gz"
    run(
        "tar",
        f"--format={tar_format}",
        "-C",
        str(root if wrapper == "." else tmp_path),
        "-czf",
        str(archive),
        wrapper,
    )
    contents = read(archive.read_bytes())
    assert seen_by_us(contents) == files
    assert contents.directories == ("data", "guides", "scripts", "templates")


def _files(*members: bytes) -> ArchivedFiles[bytes]:
    return read_files(io.BytesIO(packed(*members)), limits=DEFAULT_LIMITS, contents=KeptContents())


def _refused_files(*members: bytes) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refusal:
        _files(*members)
    return refusal.value.fields


def test_files_for_a_pack_come_by_their_paths_in_it_and_without_a_manifest() -> None:
    contents = _files(
        directory("./"), directory("./guides/"), file("./guides/a.md", b"a"), file("._guides", b"litter")
    )

    assert contents.manifest is None
    assert contents.directories == ("guides",)
    assert contents.files == (PackFile("guides/a.md", 1, executable=False, content=b"a"),)


def test_the_only_folder_of_an_archive_of_files_is_a_folder_of_the_pack() -> None:
    contents = _files(file("data/scripts/x.sh", b"#!", mode=0o755))

    assert [found.path for found in contents.files] == ["data/scripts/x.sh"]


def test_a_manifest_among_files_is_checked() -> None:
    assert _files(PACK).manifest == read(packed(PACK)).manifest
    assert _refused_files(GUIDE, file("pack.yaml", b"name: A\nversion: 1.0.0\n")).keys() == {"pack.yaml:name"}


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        ((file("guides/../x", b""),), "archive:guides/../x", "the path holds '..'"),
        ((GUIDE, GUIDE), "archive:guides/start.md", "is in the archive twice"),
        ((), "archive", "holds no file"),
        ((file(".DS_Store", b""),), "archive", "holds no file"),
        ((directory("./"),), "archive", "holds no file"),
    ],
)
def test_files_that_a_pack_cannot_take_are_refused(members: tuple[bytes, ...], field: str, says: str) -> None:
    fields = _refused_files(*members)

    assert fields[field].startswith(says)


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        ((file("slack/guides/a.md", b""),), "archive:slack", "is a folder around the files"),
        ((file("slack/pack.yaml", MANIFEST),), "archive:slack", "is a folder around the files"),
        ((file("slack/notes/a.md", b""),), "archive:slack", "is not one of pack.yaml"),
        ((file("a/guides/a.md", b""), file("b/x", b"")), "archive:a", "is not one of pack.yaml"),
    ],
)
def test_what_may_not_be_at_the_root_of_a_pack_is_left_to_who_knows_the_pack(
    members: tuple[bytes, ...], field: str, says: str
) -> None:
    assert _files(*members).misplaced[field].startswith(says)
    refused = _refused_files(*members, file("guides/../x", b""))
    assert refused[field].startswith(says)
