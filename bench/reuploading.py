"""Sending a whole archive again with one file changed, compared with a first build: the section `reupload`.

Both are the functions' own operations, in one process that has done both before, as in `bench.editing`.
"""

import gc
import gzip
import io
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count, cycle
from pathlib import Path
from typing import Final

from tests.service import ACME

from bench.editing import layers_of, service_with_a_registry
from bench.inputs import archive_of
from bench.samples import summary, taken_in_turn
from packyard.operations.published import Published
from packyard.packs.pack import Visibility

# Which of the archive's files changes: one of those in the middle.
_CHANGED: Final = 4_000


def measure_reuploading(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds, and processor seconds, of a re-upload of the 280 MB pack and of its first build.

    `pushed_part` is how much of the image's layers, in bytes, a re-upload pushes; `layers` is how many there are.

    Args:
        folder: For inputs and temporary data.
        rounds: How often both are measured.
    """
    archive = archive_of("pack", folder=folder / "inputs")
    numbers = count(1)
    with tempfile.TemporaryDirectory(dir=folder) as work, service_with_a_registry(folder) as service:
        other = Path(work) / "other.tar.gz"
        _change_one_file(archive, other)
        turns = cycle((other, archive))
        publisher = service.services.publisher

        def build() -> Published:
            """Build it for a new organisation."""
            actor = replace(ACME, org_id=f"{ACME.org_id[:-4]}{next(numbers):04d}")
            with archive.open("rb") as stream:
                return publisher.create(stream, visibility=Visibility.ORG, actor=actor)

        pack = build().pack
        author = replace(ACME, org_id=pack.org_id)

        def send_again() -> Published:
            """Send the archive that differs in one file from the one that stands."""
            with next(turns).open("rb") as stream:
                return publisher.replace(stream, pack_id=pack.id, actor=author)

        send_again()
        gc.freeze()
        used: dict[str, list[float]] = {"packyard_cpu_s": [], "first_build_cpu_s": []}
        samples = taken_in_turn(
            {
                "packyard_s": lambda: _seconds(send_again, used["packyard_cpu_s"]),
                "first_build_s": lambda: _seconds(build, used["first_build_cpu_s"]),
            },
            rounds=rounds,
        )
        before, after = layers_of(service, pack.id), layers_of(service, send_again().pack.id)
    print(f"\nreupload: {archive.name} with one file changed")
    for name, taken in (samples | used).items():
        print(f"  {name:18} {summary(taken)}", flush=True)
    pushed = sum(size for digest, size in after.items() if digest not in before) / sum(after.values())
    print(f"  pushed of {len(after)} layers: {pushed:.3f}", flush=True)
    medians = {name: round(statistics.median(taken), 4) for name, taken in (samples | used).items()}
    return medians | {"pushed_part": round(pushed, 4), "layers": len(after)}


def _change_one_file(archive: Path, other: Path) -> None:
    """Write an archive that differs from another in the content of one file."""
    with (
        tarfile.open(archive, mode="r|gz") as members,
        gzip.GzipFile(other, mode="wb", compresslevel=6, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.GNU_FORMAT) as written,
    ):
        for number, member in enumerate(members):
            file = members.extractfile(member)
            content = b"" if file is None else file.read()
            if number == _CHANGED:
                content = content[::-1]
            written.addfile(member, io.BytesIO(content))


def _seconds(work: Callable[[], Published], used: list[float]) -> float:
    cpu, started = time.process_time(), time.perf_counter()
    work()
    used.append(time.process_time() - cpu)
    return time.perf_counter() - started
