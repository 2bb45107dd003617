"""Which files an image shows: layers on top of each other, and how each file can be read alone."""

import gzip
import hashlib
import random
import tarfile
import zlib
from collections.abc import Callable, Sequence
from time import process_time

import pytest
from backports import zstd
from tests.third_party_images import Blob, Member, gzipped, layer, named, pieces, tar
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.layer import LayerSpool
from packyard.oci.content import LayerForm
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import digest_of
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import GZIP_LAYER
from packyard.oci.read.file_index import (
    FileIndex,
    index_of_layers,
)
from packyard.oci.read.file_tree import FileTree
from packyard.oci.read.image_scan import ImageScan
from packyard.oci.read.index_parser import (
    parse_index,
)
from packyard.oci.read.inflation import inflate_flushed
from packyard.oci.read.layer_limits import LayerLimits


def scan(*layers: Blob, limits: LayerLimits | None = None) -> FileIndex:
    scanned = ImageScan(limits=limits or LayerLimits())
    for blob in layers:
        descriptor = Descriptor(blob.media_type, digest_of(blob.content), len(blob.content))
        scanned.add(descriptor, iter(pieces(blob.content, 1000)))
    return scanned.finish()


def paths(index: FileIndex) -> list[str]:
    return [file.path for file in index.files]


LOWER = layer(
    named("guides", type=tarfile.DIRTYPE), ("guides/a.md", b"a"), ("guides/deep/b.md", b"b"), ("c.md", b"c")
)

UPPERS: dict[str, tuple[Sequence[Member], Sequence[str]]] = {
    "something else": ([("d.md", b"")], ["c.md", "d.md", "guides/a.md", "guides/deep/b.md"]),
    "the same again": ([("./c.md", b"C")], ["c.md", "guides/a.md", "guides/deep/b.md"]),
    "a file whited out": ([("guides/.wh.a.md", b"")], ["c.md", "guides/deep/b.md"]),
    "a directory whited out": ([(".wh.guides", b"")], ["c.md"]),
    "a directory made anew": (
        [("guides/new.md", b""), ("guides/.wh..wh..opq", b"")],
        ["c.md", "guides/new.md"],
    ),
    "everything made anew": ([(".wh..wh..opq", b""), ("x", b"")], ["x"]),
    "a whiteout beside the file": (
        [("c.md", b"C"), (".wh.c.md", b"")],
        ["c.md", "guides/a.md", "guides/deep/b.md"],
    ),
    "a file in place of a directory": ([("guides", b"")], ["c.md", "guides"]),
    "a directory in place of a file": (
        [named("c.md", type=tarfile.DIRTYPE), ("c.md/x", b"")],
        ["c.md/x", "guides/a.md", "guides/deep/b.md"],
    ),
    "a link in place of a file": (
        [named("c.md", type=tarfile.SYMTYPE, linkname="guides/a.md")],
        ["guides/a.md", "guides/deep/b.md"],
    ),
    "a link in place of a directory": ([named("guides", type=tarfile.SYMTYPE, linkname="x")], ["c.md"]),
}


@pytest.mark.parametrize(("members", "expected"), UPPERS.values(), ids=UPPERS.keys())
def test_an_upper_layer_decides_over_what_lies_below(members: Sequence[Member], expected: list[str]) -> None:
    assert paths(scan(LOWER, layer(*members))) == expected


def test_the_later_of_two_members_of_one_path_wins() -> None:
    index = scan(layer(("a", b"first"), ("./a", b"second!")))

    assert [(file.path, file.size) for file in index.files] == [("a", 7)]


def hard(name: str, target: str, **fields: int) -> tarfile.TarInfo:
    return named(name, type=tarfile.LNKTYPE, linkname=target, **fields)


