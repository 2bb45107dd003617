"""A layer of a third-party image: plain, gzip or zstd, with any tar inside."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from backports import zstd
from isal import igzip
from tests.corpus.cases import accept_cases
from tests.third_party_images import named, tar

from fuzz.tar_mutation import mutate_tar
from packyard.oci.content import LayerForm
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import digest_of
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import GZIP_LAYER
from packyard.oci.read.checkpoints import CheckpointLog, inflate_from, kept_window
from packyard.oci.read.file_index import (
    FileIndex,
)
from packyard.oci.read.image_scan import ImageScan
from packyard.oci.read.index_parser import (
    parse_index,
)
from packyard.oci.read.inflation import inflate_flushed, inflate_layer
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.read.piece_log import PieceLog
from packyard.oci.read.root_file import Absence, FileSearch, HardLink

_LIMITS: Final = LayerLimits(unpacked_bytes=256 << 10, members=64, file_bytes=4 << 10)
_MANIFEST: Final = "pack.yaml"
_PIECE: Final = 700
_MAX_PATH_BYTES: Final = 4096
_CONTENT: Final = 256 << 10
_COMPRESSED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


def check(data: bytes) -> None:
    if data.startswith(_COMPRESSED[0]):
        _check_checkpoints(data)
    index = _scanned(data)
    try:
        found = _found(data)
    except ImageFault:
        return
    if index is None:
        return
    listed = index.find(_MANIFEST)
    assert (listed is None) == isinstance(found, Absence)
    if listed is not None and isinstance(found, bytes) and listed.size <= _LIMITS.file_bytes:
        assert hashlib.sha256(found).hexdigest() == listed.sha256
    assert parse_index(index.to_bytes()) == index
    for file in index.files:
        _check_path(file.path)
        if file.pieces:
            start, end = file.pieces[0].offset, file.pieces[-1].offset + file.pieces[-1].length
            inflate = inflate_flushed if index.layers[0].form is LayerForm.FLUSHED else inflate_layer
            inflated = b"".join(inflate([data[start:end]]))
            assert hashlib.sha256(inflated[: file.size]).hexdigest() == file.sha256
        elif index.layers[0].form is LayerForm.PLAIN:
            assert hashlib.sha256(data[file.at : file.at + file.size]).hexdigest() == file.sha256
    for path in index.directories:
        _check_path(path)


def mutate(data: bytes, max_bytes: int, seed: int, at_random: Callable[[bytes, int], bytes]) -> bytes:
    if data.startswith(_COMPRESSED):
        return at_random(data, max_bytes)
    return mutate_tar(data, max_bytes, seed, at_random)


def seeds() -> Iterator[bytes]:
    manifest = (_MANIFEST, b"name: slack\nversion: 1.4.0\n")
    plain = tar(manifest, ("a/.wh.b", b""), ("a/.wh..wh..opq", b""), ("./data/x", b"x"), ("/y", b"y" * 600))
    yield plain
    yield igzip.compress(plain)
    yield igzip.compress(plain[:512]) + igzip.compress(plain[512:1024]) + igzip.compress(plain[1024:])
    for strategy, memory in ((zlib.Z_DEFAULT_STRATEGY, 1), (zlib.Z_FIXED, 1), (zlib.Z_HUFFMAN_ONLY, 9)):
        yield _flushed(plain, strategy, memory)
    yield zstd.compress(plain)
    yield b"\x50\x2a\x4d\x18\4\0\0\0skip" + zstd.compress(plain)
    links = (
        named("l", type=b"1", linkname=_MANIFEST),
        named("s", type=b"2", linkname="/etc"),
        named("d", type=b"5"),
    )
    yield tar(manifest, *links, named("p" * 300, size=0))
    content = ("a/b", b"name: slack")
    chain = (named("c", type=b"1", linkname="/a/b"), named(_MANIFEST, type=b"1", linkname="c"))
    yield tar(content, *chain)
    yield igzip.compress(tar(content, *chain, ("a/b", b""), (".wh.c", b""), ("a/.wh..wh..opq", b"")))
    for case in accept_cases():
        if case.path.stat().st_size <= 4096 and not case.name.startswith("manifest-"):  # noqa: PLR2004 - small ones
            blob = case.path.read_bytes()
            yield blob
            yield b"".join(inflate_layer([blob]))


def _flushed(content: bytes, strategy: int, memory: int) -> bytes:
    """Return a gzip stream of small blocks."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31, memory, strategy)
    blocks = (
        compressor.compress(piece) + compressor.flush(zlib.Z_PARTIAL_FLUSH) for piece in _chunks(content)
    )
    return b"".join(blocks) + compressor.flush()


def _check_checkpoints(data: bytes) -> None:
    """Check that both gzip libraries agree, and that a stream goes on from its checkpoints."""
    log = CheckpointLog(first_at=1, spacing=1)
    content = _inflated(data, log)
    assert _inflated(data) == content
    if content is None:
        return
    checkpoints, windows = log.finish()
    for checkpoint in (*checkpoints[:2], *checkpoints[-1:]):
        window = kept_window(windows[checkpoint.kept_at :][: checkpoint.kept_size])
        rest = inflate_from(checkpoint, window, _chunks(data[checkpoint.start :]))
        assert b"".join(rest) == content[checkpoint.at :]


def _inflated(data: bytes, log: CheckpointLog | None = None) -> bytes | None:
    """Return what a layer inflates to; None if it is at fault, or too large to be looked at."""
    content = b""
    try:
        for piece in inflate_layer(_chunks(data), log=PieceLog(checkpoints=log)):
            content += piece
            if len(content) > _CONTENT:
                return None
    except ImageFault:
        return None
    return content


def _scanned(data: bytes) -> FileIndex | None:
    scan = ImageScan(limits=_LIMITS)
    try:
        scan.add(Descriptor(GZIP_LAYER, digest_of(data), len(data)), _chunks(data))
    except ImageFault:
        return None
    return scan.finish()


def _found(data: bytes) -> bytes | Absence:
    """Search for the file through any number of hard links. Each names an earlier member."""
    search = FileSearch(_MANIFEST, limits=_LIMITS)
    found = search.look(_chunks(data))
    while isinstance(found, HardLink):
        search.follow(found)
        found = search.look(_chunks(data))
    return found


def _check_path(path: str) -> None:
    assert path
    assert "\0" not in path
    assert not {"", ".", ".."} & set(path.split("/"))
    assert len(path.encode()) <= _MAX_PATH_BYTES


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))
