"""Finding `pack.yaml` in one layer: layers as Docker, containerd and others write them, and malformed ones."""

import io
import subprocess
import tarfile
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.third_party_images import PACK_YAML, Member, gzipped, named, pieces, tar
from tests.witnesses import run, witness

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.read.root_file import Absence, FileSearch, HardLink

LIMITS = LayerLimits(unpacked_bytes=1 << 20, members=50, file_bytes=64)
END = bytes(1024)
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LONG = "d" * 90 + "/" + "f" * 160


def look(content: bytes, *, limits: LayerLimits = LIMITS) -> bytes | HardLink | Absence:
    return FileSearch("pack.yaml", limits=limits).look(pieces(content, 700))


def find(*layers: bytes) -> bytes | Absence:
    """Look through layers, the topmost first, and follow hard links."""
    search = FileSearch("pack.yaml", limits=LIMITS)
    left = list(layers)
    while left:
        found = search.look(pieces(left[0], 700))
        if isinstance(found, HardLink):
            search.follow(found)
        elif found is Absence.SILENT:
            left.pop(0)
        else:
            return found
    return Absence.SILENT


def block(
    name: bytes,
    *,
    kind: bytes = b"0",
    size: bytes = b"00000000000\0",
    magic: bytes = b"ustar\00000",
    owner: bytes = bytes(8),
) -> bytes:
    """Return a header block with a right checksum, whatever else is in it."""
    numbers = bytes(8) + owner + bytes(8) + size + bytes(12)
    fields = name.ljust(100, b"\0") + numbers + b" " * 8 + kind + bytes(100) + magic
    padded = bytearray(fields.ljust(512, b"\0"))
    padded[148:156] = b"%06o\0 " % sum(padded)
    return bytes(padded)


def signed(name: bytes) -> bytes:
    """Return a header whose checksum takes bytes for signed ones, as the first writers of tar did."""
    made = bytearray(block(name))
    total = int(made[148:154], 8) - 256 * sum(byte >> 7 for byte in name)
    made[148:156] = b"%06o\0 " % total
    return bytes(made)


def pax(records: bytes, *, kind: bytes = b"x") -> bytes:
    return block(b"pax", kind=kind, size=b"%011o\0" % len(records)) + records.ljust(512, b"\0")


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
        named("./pack.yaml", type=tarfile.DIRTYPE),
        named("pack.yaml", type=tarfile.FIFOTYPE),
        named("pack.yaml", type=tarfile.CHRTYPE),
        named("pack.yaml", type=tarfile.CONTTYPE),
        named("pack.yaml", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}),
    ],
    ids=["symbolic-link", "directory", "pipe", "device", "contiguous-file", "sparse-file"],
)
def test_a_member_of_that_name_that_is_not_a_regular_file_is_reported_as_such(
    member: tarfile.TarInfo,
) -> None:
    assert look(tar(("other.yaml", PACK_YAML), ("pack.yaml", PACK_YAML), member)) is Absence.NO_FILE


def hard(name: str, target: str) -> tarfile.TarInfo:
    return named(name, type=tarfile.LNKTYPE, linkname=target)


# mondoohq/mql PR #10482: OSTree keeps each content once, under its digest, and links every file to it.
OBJECT: Final = "sysroot/ostree/repo/objects/0a/b1.file"
LINKED: dict[str, tuple[tuple[Member, ...], ...]] = {
    "to-another-file": (((OBJECT, PACK_YAML), hard("pack.yaml", OBJECT)),),
    "by-an-absolute-name": ((("a", PACK_YAML), hard("pack.yaml", "/a")),),
    "by-a-detour": ((("a", PACK_YAML), hard("./pack.yaml", "b/../a")),),
    "through-a-chain": ((("a", PACK_YAML), hard("b", "a"), hard("c", "b"), hard("pack.yaml", "c")),),
    "to-what-is-replaced-later": ((("a", PACK_YAML), hard("pack.yaml", "a"), ("a", b"later")),),
    "to-what-has-replaced-another": ((("a", b"x"), ("a", PACK_YAML), hard("pack.yaml", "a")),),
    "to-a-lower-layer": ((hard("pack.yaml", "a"),), (("a", PACK_YAML),)),
    "to-a-layer-further-down": ((hard("pack.yaml", "a/b"),), (("c", b""),), (("a/b", PACK_YAML),)),
    "through-layers": ((hard("pack.yaml", "b"),), (hard("b", "a"),), (("a", PACK_YAML),)),
    "to-what-is-whited-out-later": ((hard("pack.yaml", "a"), (".wh.a", b"")), (("a", PACK_YAML),)),
    "to-a-file-of-a-directory-that-is-whited-out-later": (
        (hard("pack.yaml", "d/a"), (".wh.d", b""), ("d/.wh..wh..opq", b"")),
        (("d/a", PACK_YAML),),
    ),
    "over-a-file-below": ((("a", PACK_YAML), hard("pack.yaml", "a")), (("pack.yaml", b"older"),)),
    "to-what-aufs-kept-aside": (
        ((".wh..wh.plnk/12.34", PACK_YAML), hard("pack.yaml", ".wh..wh.plnk/12.34")),
    ),
}


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("layers", LINKED.values(), ids=LINKED)
def test_a_hard_link_is_the_file_that_it_names(layers: tuple[tuple[Member, ...], ...], form: int) -> None:
    assert find(*(tar(*members, format=form) for members in layers)) == PACK_YAML


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_a_hard_link_may_name_a_long_path(form: int) -> None:
    assert find(tar((LONG, PACK_YAML), hard("pack.yaml", LONG), format=form)) == PACK_YAML


