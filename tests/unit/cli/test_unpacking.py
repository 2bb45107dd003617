"""Layers of images that others have built, unpacked to what a lock lists."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from packyard.oci.digest import digest_of
from packyard_cli.archive import HashedFile
from packyard_cli.blob_cache import BlobCache
from packyard_cli.failure import Exit, Failure
from packyard_cli.image_source import ImageSource
from packyard_cli.lock_document import LockedLayer
from packyard_cli.unpacking import Unpacking


def _tar(*members: tuple[str, bytes | str]) -> bytes:
    """Return a layer. A text is the target of a hard link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.LNKTYPE, content
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def _file(path: str, content: bytes, *, mode: int = 0o644) -> HashedFile:
    return HashedFile(path=path, size=len(content), mode=mode, sha256=hashlib.sha256(content).hexdigest())


def _unpacked(folder: Path, layers: list[bytes], *files: HashedFile) -> Unpacking:
    cache = BlobCache(folder / "cache")
    locked = []
    for blob in layers:
        cache.keep(digest_of(blob), blob)
        locked.append(LockedLayer(digest=digest_of(blob), size=len(blob), media_type=""))
    source = ImageSource(
        pack_id="pack", revision=1, image_digest=digest_of(b"image"), cache=cache, service=None
    )
    (folder / "to").mkdir()
    unpacking = Unpacking.of(folder / "to", files)
    unpacking.take_layers(source, tuple(locked), frozenset())
    return unpacking


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bytes], ids=["gzip", "zstd", "plain"])
def test_what_the_lock_lists_is_written_and_nothing_else(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    lower = _tar(("./data/a", b"old"), ("b", "./data/a"), ("gone", b"x"), ("../outside", b"x"))
    upper = _tar(("data/a", b"new"), (".wh.gone", b""), ("other", b"not listed"))

    _unpacked(
        tmp_path,
        [compress(lower), compress(upper)],
        _file("data/a", b"new"),
        _file("b", b"new", mode=0o755),
    )

    there = {place.relative_to(tmp_path / "to").as_posix() for place in (tmp_path / "to").rglob("*")}
    assert there == {"data", "data/a", "b"}
    assert (tmp_path / "to" / "data" / "a").read_bytes() == b"new"
    assert (tmp_path / "to" / "b").read_bytes() == b"new"
    assert (tmp_path / "to" / "b").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(gzip.compress(b"no tar" * 200), id="no tar"),
        pytest.param(gzip.compress(_tar(("a", b"x")))[:40], id="cut off"),
    ],
)
def test_a_layer_that_cannot_be_unpacked_is_named(tmp_path: Path, blob: bytes) -> None:
    with pytest.raises(Failure, match="cannot be unpacked") as refused:
        _unpacked(tmp_path, [blob], _file("a", b"y"))

    assert refused.value.exit_code is Exit.INVALID


def test_a_file_that_no_layer_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="has no a with the content that the lock names") as refused:
        _unpacked(tmp_path, [gzip.compress(_tar(("a", b"x")))], _file("a", b"y"))

    assert refused.value.exit_code is Exit.TAMPERED
