"""The image that other people's readers are tried on, and what is right."""

import gzip
import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.docker_registry import docker_registry
from tests.layer_readers.clients import Published
from tests.layer_readers.readings import digest_of_files

from packyard.oci.build.image import build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.registry.credentials import Anonymous
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.transport import Timeouts

# Text that compresses well, content that does not and takes three pieces, an empty file, a script, a name beyond ASCII.
_FILES: Final = {
    "pack.yaml": b"name: sample\nversion: 1.0.0\n",
    "data/noise.bin": random.Random(1).randbytes(2_500_000),  # noqa: S311 - no secret
    "data/table.csv": b"".join(b"%d,%d\n" % (number, number * number) for number in range(60_000)),
    "docs/guide.md": b"Read this first.\n" * 5_000,
    "docs/\u00fcbersicht.md": b"Lies das zuerst.\n",
    "empty.txt": b"",
    "run.sh": b"#!/bin/sh\nexec true\n",
}
_DIRECTORIES: Final = ("data", "docs", "nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The image in a registry, and what readers should see.

    Attributes:
        layer: The blob of its only layer.
        tar: The SHA-256 of the layer's tar, in hex.
        files: `digest_of_files` of what it holds.
        image: Where it is.
    """

    layer: Path
    tar: str
    files: str
    image: Published


@contextmanager
def published_sample(folder: Path) -> Iterator[Sample]:
    """Build the image and publish it to Debian's registry, which runs while the block lasts.

    Args:
        folder: An empty folder.
    """
    registry = folder / "registry"
    registry.mkdir()
    with docker_registry(registry) as url, LayerSpool() as spool:
        files = [File(path, path == "run.sh", spool.store([content])) for path, content in _FILES.items()]
        layer = spool.assemble(canonical_order(directories=_DIRECTORIES, files=files))
        image = build_image(layers=[layer], title="sample", version="1.0.0")
        timeouts = Timeouts(sleep=time.sleep, monotonic=time.monotonic)
        own = distribution_registry(url=url, credential=Anonymous(), timeouts=timeouts)
        own.push("packs/sample", image)
        path = folder / "layer.tar.gz"
        path.write_bytes(b"".join(layer.chunks()))
        yield Sample(
            layer=path,
            tar=hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest(),
            files=digest_of_files((*_FILES.items(), *((name, b"") for name in _DIRECTORIES))),
            image=Published(
                host=own.host,
                repository="packs/sample",
                index=image.index.digest,
                manifest=image.manifests[0].digest,
            ),
        )
