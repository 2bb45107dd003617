"""The file index of an image, as it may come back from the bucket."""

import gzip
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from isal import igzip
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.layer import LayerSpool
from packyard.oci.content import LayerForm
from packyard.oci.digest import digest_of
from packyard.oci.read.checkpoints import Checkpoint
from packyard.oci.read.file_index import (
    FileIndex,
    IndexedLayer,
    index_of_layers,
)
from packyard.oci.read.index_lines import IndexLines, line_difference, parse_lines
from packyard.oci.read.index_parser import (
    parse_index,
)

_GZIP = b"\x1f\x8b"
_NOTHING = IndexLines((), frozenset())


def check(data: bytes) -> None:
    document = data if data.startswith(_GZIP) else igzip.compress(data)
    with suppress(ValueError):
        line_difference(parse_lines(document), _NOTHING)
    try:
        index = parse_index(document)
    except ValueError:
        return
    assert parse_index(index.to_bytes()) == index
    for layer in index.layers:
        assert all(0 <= checkpoint.start < layer.size for checkpoint in layer.checkpoints)
        assert (layer.windows is None) == (not layer.checkpoints)
    for file in index.files:
        layer = index.layers[file.layer]
        for piece in file.pieces:
            assert 0 <= piece.offset < piece.offset + piece.length <= layer.size
        if file.pieces:
            assert sum(piece.raw_size for piece in file.pieces) >= file.size
        found = parse_index(document, only=file.path).find(file.path)
        assert found is not None
        assert found.path == file.path


def seeds() -> Iterator[bytes]:
    with LayerSpool() as spool:
        document = index_of_layers([lay(spool, SMALL_TREE, directories=["data"])]).to_bytes()
    yield document
    layer = IndexedLayer(digest_of(b""), 999, LayerForm.MEMBERS)
    checkpoints = (Checkpoint(5000, 100, 0, 0, 300), Checkpoint(9000, 998, 7, 300, 400))
    yield FileIndex((replace(layer, checkpoints=checkpoints, windows=layer.digest),), ()).to_bytes()
    yield gzip.decompress(document)
    yield b'{"format":1,"layers":[["sha256:' + b"0" * 64 + b'",9,true]],"directories":["a"],"files":[]}'
    yield (
        b'{"format":1,"layers":[],"directories":[],"files":[["a",1,420,"' + b"0" * 64 + b'",0,0,[[0,1,1]]]]}'
    )
