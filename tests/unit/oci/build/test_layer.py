import gzip
import hashlib
import itertools
import tarfile
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.compression import inflate_pieces
from packyard.oci.build.file_in_spool import PIECE_BYTES
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.content import Content
from packyard.oci.digest import digest_of

# Of exactly this tree, for ever: equal content means an equal diff_id across versions of the service.
SMALL_TREE_DIFF_ID = "sha256:375f0c26454f8ea8bba078c344323b4f1bf065ce6c606d8a4c626aa7466d9446"
TREES = st.dictionaries(
    st.sampled_from(["pack.yaml", "README.md", "guides/a.md", "guides/b/c.md", "data/x", "data/\N{SNOWMAN}"]),
    st.binary(max_size=2000),
    min_size=1,
)
# Hardly compressible, and longer than what a spool keeps in memory.
LONG = b"".join(hashlib.sha256(n.to_bytes(4)).digest() for n in range(9 * PIECE_BYTES // 32 + 1))


def blob_of(layer: Layer) -> bytes:
    return b"".join(layer.chunks())


def members_of(layer: Layer) -> list[tuple[str, int, bytes | None]]:
    with tarfile.open(fileobj=BytesIO(gzip.decompress(blob_of(layer)))) as archive:
        read = []
        for member in archive:
            content = archive.extractfile(member)
            read.append((member.name, member.mode, content.read() if content else None))
        return read


def test_any_reader_finds_the_tree_in_canonical_order() -> None:
    with LayerSpool() as spool:
        layer = lay(spool, SMALL_TREE, executables=["scripts/post.sh"], directories=["templates"])

        assert members_of(layer) == [
            ("pack.yaml", 0o644, SMALL_TREE["pack.yaml"]),
            ("README.md", 0o644, b"# Slack\n"),
            ("guides", 0o755, None),
            ("guides/empty.md", 0o644, b""),
            ("scripts", 0o755, None),
            ("scripts/post.sh", 0o755, b"#!/bin/sh\n"),
            ("templates", 0o755, None),
        ]


def test_a_copy_of_the_blob_is_had_while_it_is_hashed() -> None:
    copied: list[bytes] = []
    with LayerSpool() as spool:
        files = [File("data/long", executable=False, content=spool.store([LONG]))]
        assert 0 < spool.size < len(LONG) * 1.01
        layer = spool.assemble(canonical_order(directories=[], files=files), copy=copied.append)

        assert b"".join(copied) == blob_of(layer)
        assert len(copied) > 1


def test_a_tree_s_diff_id_never_changes() -> None:
    with LayerSpool() as spool:
        assert lay(spool, SMALL_TREE).diff_id == SMALL_TREE_DIFF_ID


@given(tree=TREES, data=st.data())
def test_the_order_in_which_content_arrives_leaves_no_trace(
    tree: dict[str, bytes], data: st.DataObject
) -> None:
    arrival = data.draw(st.permutations(sorted(tree)))
    with LayerSpool() as one, LayerSpool() as other:
        layer = lay(one, {path: tree[path] for path in sorted(tree)})
        shuffled = lay(other, {path: tree[path] for path in arrival})

        assert (shuffled.digest, shuffled.diff_id) == (layer.digest, layer.diff_id)
        assert blob_of(shuffled) == blob_of(layer)
        assert shuffled.files == layer.files


@given(tree=TREES)
def test_a_layer_is_one_gzip_member(tree: dict[str, bytes]) -> None:
    """Many readers stop after the first: zlib with wbits 31, PHP's gzdecode, Perl's Compress::Zlib."""
    with LayerSpool() as spool:
        layer = lay(spool, tree)
        inflater = zlib.decompressobj(wbits=31)

        assert digest_of(inflater.decompress(blob_of(layer))) == layer.diff_id
        assert inflater.eof
        assert inflater.unused_data == b""


@given(tree=TREES)
def test_digests_and_size_are_those_of_the_blob(tree: dict[str, bytes]) -> None:
    with LayerSpool() as spool:
        layer = lay(spool, tree)
        blob = blob_of(layer)

        assert layer.digest == digest_of(blob)
        assert layer.diff_id == digest_of(gzip.decompress(blob))
        assert layer.size == len(blob)


@given(content=st.binary(max_size=5000), cuts=st.lists(st.integers(0, 5000)))
def test_how_content_is_cut_into_chunks_leaves_no_trace(content: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(content)]
    chunks = [content[start:end] for start, end in itertools.pairwise(edges)]
    with LayerSpool() as spool, LayerSpool() as other:
        assert spool.store(chunks) == other.store([content])


@pytest.mark.parametrize(
    ("size", "raw_sizes"),
    [
        (0, []),
        (1, [512]),
        (512, [512]),
        (PIECE_BYTES - 1, [PIECE_BYTES]),
        (PIECE_BYTES, [PIECE_BYTES]),
        (PIECE_BYTES + 1, [PIECE_BYTES, 512]),
        (3 * PIECE_BYTES, [PIECE_BYTES] * 3),
    ],
)
def test_pieces_are_bounded_and_the_last_takes_the_padding(size: int, raw_sizes: list[int]) -> None:
    content = LONG[:size]
    with LayerSpool() as spool:
        stored = spool.store(content[start : start + 100_000] for start in range(0, size, 100_000))

        inflated = b"".join(inflate_pieces(spool.read(piece), size=piece.raw_size) for piece in stored.pieces)

    assert [piece.raw_size for piece in stored.pieces] == raw_sizes
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert inflated == content + bytes(-size % 512)


def test_every_file_can_be_read_alone_with_one_range_of_the_blob() -> None:
    tree = SMALL_TREE | {"data/long": LONG[: 2 * PIECE_BYTES + 5]}
    with LayerSpool() as spool:
        layer = lay(spool, tree)
        blob = blob_of(layer)

    for file in layer.files:
        ranges = b"".join(blob[piece.offset : piece.offset + piece.length] for piece in file.pieces)
        # Of any length: an inflater gives what is there, whether or not the stream has ended.
        content = zlib.decompressobj(wbits=-15).decompress(ranges)[: file.size]
        assert content == tree[file.path]
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert file.size == len(content)
    assert [file.path for file in layer.files] == [
        "pack.yaml",
        "README.md",
        "data/long",
        "guides/empty.md",
        "scripts/post.sh",
    ]


def test_a_layer_beyond_memory_is_the_same_and_can_be_sent_again() -> None:
    with LayerSpool() as spool:
        layer = lay(spool, {"data/a": LONG, "pack.yaml": b"name: a\n"})

        first = blob_of(layer)
        assert first == blob_of(layer)
        assert digest_of(first) == layer.digest
        assert members_of(layer)[2] == ("data/a", 0o644, LONG)


def test_files_may_share_content() -> None:
    with LayerSpool() as spool:
        content = spool.store([b"shared"])
        files = [File(path, executable=False, content=content) for path in ("data/a", "data/b")]
        layer = spool.assemble(canonical_order(directories=[], files=files))

        assert members_of(layer)[1:] == [("data/a", 0o644, b"shared"), ("data/b", 0o644, b"shared")]


def test_a_long_run_of_headers_stays_in_pieces_of_bounded_size() -> None:
    directories = [f"data/{number}" for number in range(3000)]
    with LayerSpool() as spool:
        layer = lay(spool, {}, directories=directories)

        assert len(members_of(layer)) == 3001
        assert max(len(chunk) for chunk in layer.chunks()) < PIECE_BYTES


def test_an_empty_file_has_no_pieces() -> None:
    with LayerSpool() as spool:
        assert spool.store([]) == Content(0, hashlib.sha256().hexdigest(), ())
