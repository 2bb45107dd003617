"""What must be true of an accepted archive, and of the refusal of another."""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from tests.corpus.reading import read, seen_by_python, seen_by_us

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.descriptor import Descriptor
from packyard.oci.media_types import GZIP_LAYER
from packyard.oci.read.image_scan import ImageScan
from packyard.oci.read.layer_limits import LayerLimits
from packyard.packs.archive.contents import PackContents
from packyard.packs.archive.limits import KIB, ArchiveLimits
from packyard.packs.archive.member_path import is_litter

# Small enough that the fuzzer's inputs reach each limit.
LIMITS: Final = ArchiveLimits(
    compressed_bytes=12 * KIB,
    unpacked_bytes=64 * KIB,
    members=24,
    path_bytes=160,
    path_depth=6,
    manifest_bytes=KIB,
)
_MAX_FAULTS: Final = 100
_FIELD = re.compile(r"archive(:.*)?|(pack\.yaml|SKILL\.md)(:.+)?", re.DOTALL)
_TOP_LEVEL: Final = frozenset(
    {"pack.yaml", "behavior.md", "README.md", "LICENSE", "guides", "scripts", "data", "templates", "skills"}
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


def read_or_refuse(archive: bytes) -> PackContents[bytes] | None:
    """Read an archive. Return None if it is refused; check that the refusal's message can be shown."""
    try:
        contents = read(archive, limits=LIMITS)
    except PayloadTooLarge:
        assert len(archive) > LIMITS.compressed_bytes
        return None
    except InvalidRequest as refusal:
        _check_refusal(refusal.fields)
        return None
    _check(contents)
    return contents


def check_python_sees_the_same(archive: bytes, contents: PackContents[bytes]) -> None:
    """Check that Python's own reader finds the same files, wherever in the archive the pack's root is."""
    theirs = {unicodedata.normalize("NFC", path): seen for path, seen in seen_by_python(archive).items()}
    ours = {unicodedata.normalize("NFC", path): seen for path, seen in seen_by_us(contents).items()}
    if contents.manifest.file not in theirs:
        theirs = {path.partition("/")[2]: seen for path, seen in theirs.items()}
    assert theirs == ours


def check_image(contents: PackContents[bytes]) -> None:
    """Check that our reader of third-party layers finds exactly the pack's files in the layer built from it."""
    with LayerSpool() as spool:
        stored = {file.path: spool.store([file.content]) for file in contents.files}
        files = [File(file.path, file.executable, stored[file.path]) for file in contents.files]
        layer = spool.assemble(canonical_order(directories=contents.directories, files=files))
        scan = ImageScan(limits=LayerLimits(unpacked_bytes=1 << 20, members=1000))
        scan.add(Descriptor(GZIP_LAYER, layer.digest, layer.size), layer.chunks())
    found = {file.path: (file.size, bool(file.mode & 0o111), file.sha256) for file in scan.finish().files}
    assert found == {
        file.path: (file.size, file.executable, stored[file.path].sha256) for file in contents.files
    }


def _check_refusal(fields: Mapping[str, str]) -> None:
    assert 1 <= len(fields) <= _MAX_FAULTS + 1
    for field, reason in fields.items():
        assert _FIELD.fullmatch(field)
        assert reason
        (field + reason).encode()
        assert not _CONTROL.search(field.replace("\\", ""))


def _check(contents: PackContents[bytes]) -> None:
    paths = [file.path for file in contents.files]
    assert contents.manifest.file in paths
    assert "pack.yaml" not in paths or contents.manifest.file == "pack.yaml"
    assert sum(file.size for file in contents.files) <= LIMITS.unpacked_bytes
    assert len(paths) <= LIMITS.members
    assert all(file.size == len(file.content) for file in contents.files)
    known = {unicodedata.normalize("NFC", path) for path in (*paths, *contents.directories)}
    assert len(known) == len(paths) + len(contents.directories)
    for path in (*paths, *contents.directories):
        _check_path(path)
        # In an Agent Skill, any name may be at the root.
        assert contents.manifest.file == "SKILL.md" or path.partition("/")[0] in _TOP_LEVEL
    for path in (*paths, *contents.directories):
        parent = path.rpartition("/")[0]
        assert not parent or parent in contents.directories


def _check_path(path: str) -> None:
    segments = path.split("/")
    assert not {"", ".", ".."} & set(segments)
    assert not PurePosixPath(path).is_absolute()
    assert not _CONTROL.search(path)
    assert not is_litter(path)
    assert not any(segment.startswith(".wh.") for segment in segments)
    assert len(path.encode()) <= LIMITS.path_bytes
    assert len(segments) <= LIMITS.path_depth
