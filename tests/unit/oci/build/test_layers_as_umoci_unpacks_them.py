"""What a scan lists and reads is what umoci, which unpacks with Go's archive/tar, puts on the disk."""

import gzip
import hashlib
import json
import random
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from backports import zstd
from tests.third_party_images import Blob, Member, layer, named, pieces, tar
from tests.witnesses import witness

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import CONFIG, GZIP_LAYER, INDEX, MANIFEST
from packyard.oci.read.file_index import FileIndex
from packyard.oci.read.image_scan import ImageScan
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.layer_limits import LayerLimits

Tree = dict[str, tuple[bytes, bool]]


def unpack(layers: Sequence[Blob], directory: Path, *, tars: Sequence[bytes] = ()) -> Tree | None:
    """Return the regular files that umoci unpacks, and whether each is executable; None if it refuses the image.

    Args:
        layers: The image.
        directory: An empty one.
        tars: What the layers hold, if we cannot tell.
    """
    layout = directory / "layout"
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes, media_type: str) -> dict[str, object]:
        digest = digest_of(content)
        (blobs / digest.removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    tars = tars or [b"".join(inflate_layer([blob.content])) for blob in layers]
    rootfs = {"type": "layers", "diff_ids": [digest_of(content) for content in tars]}
    config = put(
        json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs, "config": {}}).encode(), CONFIG
    )
    body = {"schemaVersion": 2, "config": config, "layers": [put(b.content, b.media_type) for b in layers]}
    manifest = put(json.dumps(body).encode(), MANIFEST)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "made"}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    finished = subprocess.run(  # noqa: S603 - a witness
        [witness("umoci"), "unpack", "--rootless", "--image", f"{layout}:made", str(directory / "bundle")],
        capture_output=True,
        check=False,
        timeout=60,
    )
    if finished.returncode:
        return None
    root = directory / "bundle" / "rootfs"
    return {
        str(path.relative_to(root)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def scan(layers: Sequence[Blob]) -> Tree:
    """Return what a scan lists, each file read where its index says it lies."""
    scanned = ImageScan(limits=LayerLimits())
    for blob in layers:
        descriptor = Descriptor(blob.media_type, digest_of(blob.content), len(blob.content))
        scanned.add(descriptor, iter(pieces(blob.content, 1000)))
    index = scanned.finish()
    by_digest = {digest_of(blob.content): blob.content for blob in layers}
    tree = {file.path: (_read(index, file.path, by_digest), bool(file.mode & 0o100)) for file in index.files}
    for file in index.files:
        assert hashlib.sha256(tree[file.path][0]).hexdigest() == file.sha256
    return tree


def _read(index: FileIndex, path: str, blobs: dict[Digest, bytes]) -> bytes:
    file = index.find(path)
    assert file is not None
    blob = blobs[index.layers[file.layer].digest]
    if file.pieces:
        start, last = file.pieces[0].offset, file.pieces[-1]
        return b"".join(inflate_layer([blob[start : last.offset + last.length]]))[: file.size]
    return b"".join(inflate_layer([blob]))[file.at :][: file.size]


def hard(name: str, target: str) -> tarfile.TarInfo:
    return named(name, type=tarfile.LNKTYPE, linkname=target, mode=0o600)


def folder(name: str) -> tarfile.TarInfo:
    return named(name, type=tarfile.DIRTYPE, mode=0o755)


# As Debian's busybox, which is one program of four hundred names.
BUSYBOX: Final[Sequence[Member]] = (
    folder("bin"),
    *(("etc/passwd", b"root"), ("bin/[", b"\x7fELF" * 500)),
    *(hard(f"bin/applet-{number}", "bin/[") for number in range(397)),
)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"])
def test_a_program_of_four_hundred_names_is_listed_and_read_under_each(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    form = {bytes: ".tar", gzip.compress: ".tar+gzip", zstd.compress: ".tar+zstd"}
    content = compress(tar(*BUSYBOX))
    found = scan([Blob(content)])

    assert len(found) == 399
    if compress is not zstd.compress:
        # Debian's umoci knows no zstd.
        media_type = GZIP_LAYER.replace(".tar+gzip", form[compress])
        assert found == unpack([Blob(content, media_type)], tmp_path)


def test_a_file_whose_name_ends_in_a_slash_is_a_file(tmp_path: Path) -> None:
    """Only in headers of the old type does Go take the slash for a directory's."""
    made = layer(("d/", b"content"))

    assert scan([made]) == unpack([made], tmp_path) == {"d": (b"content", False)}


def test_zeros_behind_a_gzip_layer_are_refused_by_both(tmp_path: Path) -> None:
    """Other readers of gzip pass over them, and nobody writes them; no runtime would unpack such a layer."""
    plain = tar(("a", b"x"))
    padded = Blob(gzip.compress(plain) + bytes(512))

    assert unpack([padded], tmp_path, tars=[plain]) is None
    with pytest.raises(ImageFault, match="corrupt"):
        scan([padded])


PATHS: Final = ("a", "b", "c", "d/a", "d/b", "d/e/a", "d/e/b", "f/a")
FOLDERS: Final = ("d", "d/e", "f")


class Writer:
    """Writes layers as a snapshotter might. Most of its hard links name what is there; umoci refuses the others."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._present: set[str] = set()
        self.links = 0

    def image(self) -> list[Blob]:
        count = self._choose.randint(1, 4)
        return [layer(*(self._member() for _ in range(self._choose.randint(1, 8)))) for _ in range(count)]

    def _member(self) -> Member:
        choose = self._choose
        path = choose.choice(PATHS)
        parent, _, name = path.rpartition("/")
        targets = sorted(self._present - {path})
        kind = choose.choice(("file",) * 4 + ("link",) * 4 + ("whiteout", "opaque", "folder"))
        if kind == "link" and targets:
            self._present.add(path)
            self.links += 1
            return hard(
                choose.choice(("", "./", "/")) + path, choose.choice(("", "./", "/")) + choose.choice(targets)
            )
        if kind == "whiteout":
            self._present.discard(path)
            return f"{parent}/.wh.{name}".lstrip("/"), b""
        if kind == "opaque":
            within = choose.choice(FOLDERS)
            self._present = {one for one in self._present if not one.startswith(f"{within}/")}
            return f"{within}/.wh..wh..opq", b""
        if kind == "folder":
            return folder(choose.choice(FOLDERS))
        self._present.add(path)
        return path, b"%d" % choose.randrange(10**6) * choose.randint(0, 300)


def test_images_made_at_random_are_listed_and_read_as_they_are_unpacked(tmp_path: Path) -> None:
    compared = links = 0
    for seed in range(60):
        writer = Writer(random.Random(seed))  # noqa: S311 - nothing secret
        layers = writer.image()
        unpacked = unpack(layers, tmp_path / str(seed))
        if unpacked is not None:
            assert scan(layers) == unpacked, seed
            compared += 1
            links += writer.links
    assert compared >= 40
    assert links >= 100
