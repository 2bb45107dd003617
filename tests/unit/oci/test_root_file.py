"""Finding `pack.yaml` in one layer, as Docker, containerd and others write layers, and as nobody should."""

import io
import subprocess
import tarfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.foreign_images import PACK_YAML, Member, gzipped, named, pieces, tar
from tests.witnesses import run, witness

from packyard.oci.image_fault import ImageFault
from packyard.oci.root_file import Absence, LayerLimits, look_in_layer

LIMITS = LayerLimits(unpacked_bytes=1 << 20, members=50, file_bytes=64)
END = bytes(1024)
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LONG = "d" * 90 + "/" + "f" * 160


def look(content: bytes, *, limits: LayerLimits = LIMITS) -> bytes | Absence:
    return look_in_layer(pieces(content, 700), "pack.yaml", limits=limits)


def block(
    name: bytes, *, kind: bytes = b"0", size: bytes = b"00000000000\0", magic: bytes = b"ustar\00000"
) -> bytes:
    """Return a header block with a right checksum, whatever else is in it."""
    fields = name.ljust(100, b"\0") + bytes(24) + size + bytes(12) + b" " * 8 + kind + bytes(100) + magic
    padded = bytearray(fields.ljust(512, b"\0"))
    padded[148:156] = b"%06o\0 " % sum(padded)
    return bytes(padded)


def pax(records: bytes) -> bytes:
    return block(b"pax", kind=b"x", size=b"%011o\0" % len(records)) + records.ljust(512, b"\0")


