"""Packyard's build of an archive in its own process, without a push: `python -m bench.packyard_build ARCHIVE`.

It validates and builds with the functions' own code, drops what would be sent meanwhile, and prints the times of both
stages and the image's digest as JSON.
"""

import json
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from packyard.operations.built_pack import building
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.manifest.name import PackName


class _Time(NamedTuple):
    """A moment, by the clock and by the processor time of this process."""

    seconds: float
    cpu_seconds: float


class _Dropped:
    """An upload to nowhere."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def write(self, piece: bytes) -> None:
        pass

    def end(self) -> None:
        pass

    def settle(self) -> None:
        pass

    def finish(self) -> str | None:
        return None


def build(archive: Path) -> dict[str, Any]:
    """Build one archive whose content is over 8 MiB compressed, as all that is sent while it is built.

    Returns:
        Seconds and processor seconds until all content is compressed, and from then on until the layers are complete;
        and the digest of the image's index.
    """
    times = [_now()]

    def begin_upload(_name: PackName) -> _Dropped:
        # The first layer's upload begins when all content is compressed.
        if len(times) == 1:
            times.append(_now())
        return _Dropped()

    with (
        archive.open("rb") as stream,
        building(stream, limits=ArchiveLimits(), begin_upload=begin_upload) as built,
    ):
        times.append(_now())
    started, spooled, ended = times
    return {
        "spool_s": spooled.seconds - started.seconds,
        "layers_s": ended.seconds - spooled.seconds,
        "spool_cpu_s": spooled.cpu_seconds - started.cpu_seconds,
        "layers_cpu_s": ended.cpu_seconds - spooled.cpu_seconds,
        "digest": built.image.index.digest,
    }


def _now() -> _Time:
    return _Time(time.perf_counter(), time.process_time())


if __name__ == "__main__":
    print(json.dumps(build(Path(sys.argv[1]))))