LINKS: dict[str, tuple[list[Sequence[Member]], dict[str, tuple[int, int]]]] = {
    # Debian's busybox image has 397 of them.
    "many names for one file": (
        [[("bin/[", b"xyz"), *(hard(f"bin/{n}", "bin/[") for n in range(3))]],
        {"bin/[": (3, 0), "bin/0": (3, 0), "bin/1": (3, 0), "bin/2": (3, 0)},
    ),
    "a chain": ([[("a", b"1"), hard("b", "a"), hard("c", "./b")]], {"a": (1, 0), "b": (1, 0), "c": (1, 0)}),
    "to an empty file": ([[("a", b""), hard("b", "a")]], {"a": (0, 0), "b": (0, 0)}),
    "to what is replaced later": ([[("a", b"1"), hard("b", "a"), ("a", b"22")]], {"a": (2, 0), "b": (1, 0)}),
    "to a lower layer": ([[("a", b"1")], [hard("b", "/a")]], {"a": (1, 0), "b": (1, 0)}),
    "to what its layer replaced": (
        [[("a", b"1")], [("a", b"22"), hard("b", "a")]],
        {"a": (2, 1), "b": (2, 1)},
    ),
    "to what its layer replaces later": (
        [[("a", b"1")], [hard("b", "a"), ("a", b"22")]],
        {"a": (2, 1), "b": (1, 0)},
    ),
    "to what is whited out later": ([[("a", b"1")], [hard("b", "a"), (".wh.a", b"")]], {"b": (1, 0)}),
    "to what was whited out": ([[("a", b"1")], [(".wh.a", b""), hard("b", "a")]], {}),
    "to what a directory replaced": (
        [[("a", b"1")], [named("a", type=tarfile.DIRTYPE), hard("b", "a")]],
        {},
    ),
    "below what was made anew": (
        [[("d/a", b"1")], [("d/.wh..wh..opq", b""), hard("b", "d/a")]],
        {},
    ),
    "in place of a file": ([[("a", b"1"), ("b", b"22")], [hard("b", "a")]], {"a": (1, 0), "b": (1, 0)}),
    "through layers": (
        [[("a", b"1")], [hard("b", "a"), (".wh.a", b"")], [hard("c", "b")]],
        {"b": (1, 0), "c": (1, 0)},
    ),
    "to nothing": ([[hard("a", "b"), hard("c", "c")]], {}),
    "to a directory": ([[named("d", type=tarfile.DIRTYPE), hard("a", "d")]], {}),
    "to a symbolic link": ([[named("s", type=tarfile.SYMTYPE, linkname="x"), hard("a", "s")]], {}),
    "to what aufs kept aside": (
        [[(".wh..wh.plnk/1.2", b"1"), hard("a", ".wh..wh.plnk/1.2"), (".wh..wh.aufs", b"")]],
        {"a": (1, 0)},
    ),
    "under a file that another layer's content is": (
        [[("a", b"1")], [hard("b", "a"), ("b/c", b"22")]],
        {"a": (1, 0), "b": (1, 0)},
    ),
}


@pytest.mark.parametrize(("layers", "expected"), LINKS.values(), ids=LINKS)
def test_a_hard_link_is_the_file_that_it_names(
    layers: list[Sequence[Member]], expected: dict[str, tuple[int, int]]
) -> None:
    index = scan(*(layer(*members) for members in layers))

    assert {file.path: (file.size, file.layer) for file in index.files} == expected
    assert parse_index(index.to_bytes()) == index


def test_a_hard_link_has_the_mode_of_its_file_and_not_its_own() -> None:
    index = scan(layer(named("a", mode=0o755), hard("b", "a", mode=0o600)))

    assert {file.path: file.mode for file in index.files} == {"a": 0o755, "b": 0o755}