FILE = tar(("pack.yaml", PACK_YAML))[:-9216]  # without what tarfile pads with
FOUND: dict[str, tuple[Member, ...]] = {
    "alone": (("pack.yaml", PACK_YAML),),
    "below-the-dot": (named(".", type=tarfile.DIRTYPE), ("./pack.yaml", PACK_YAML)),
    "absolute": (("/pack.yaml", PACK_YAML),),
    "by-a-detour": (("guides/../pack.yaml", PACK_YAML),),
    "after-everything": (("a", b"1" * 600), ("b", b""), ("pack.yaml", PACK_YAML)),
    "before-everything": (("pack.yaml", PACK_YAML), ("x/pack.yaml", b"another")),
    "the-later-of-two": (("pack.yaml", b"earlier"), ("pack.yaml", PACK_YAML)),
    "after-a-link-of-its-name": (
        named("pack.yaml", type=tarfile.SYMTYPE, linkname="elsewhere"),
        ("pack.yaml", PACK_YAML),
    ),
    "beside-its-own-whiteout": (("pack.yaml", PACK_YAML), (".wh.pack.yaml", b"")),
    "after-its-own-whiteout": ((".wh.pack.yaml", b""), ("pack.yaml", PACK_YAML)),
    "beside-an-opaque-whiteout": (("pack.yaml", PACK_YAML), (".wh..wh..opq", b"")),
    "among-members-of-all-kinds": (
        named("link", type=tarfile.SYMTYPE, linkname="pack.yaml"),
        named("hard", type=tarfile.LNKTYPE, linkname="pack.yaml"),
        named("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        named("dev/sda", type=tarfile.BLKTYPE, devmajor=8),
        named("run/pipe", type=tarfile.FIFOTYPE),
        named("odd", type=b"Z"),
        ("pack.yaml", PACK_YAML),
    ),
    "after-long-names": (
        (LONG, b"x" * 700),
        named("l", type=tarfile.SYMTYPE, linkname=LONG),
        ("pack.yaml", PACK_YAML),
    ),
    "owned-by-large-numbers": (
        named("big", uid=2**40, gid=2**40, mtime=-1.5),
        named("pack.yaml", uid=2**40, type=tarfile.LNKTYPE),
        ("pack.yaml", PACK_YAML),
    ),
    "with-attributes": (
        named("x", pax_headers={"SCHILY.xattr.security.capability": "\x01" * 5000}),
        ("pack.yaml", PACK_YAML),
    ),
}
SILENT: dict[str, tuple[Member, ...]] = {
    "nothing": (),
    "another-file": (("README.md", b"x"),),
    "the-name-deeper-down": (("a/pack.yaml", b"x"), ("/a/b/pack.yaml", b"x"), ("./a/./pack.yaml", b"x")),
    "a-longer-name": (("my-pack.yaml", b"x"), ("pack.yaml.bak", b"x"), ("pack.yaml/README", b"x")),
    "whiteouts-of-others": ((".wh.pack", b""), ("a/.wh.pack.yaml", b""), ("a/.wh..wh..opq", b"")),
    "a-link-to-it": (named("link", type=tarfile.SYMTYPE, linkname="pack.yaml"),),
}
HIDDEN: dict[str, tuple[Member, ...]] = {
    "a-whiteout": ((".wh.pack.yaml", b""),),
    "a-whiteout-below-the-dot": (("./.wh.pack.yaml", b""),),
    "an-opaque-whiteout": ((".wh..wh..opq", b""),),
    "an-absolute-opaque-whiteout": (("a", b"x"), ("/.wh..wh..opq", b""), ("b", b"x")),
}


@pytest.mark.parametrize("members", FOUND.values(), ids=FOUND)
def test_the_file_is_found(members: tuple[Member, ...]) -> None:
    assert look(tar(*members)) == PACK_YAML


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_it_is_found_in_any_format(form: int) -> None:
    members = (("d/" + "f" * 90, b"x" * 1000), ("pack.yaml", PACK_YAML))

    assert look(tar(*members, format=form)) == PACK_YAML
    assert look(gzipped(tar(*members, format=form))) == PACK_YAML


@pytest.mark.parametrize("members", SILENT.values(), ids=SILENT)
def test_a_layer_may_say_nothing_of_it(members: tuple[Member, ...]) -> None:
    assert look(tar(*members)) is Absence.SILENT


@pytest.mark.parametrize("members", HIDDEN.values(), ids=HIDDEN)
def test_a_layer_may_hide_it(members: tuple[Member, ...]) -> None:
    assert look(tar(*members)) is Absence.HIDDEN


@pytest.mark.parametrize(
    "member",
    [
        named("pack.yaml", type=tarfile.SYMTYPE, linkname="other.yaml"),
        named("pack.yaml", type=tarfile.LNKTYPE, linkname="other.yaml"),
        named("./pack.yaml", type=tarfile.DIRTYPE),
        named("pack.yaml", type=tarfile.FIFOTYPE),
        named("pack.yaml", type=tarfile.CHRTYPE),
        named("pack.yaml", type=tarfile.CONTTYPE),
        named("pack.yaml", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}),
    ],
    ids=["symbolic-link", "hard-link", "directory", "pipe", "device", "contiguous-file", "sparse-file"],
)
def test_what_has_its_name_but_is_no_regular_file_is_refused(member: tarfile.TarInfo) -> None:
    with pytest.raises(ImageFault, match="not a regular file"):
        look(tar(("other.yaml", PACK_YAML), ("pack.yaml", PACK_YAML), member))


def test_of_a_file_that_is_too_large_only_a_little_too_much_is_kept() -> None:
    assert look(tar(("pack.yaml", b"x" * 5000))) == b"x" * 65


@pytest.mark.parametrize(
    "content",
    [b"", bytes(512), END, END + b"whatever follows", bytes(10240)],
    ids=["nothing", "one-block", "two-blocks", "more", "many-blocks"],
)
def test_a_layer_may_be_empty(content: bytes) -> None:
    assert look(content) is Absence.SILENT


def test_a_tar_needs_no_end_marker() -> None:
    assert look(FILE) == PACK_YAML
    assert look(FILE + bytes(512)) == PACK_YAML
    assert look(FILE.rstrip(b"\0")) == PACK_YAML


def test_what_follows_the_end_marker_is_not_looked_at() -> None:
    assert look(END + FILE) is Absence.SILENT


