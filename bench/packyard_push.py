"""Packyard's work on an archive in its own process: `python -m bench.packyard_push ARCHIVE HOST REPOSITORY`.

It validates, builds and pushes with the functions' own code. It leaves out the table.
"""

import sys
import time
from pathlib import Path

from packyard.operations.built_pack import building
from packyard.packs.archive.limits import ArchiveLimits
from packyard.registry.credentials import Anonymous
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.transport import Timeouts


def main() -> None:
    """Push one archive."""
    archive, host, repository = sys.argv[1:]
    registry = distribution_registry(
        url=f"http://{host}",
        credential=Anonymous(),
        timeouts=Timeouts(sleep=time.sleep, monotonic=time.monotonic),
    )
    with (
        Path(archive).open("rb") as stream,
        building(
            stream, limits=ArchiveLimits(), begin_upload=lambda _name: registry.begin_upload(repository)
        ) as built,
    ):
        registry.push(repository, built.image, uploads=built.uploads)
        registry.tag(repository, "latest", built.image.index)


main()
