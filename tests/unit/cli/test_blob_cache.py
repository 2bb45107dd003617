"""The cache of layers keeps what is whole, and nothing that a killed command has left."""

import hashlib
import os
from pathlib import Path

from packyard.oci.digest import parse_digest
from packyard_cli.blob_cache import BlobCache

CONTENT = b"layer"
DIGEST = parse_digest(f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_blob_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    with BlobCache(tmp_path).begin(DIGEST) as blob:
        blob.write(CONTENT)

    assert _files(tmp_path) == []


def test_what_a_killed_command_has_left_is_removed_a_day_later(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path)
    killed, at_work = cache.begin(DIGEST), cache.begin(DIGEST)
    for name in _files(tmp_path)[:1]:
        os.utime(next(tmp_path.rglob(name)), (0, 0))

    cache.keep(DIGEST, CONTENT)

    assert len(_files(tmp_path)) == 2
    assert cache.document(DIGEST) == CONTENT
    for blob in (killed, at_work):
        blob.__exit__()