FOUND_IN_BYTES = {
    "v7": block(b"pack.yaml", size=b"%011o\0" % 4, magic=b"") + b"v7".ljust(512, b"\0"),
    "old-type": block(b"pack.yaml", kind=b"\0", size=b"%11o " % 4) + b"v7".ljust(512, b"\0"),
    "base-256": block(b"pack.yaml", size=b"\x80" + bytes(10) + b"\x04") + b"v7".ljust(512, b"\0"),
    "size-in-a-record": pax(b"9 size=4\n") + block(b"pack.yaml") + b"v7".ljust(512, b"\0"),
    "times-in-place-of-a-gnu-prefix": block(
        b"pack.yaml", size=b"%011o\0" % 4, magic=b"ustar  \0".ljust(88, b"\0") + b"1" * 24
    )
    + b"v7".ljust(512, b"\0"),
    "star-times-behind-the-prefix": block(
        b"pack.yaml",
        size=b"%011o\0" % 4,
        magic=b"ustar\00000".ljust(219, b"\0") + b"1" * 24 + bytes(8) + b"tar\0",
    )
    + b"v7".ljust(512, b"\0"),
    "a-link-that-states-a-size": block(b"x", kind=b"1", size=b"%011o\0" % 512) + FILE,
    "an-old-directory": block(b"d/", kind=b"\0", magic=b"") + FILE,
    "a-global-header-with-a-path": block(b"g", kind=b"g", size=b"%011o\0" % 17)
    + b"17 path=whatever\n".ljust(512, b"\0")
    + FILE,
    "a-gnu-name-over-a-pax-path": block(b"L", kind=b"L", size=b"%011o\0" % 10)
    + b"pack.yaml\0".ljust(512, b"\0")
    + pax(b"10 path=x\n")
    + block(b"y", size=b"%011o\0" % 4)
    + b"v7".ljust(512, b"\0"),
    "gnu-sparse-members": block(
        b"sparse", kind=b"S", size=b"%011o\0" % 512, magic=b"ustar  \0".ljust(225, b"\0") + b"\x01"
    )
    + b"1" * 504
    + b"\x01"
    + bytes(7)
    + bytes(512)
    + b"d" * 512
    + FILE,
}


@pytest.mark.parametrize("content", FOUND_IN_BYTES.values(), ids=FOUND_IN_BYTES)
def test_what_other_writers_put_down_is_understood(content: bytes) -> None:
    assert look(content + END) in (PACK_YAML, b"v7\0\0")


