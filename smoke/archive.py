"""The archives that a trial sends."""

import gzip
import io
import tarfile
from collections.abc import Mapping


def pack_files(name: str, version: str) -> dict[str, bytes]:
    """Return the files of a pack, by path."""
    manifest = f"name: {name}\nversion: {version}\ndescription: Made by a trial, and gone with it.\n"
    return {
        "pack.yaml": manifest.encode(),
        "guides/start.md": f"# {name} {version}\n".encode(),
        "scripts/check.sh": b"#!/bin/sh\nexit 0\n",
    }


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """Return files as a `.tar.gz`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(archive.getvalue(), mtime=0)
