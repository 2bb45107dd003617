"""Content that looks like many pieces costs no more to read than it has bytes."""

import zlib
from typing import Any

import pytest
from isal import igzip_lib
from tests.third_party_images import tar

from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.piece_log import PieceLog

_MARKER = b"\x00\x00\xff\xff"


class CountingDecompressor:
    """isal's decompressor, which counts what all of its kind return."""

    made = 0
    real = igzip_lib.IgzipDecompressor

    def __init__(self, *arguments: Any) -> None:
        self._inner = self.real(*arguments)

    def decompress(self, *arguments: Any) -> bytes:
        raw = self._inner.decompress(*arguments)
        type(self).made += len(raw)
        return raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_content_that_looks_like_a_piece_is_not_inflated_to_more_than_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = squeezer.compress(bytes(4 << 20)) + squeezer.flush()
    # The marker ends where a block of the tar does, and what follows it inflates to a thousand times as much.
    content = bytes(512 - len(_MARKER)) + _MARKER + zeros.ljust(512 * 10, b"\0")
    whole = tar(("a.bin", content))
    stored = zlib.compressobj(0, zlib.DEFLATED, 31)
    layer = stored.compress(whole) + stored.flush()
    monkeypatch.setattr(igzip_lib, "IgzipDecompressor", CountingDecompressor)
    CountingDecompressor.made = 0

    assert b"".join(inflate_layer([layer], log=PieceLog())) == whole

    assert CountingDecompressor.made < 3 * len(whole) + 100_000