UNREADABLE = {
    "text": b"not a tar at all".ljust(512, b"!"),
    "less-than-a-block": b"x" * 100,
    "wrong-checksum": FILE.replace(b"pack.yaml", b"pack.yamm", 1),
    "cut-off-in-the-content": FILE[:520],
    "cut-off-in-a-header": FILE[:300],
    "one-zero-block-and-more": bytes(512) + FILE,
    "negative-size": block(b"x", size=b"\xff" * 12),
    "size-that-is-no-number": block(b"x", size=b"12345678\xc0\xc1\xc2\0"),
    "size-of-digits-beyond-octal": block(b"x", size=b"00000000089\0"),
    "enormous-size": block(b"x", size=b"\x80" + b"\xff" * 11),
    "enormous-size-in-a-record": pax(b"28 size=9999999999999999999\n") + block(b"x"),
    "size-in-a-record-that-is-no-number": pax(b"10 size=x\n") + block(b"x"),
    "extension-of-a-gigabyte": block(b"x", kind=b"x", size=b"%011o\0" % (1 << 30)),
    "name-of-a-gigabyte": block(b"x", kind=b"L", size=b"%011o\0" % (1 << 30)),
    "extensions-without-end": block(b"x", kind=b"L") * 100 + FILE,
    "global-headers-without-end": block(b"x", kind=b"g") * 100 + FILE,
    "record-without-a-length": pax(b" path=x\n"),
    "record-of-length-zero": pax(b"0 path=x\n"),
    "record-longer-than-its-header": pax(b"99 path=x\n"),
    "record-without-a-key": pax(b"8 path\n\n"),
    "record-with-a-long-length": pax(b"0000000000012 path=x\n"),
    "sparse-map-without-end": block(b"x", kind=b"S", magic=b"ustar  \0".ljust(225, b"\0") + b"\x01")
    + b"1" * 5120,
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_tar_is_a_fault_of_the_image(content: bytes) -> None:
    with pytest.raises(ImageFault):
        look(content)


def test_the_unpacked_size_is_bounded() -> None:
    with pytest.raises(ImageFault, match="unpacks to more than 1048576 bytes"):
        look(gzipped(tar(("zeros", bytes(2 << 20)))))


def test_members_are_bounded() -> None:
    with pytest.raises(ImageFault, match="more than 50 members"):
        look(tar(*((f"file-{number}", b"") for number in range(51))))


def test_a_large_layer_is_read_in_little_memory() -> None:
    content = gzipped(tar(("zeros", bytes(200 << 20)), ("pack.yaml", PACK_YAML)))
    tracemalloc.start()
    try:
        assert look(content, limits=LayerLimits()) == PACK_YAML
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 << 20


@pytest.mark.parametrize("form", ["v7", "ustar", "gnu", "oldgnu", "posix"])
def test_layers_from_gnu_tar_are_read(form: str, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_bytes(PACK_YAML)
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "link").symlink_to("../pack.yaml")
    with (tmp_path / "dir" / "sparse").open("wb") as sparse:
        for at in range(0, 20 << 20, 1 << 20):
            sparse.seek(at)
            sparse.write(b"x")
    options = ["--sparse"] if form in ("gnu", "oldgnu", "posix") else ["--exclude=./dir/sparse"]

    made = run("tar", f"--format={form}", "--sort=name", *options, "-C", str(tmp_path), "-c", ".")

    assert look(made, limits=LayerLimits()) == PACK_YAML


@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0"])
def test_every_way_to_note_holes_is_passed_over(version: str, tmp_path: Path) -> None:
    with (tmp_path / "a-sparse-file").open("wb") as sparse:
        for at in range(0, 4 << 20, 1 << 20):
            sparse.seek(at)
            sparse.write(b"x")
    (tmp_path / "pack.yaml").write_bytes(PACK_YAML)

    made = run(
        "tar",
        "--format=posix",
        "--sparse",
        f"--sparse-version={version}",
        "-C",
        str(tmp_path),
        "-c",
        "a-sparse-file",
        "pack.yaml",
    )

    assert look(made, limits=LayerLimits()) == PACK_YAML


def test_a_sparse_file_of_the_name_is_no_regular_file(tmp_path: Path) -> None:
    with (tmp_path / "pack.yaml").open("wb") as sparse:
        sparse.seek(1 << 20)
        sparse.write(b"x")
    made = subprocess.run(  # noqa: S603 - a witness
        [witness("tar"), "--format=posix", "--sparse", "-C", str(tmp_path), "-c", "pack.yaml"],
        capture_output=True,
        check=True,
    ).stdout

    with pytest.raises(ImageFault, match="not a regular file"):
        look(made, limits=LayerLimits())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["pack.yaml", "./pack.yaml", ".wh.pack.yaml", ".wh..wh..opq", "a/b", "x/" * 60 + "x"]
            ),
            st.binary(max_size=60),
        ),
        max_size=8,
    ),
    st.sampled_from(list(FORMATS.values())),
)
def test_it_is_what_python_s_tarfile_would_unpack(members: list[tuple[str, bytes]], form: int) -> None:
    made = tar(*members, format=form)
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        unpacked = {member.name.removeprefix("./"): archive.extractfile(member) for member in archive}
    content = unpacked.get("pack.yaml")
    hidden = {".wh.pack.yaml", ".wh..wh..opq"} & unpacked.keys()

    expected = content.read() if content else Absence.HIDDEN if hidden else Absence.SILENT
    assert look(made) == expected


@given(st.binary(max_size=2048), st.integers(0, 2000))
def test_any_damage_is_a_fault_or_none(noise: bytes, at: int) -> None:
    damaged = bytearray(tar(("a", b"x" * 100), ("pack.yaml", PACK_YAML)))
    damaged[at : at + len(noise)] = noise

    with suppress(ImageFault):
        look(bytes(damaged))
