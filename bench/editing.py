"""Replacing one file in a pack, compared with rebuilding the whole pack: the section `edit` of the results.

Both are the functions' own operations, in one process that has done both before. So this compares the work, not the
start of a function. DynamoDB, S3 and SQS are in memory; the registry is Debian's.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from local.docker_registry import docker_registry
from tests.service import ACME, Service, running_service

from bench.inputs import archive_of
from bench.samples import summary, taken_in_turn
from packyard.oci.digest import Digest
from packyard.operations.published import Published
from packyard.packs.file_edit import Edit
from packyard.packs.pack import Visibility

_PATH: Final = "guides/first-steps.md"


def measure_editing(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds of writing one file into the 280 MB pack, and of rebuilding the pack.

    `pushed_part` is how much of the image's layers, in bytes, an edit pushes; `layers` is how many there are.

    Args:
        folder: For inputs and temporary data.
        rounds: How often both are measured.
    """
    archive = archive_of("pack", folder=folder / "inputs")
    numbers = count(1)
    with service_with_a_registry(folder) as service:

        def rebuild() -> Published:
            """Build it for a new organisation."""
            actor = replace(ACME, org_id=f"{ACME.org_id[:-4]}{next(numbers):04d}")
            with archive.open("rb") as stream:
                return service.services.publisher.create(stream, visibility=Visibility.ORG, actor=actor)

        pack = rebuild().pack
        author = replace(ACME, org_id=pack.org_id)

        def edit() -> Published:
            """Write new content."""
            content = f"# First steps, version {next(numbers)}\n".encode()
            return service.services.file_editor.put(
                pack.id, Edit(path=_PATH, content=content), caller=author, if_match=None
            )

        edit()
        # The fakes of AWS are thousands of objects, which garbage collection need not visit again.
        gc.freeze()
        samples = taken_in_turn(
            {"packyard_s": lambda: _seconds(edit), "rebuild_s": lambda: _seconds(rebuild)}, rounds=rounds
        )
        before, after = layers_of(service, pack.id), layers_of(service, edit().pack.id)
    print(f"\nedit: one file of {archive.name}")
    for name, taken in samples.items():
        print(f"  {name:16} {summary(taken)}", flush=True)
    pushed = sum(size for digest, size in after.items() if digest not in before) / sum(after.values())
    print(f"  pushed of {len(after)} layers: {pushed:.3f}", flush=True)
    medians = {name: round(statistics.median(taken), 4) for name, taken in samples.items()}
    return medians | {"pushed_part": round(pushed, 4), "layers": len(after)}


def layers_of(service: Service, pack_id: str) -> dict[Digest, int]:
    """Return the size of each layer of a pack's image."""
    pack = service.services.packs.get(pack_id)
    kept_under = None if pack is None else pack.layer_digest
    index = None if kept_under is None else service.services.indexes.get(kept_under)
    return {} if index is None else {layer.digest: layer.size for layer in index.layers}


@contextmanager
def service_with_a_registry(folder: Path) -> Iterator[Service]:
    """Run the service with Debian's registry, which is a process of its own."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        docker_registry(Path(work)) as url,
        running_service() as service,
    ):
        service.new_process(settings=replace(service.services.settings, registry_url=url))
        yield service


def _seconds(work: Callable[[], Published]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