@pytest.mark.parametrize(
    "compress", [lambda raw: raw, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"]
)
def test_a_hard_link_is_read_where_its_file_lies(compress: Callable[[bytes], bytes]) -> None:
    index = scan(Blob(compress(tar(("a", b"one"), hard("b", "a"), ("c", b"two")))))
    found = {file.path: file for file in index.files}

    assert found["b"]._replace(path="a") == found["a"]
    assert found["b"].sha256 == hashlib.sha256(b"one").hexdigest()


def test_what_lies_under_a_file_of_its_own_layer_is_not_there() -> None:
    assert paths(scan(layer(("a/b", b""), ("a", b"")))) == ["a"]


def test_each_file_has_its_mode_and_the_layer_that_it_is_in() -> None:
    script = named("run.sh", mode=0o4755)
    index = scan(layer(("a", b"1")), layer(("b", b"2"), script))

    assert [(file.path, file.mode, file.layer) for file in index.files] == [
        ("a", 0o644, 0),
        ("b", 0o644, 1),
        ("run.sh", 0o755, 1),
    ]


def test_names_that_no_request_can_state_are_skipped() -> None:
    header = bytearray(tar(("x", b"")))
    latin = tar(("ok", b""))[:512] + bytes(header)
    broken = bytearray(latin)
    broken[512 : 512 + 4] = b"\xe9\xe9\xe9\xe9"
    broken[512 + 148 : 512 + 156] = b" " * 8
    broken[512 + 148 : 512 + 156] = b"%06o\0 " % sum(broken[512:1024])

    assert paths(scan(Blob(gzipped(bytes(broken))), layer(("a/" * 3000 + "b", b"")))) == ["ok"]


def test_a_layer_of_ours_is_found_to_be_what_its_own_index_says() -> None:
    with LayerSpool() as spool:
        contents = SMALL_TREE | {"data/large.bin": bytes(range(256)) * 9000}
        built = lay(spool, contents, executables=["scripts/post.sh"], directories=["data/none"])
        blob = Blob(b"".join(built.chunks()))

        assert scan(blob) == index_of_layers([built])


FORMS = {
    "plain": Blob(tar(("a", b"one"), ("b", b"two"))),
    "one gzip member": layer(("a", b"one"), ("b", b"two")),
    "zstd": Blob(zstd.compress(tar(("a", b"one"), ("b", b"two")))),
}


@pytest.mark.parametrize("blob", FORMS.values(), ids=FORMS.keys())
def test_a_file_that_cannot_be_inflated_alone_is_found_by_its_place_in_the_tar(blob: Blob) -> None:
    index = scan(blob)

    assert [(file.at, file.pieces) for file in index.files] == [(512, ()), (1536, ())]
    assert (index.layers[0].form is LayerForm.PLAIN) == (blob is FORMS["plain"])


def test_another_s_layer_of_members_is_read_as_cheaply_as_ours() -> None:
    """As eStargz has it: a file starts a member, and the next header stands in the same one."""
    whole = tar(("a", b"one"), ("b", b"two"))
    cuts = [whole[:512], whole[512:1536], whole[1536:]]
    blob = Blob(b"".join(gzip.compress(cut) for cut in cuts))

    index = scan(blob)

    assert [len(file.pieces) for file in index.files] == [1, 1]
    assert index.files[1].pieces[0].offset == len(gzip.compress(cuts[0]) + gzip.compress(cuts[1]))


def flushed(parts: Sequence[bytes], mode: int) -> Blob:
    """One gzip member with a flush behind each part, as zlib makes it."""
    compressor = zlib.compressobj(wbits=31)
    blob = b"".join(compressor.compress(part) + compressor.flush(mode) for part in parts)
    return Blob(blob + compressor.flush())


MARKERS = b"\0\0\xff\xff" * 200 + bytes(range(256)) * 4
NOISE = random.Random(12).randbytes(5000)  # noqa: S311 - the same each time


@pytest.mark.parametrize("content", [b"text, text, text", MARKERS, NOISE + MARKERS + NOISE, b"\0" * 4])
def test_a_file_behind_a_full_flush_is_read_alone_whatever_it_holds(content: bytes) -> None:
    whole = tar(("a", content), ("b", content))
    at = 512 + len(content) + (-len(content) % 512)
    cuts = [whole[:512], whole[512:at], whole[at : at + 512], whole[at + 512 : 2 * at], whole[2 * at :]]
    blob = flushed(cuts, zlib.Z_FULL_FLUSH)

    index = scan(blob)

    assert index.layers[0].form is LayerForm.FLUSHED
    for file in index.files:
        start, last = file.pieces[0].offset, file.pieces[-1]
        inflated = b"".join(inflate_flushed([blob.content[start : last.offset + last.length]]))
        assert inflated[: file.size] == content
        assert len(inflated) == sum(piece.raw_size for piece in file.pieces) == at - 512


def test_a_file_behind_a_flush_that_refers_to_what_is_before_it_cannot_be_read_alone() -> None:
    """As `pigz` writes it where it is not told to write independent blocks."""
    whole = tar(("a", NOISE), ("b", NOISE))
    at = 512 + 5120
    blob = flushed([whole[: at + 512], whole[at + 512 :]], zlib.Z_SYNC_FLUSH)

    index = scan(blob)

    assert [file.pieces for file in index.files] == [(), ()]


def test_a_file_s_pieces_end_where_something_refers_to_what_is_before_them() -> None:
    """New content refers to nothing, whatever the flush before it. What follows may refer beyond it, up to 32 KiB."""
    contents = {"a": NOISE[:1536], "b": NOISE[1536:3072], "c": NOISE[:1536], "d": b"end"}
    whole = tar(*contents.items())
    ends = [2560, 4096, 6656, len(whole)]
    modes = [zlib.Z_SYNC_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_FINISH]
    compressor = zlib.compressobj(wbits=31)
    blob = b""
    for start, end, mode in zip([0, *ends], ends, modes, strict=False):
        blob += compressor.compress(whole[start:end]) + compressor.flush(mode)

    index = scan(Blob(blob))

    assert [len(file.pieces) for file in index.files] == [0, 1, 0, 1]
    for file in index.files:
        for piece in file.pieces:
            inflated = b"".join(inflate_flushed([blob[piece.offset : piece.offset + piece.length]]))
            assert inflated[: file.size] == contents[file.path]
            assert len(inflated) == piece.raw_size


def test_flushes_without_end_are_not_all_looked_into() -> None:
    compressor = zlib.compressobj(wbits=31)
    empty = compressor.compress(tar(("a", b"one"))) + compressor.flush(zlib.Z_FULL_FLUSH)
    # An empty stored block, byte-aligned (RFC 1951, section 3.2.4).
    blob = Blob(empty + b"\0\0\0\xff\xff" * 600_000 + compressor.flush())

    assert paths(scan(blob)) == ["a"]


def test_a_member_that_goes_on_for_long_after_a_file_is_not_read_for_its_sake() -> None:
    whole = tar(("a", b"one"), ("b", bytes(3 << 20)))
    index = scan(Blob(gzip.compress(whole[:512]) + gzip.compress(whole[512:])))

    assert [file.pieces for file in index.files] == [(), ()]


def test_an_empty_file_is_nowhere() -> None:
    (file,) = scan(layer(("a", b""))).files

    assert (file.size, file.at, file.pieces) == (0, 0, ())


@pytest.mark.parametrize(
    ("blob", "reason"),
    [
        pytest.param(Blob(b"no tar" * 200), "not a readable tar", id="no tar"),
        pytest.param(Blob(layer(("a", b"x")).content[:-9]), "corrupt", id="cut off"),
        pytest.param(layer(*((str(n), b"") for n in range(30))), "more than 20 members", id="many members"),
    ],
)
def test_a_layer_that_cannot_be_read_is_a_fault_of_the_image(blob: Blob, reason: str) -> None:
    with pytest.raises(ImageFault, match=reason):
        scan(blob, limits=LayerLimits(members=20))


def test_a_layer_is_read_to_its_end_even_when_it_cannot_be_understood() -> None:
    content = iter([b"no tar" * 200, b"the rest"])

    with pytest.raises(ImageFault):
        ImageScan(limits=LayerLimits()).add(Descriptor(GZIP_LAYER, digest_of(b""), 0), content)

    assert list(content) == []


def test_a_layer_costs_what_it_says_however_much_lies_below() -> None:
    below = layer(*((f"{number % 100}/{number}", b"") for number in range(5_000)))
    start = process_time()
    scan(below)
    once = process_time() - start

    start = process_time()
    index = scan(below, *[layer((".wh.none", b""))] * 300)

    assert len(index.files) == 5_000
    assert process_time() - start < 3 * once + 0.5


def test_a_path_of_a_thousand_levels_is_a_fault_of_the_image() -> None:
    scan(layer(("d/" * 255 + "f", b"")))

    with pytest.raises(ImageFault, match="levels deep"):
        scan(layer(("d/" * 256 + "f", b"")))


def test_directories_without_a_member_of_their_own_count_too() -> None:
    tree = FileTree(most=6)
    tree.put("a/b/c", None, layer=0)
    tree.remove("a")
    tree.put("a/b/c/d/e", None, layer=1)
    tree.clear("a/b")
    tree.put("a/b/c/d/e", None, layer=2)

    with pytest.raises(ImageFault, match="more than 6 files"):
        tree.put("f/g", None, layer=2)
