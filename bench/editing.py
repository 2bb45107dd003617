"""One file replaced in a pack, beside a build of the whole pack anew: the section `edit` of the results.

Both are the operations that the functions call, in one process that has done both before: what is compared is the work,
not the start of a function. DynamoDB, S3 and SQS are in memory; the registry is Debian's.
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
from packyard.operations.publish import Published
from packyard.packs.file_edit import Edit
from packyard.packs.pack import Visibility

_PATH: Final = "guides/first-steps.md"


def measure_editing(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds of writing one file into the 280 MB pack, and of building all of that anew.

    Args:
        folder: Where inputs are kept and work is done.
        rounds: How often both come up.
    """
    archive = archive_of("pack", folder=folder / "inputs")
    numbers = count(1)
    with _service(folder) as service:

        def rebuild() -> Published:
            """Build it for an organisation that has nothing of it yet."""
            actor = replace(ACME, org_id=f"{ACME.org_id[:-4]}{next(numbers):04d}")
            with archive.open("rb") as stream:
                return service.services.publisher.create(stream, visibility=Visibility.ORG, actor=actor)

        pack = rebuild().pack
        author = replace(ACME, org_id=pack.org_id)

        def edit() -> Published:
            """Write what was not there before."""
            content = f"# First steps, version {next(numbers)}\n".encode()
            return service.services.file_editor.put(
                pack.id, Edit(path=_PATH, content=content), caller=author, if_match=None
            )

        edit()
        # What stands in for AWS is thousands of objects, which no collection need look at again.
        gc.freeze()
        samples = taken_in_turn(
            {"packyard_s": lambda: _seconds(edit), "rebuild_s": lambda: _seconds(rebuild)}, rounds=rounds
        )
    print(f"\nedit: one file of {archive.name}")
    for name, taken in samples.items():
        print(f"  {name:16} {summary(taken)}", flush=True)
    return {name: round(statistics.median(taken), 4) for name, taken in samples.items()}


@contextmanager
def _service(folder: Path) -> Iterator[Service]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        docker_registry(Path(work)) as url,
        running_service() as service,
    ):
        service.services.settings = replace(service.services.settings, registry_url=url)
        yield service


def _seconds(work: Callable[[], Published]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