NOWHERE: dict[str, tuple[tuple[Member, ...], ...]] = {
    "to-nothing": ((hard("pack.yaml", "a"),),),
    "to-itself": ((hard("pack.yaml", "pack.yaml"),),),
    "in-a-circle": ((hard("pack.yaml", "a"), hard("a", "pack.yaml")),),
    "to-what-comes-later": ((hard("pack.yaml", "a"), ("a", PACK_YAML)),),
    "to-what-has-been-whited-out": (((".wh.a", b""), hard("pack.yaml", "a")), (("a", PACK_YAML),)),
    "to-a-directory-made-anew": (
        (("d/.wh..wh..opq", b""), hard("pack.yaml", "d/a")),
        (("d/a", PACK_YAML),),
    ),
    "to-what-a-file-replaced": (
        (("d", b""), hard("pack.yaml", "d/a")),
        (("d/a", PACK_YAML),),
    ),
}


@pytest.mark.parametrize("layers", NOWHERE.values(), ids=NOWHERE)
def test_a_hard_link_to_what_is_not_there_names_nothing(layers: tuple[tuple[Member, ...], ...]) -> None:
    assert isinstance(find(*(tar(*members) for members in layers)), Absence)


def test_a_hard_link_to_something_other_than_a_file_is_not_a_file() -> None:
    link = named("a", type=tarfile.SYMTYPE, linkname="b")

    assert find(tar(("b", PACK_YAML), link, hard("pack.yaml", "a"))) is Absence.NO_FILE


@pytest.mark.parametrize(
    ("members", "similar"),
    [
        ([("slack/pack.yaml", b"")], ["slack/pack.yaml"]),
        ([("pack.yml", b""), ("./a/Pack.YAML", b"")], ["pack.yml", "a/Pack.YAML"]),
        ([(f"{number}/pack.yaml", b"") for number in range(9)], [f"{n}/pack.yaml" for n in range(3)]),
        ([("my-pack.yaml", b""), ("package.yaml", b""), ("pack/x", b""), ("a\nb/pack.yaml", b"")], []),
        ([("x" * 200 + "/pack.yaml", b"")], []),
    ],
)
def test_what_may_be_meant_is_noted(members: list[Member], similar: list[str]) -> None:
    search = FileSearch("pack.yaml", limits=LIMITS)

    assert search.look([tar(*members)]) is Absence.SILENT
    assert search.similar == similar


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
    # Go takes the slash for the sign of a directory in headers of the old type only (ocaml-tar's long-implicit-dir).
    "todays-type-with-a-slash": block(b"pack.yaml/", size=b"%011o\0" % 4) + b"v7".ljust(512, b"\0"),
    "an-old-directory-of-a-size": block(b"d/", kind=b"\0", size=b"%011o\0" % 512, magic=b"") + FILE,
    "size-in-an-empty-record": pax(b"8 size=\n")
    + block(b"pack.yaml", size=b"%011o\0" % 4)
    + b"v7".ljust(512, b"\0"),
    "times-of-before-1970": pax(b"15 mtime=-1.50\n") + FILE,
    "owners-that-are-negative": block(b"x", owner=b"\xff" * 8) + FILE,
    "an-owner-cut-off-by-a-zero-byte": block(b"x", owner=b"12\x003456 ") + FILE,
    "a-checksum-of-signed-bytes": signed(b"\xe9") + FILE,
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
    # What Go's archive/tar refuses, no runtime unpacks.
    "an-owner-that-is-no-number": block(b"x", owner=b"-1     \0") + FILE,
    "a-time-that-is-no-number": pax(b"11 mtime=x\n") + FILE,
    "a-time-in-two-parts": pax(b"15 mtime=1.2.3\n") + FILE,
    "an-owner-in-a-record-that-is-no-number": pax(b"11 uid=1.5\n") + FILE,
    "a-time-in-a-global-header-that-is-no-number": pax(b"11 mtime=x\n", kind=b"g") + FILE,
    "a-device-that-is-no-number": block(b"x", kind=b"3", magic=b"ustar\00000".ljust(72, b"\0") + b"dos")
    + FILE,
    "a-path-with-a-zero-byte": pax(b"12 path=a\x00b\n") + FILE,
    "a-key-with-a-zero-byte": pax(b"8 a\x00b=\n") + FILE,
    "a-record-of-no-key": pax(b"5 =x\n") + FILE,
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
def test_a_layer_that_is_not_a_tar_is_a_fault_of_the_image(content: bytes) -> None:
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


def test_a_sparse_file_of_that_name_is_not_a_regular_file(tmp_path: Path) -> None:
    with (tmp_path / "pack.yaml").open("wb") as sparse:
        sparse.seek(1 << 20)
        sparse.write(b"x")
    made = subprocess.run(  # noqa: S603 - a witness
        [witness("tar"), "--format=posix", "--sparse", "-C", str(tmp_path), "-c", "pack.yaml"],
        capture_output=True,
        check=True,
    ).stdout

    assert look(made, limits=LayerLimits()) is Absence.NO_FILE


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
