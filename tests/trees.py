"""Layers from plain dictionaries, for tests that are about something else."""

from collections.abc import Iterable, Mapping

from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.tree import File, canonical_order

SMALL_TREE = {
    "pack.yaml": b"name: slack\nversion: 1.4.0\n",
    "README.md": b"# Slack\n",
    "scripts/post.sh": b"#!/bin/sh\n",
    "guides/empty.md": b"",
}


def lay(
    spool: LayerSpool,
    contents: Mapping[str, bytes],
    *,
    executables: Iterable[str] = (),
    directories: Iterable[str] = (),
) -> Layer:
    """Return the layer of files given by path, stored in the order given."""
    files = [File(path, path in executables, spool.store([content])) for path, content in contents.items()]
    return spool.assemble(canonical_order(directories=directories, files=files))
