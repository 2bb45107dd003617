"""Reading one file from a large layer, compared with copying its image: the section `read_file` of the results.

The file is read as its function reads it, in a process that has read one before. DynamoDB and S3 are in memory; the
registry is Debian's. A counting proxy is between us and the registry, but not between the copy and the registry.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from local.docker_registry import docker_registry
from local.programs import program
from tests.registry_wire import Wire, wired
from tests.service import ACME, Service, running_service

from bench.contenders import Task, umoci_and_skopeo
from bench.inputs import archive_of
from bench.processes import Arguments, ProgramFailed, measure
from bench.samples import summary, taken_in_turn
from packyard.oci.read.file_index import IndexedFile
from packyard.oci.reference import parse_reference
from packyard.packs.pack import Pack, Visibility

_INPUT: Final = "80_mb"
_FILE_BYTES: Final = 50_000
_FOREIGN: Final = "others/image"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A file to read.

    Attributes:
        service: The service that reads it.
        wire: The counting proxy.
        host: The registry behind the proxy.
        pack: The pack that has the file.
        folder: For copies.
    """

    service: Service
    wire: Wire
    host: str
    pack: Pack
    folder: Path

    def measure(self, name: str, *, rounds: int) -> dict[str, float]:
        """Return the seconds to read the file and to copy the image."""
        index = self.service.services.files.index(self.pack, caller=ACME)
        file = min(index.files, key=lambda file: (abs(file.size - _FILE_BYTES), file.path))

        def read() -> float:
            self.wire.reset()
            return self._read_seconds(file)

        # The first read of a process loads the modules. Garbage collection need not visit the fakes of AWS again.
        read()
        gc.freeze()
        samples = taken_in_turn({"packyard": read, "skopeo copy": self._copy_seconds}, rounds=rounds)
        print(f"\nread_file, {name}: {file.path}, {file.size} bytes of {index.layers[0].size / 1e6:.1f} MB")
        for contender, taken in samples.items():
            print(f"  {contender:16} {summary(taken)}", flush=True)
        ours, theirs = (statistics.median(taken) * 1000 for taken in samples.values())
        return {
            "file_bytes": file.size,
            "layer_bytes": sum(layer.size for layer in index.layers),
            "bytes_fetched": self.wire.fetched,
            "requests": self.wire.requests,
            "ranged_requests": self.wire.ranges,
            "packyard_ms": round(ours, 1),
            "skopeo_copy_ms": round(theirs, 1),
            "ratio": round(ours / theirs, 4),
        }

    def _read_seconds(self, file: IndexedFile) -> float:
        files = self.service.services.files
        started = time.perf_counter()
        content = files.content(files.find(self.pack, file.path, caller=ACME))
        seconds = time.perf_counter() - started
        if len(content) != file.size:
            raise ProgramFailed(f"{file.path} came with {len(content)} bytes of {file.size}")
        return seconds

    def _copy_seconds(self) -> float:
        image = self.pack.image_ref.replace(self.wire.host, self.host, 1)
        options = ["--quiet", "--insecure-policy", "--src-tls-verify=false"]
        with tempfile.TemporaryDirectory(dir=self.folder) as copy:
            command: Arguments = [program("skopeo"), "copy", *options, f"docker://{image}", f"dir:{copy}"]
            return measure(command, folder=self.folder).seconds


def measure_reading(*, folder: Path, rounds: int) -> dict[str, Any]:
    """Return the cost of one file of 50 KB: from a layer that we have built, and from a third-party layer.

    Args:
        folder: For inputs and temporary data, up to 1 GB.
        rounds: How often the file is read and the image copied, in turn.

    Raises:
        ProgramFailed: Something did not run.
    """
    archive = archive_of(_INPUT, folder=folder / "inputs")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        with _built(archive, Path(work)) as reading:
            section: dict[str, Any] = dict(reading.measure("built", rounds=rounds))
        with _registered(archive, Path(work)) as reading:
            section["third_party_gzip"] = reading.measure("third-party, gzip", rounds=rounds)
    return section


@contextmanager
def _built(archive: Path, folder: Path) -> Iterator[_Reading]:
    """A pack that was built from the archive."""
    with _service(folder) as (service, wire, host):
        service.new_process(settings=replace(service.services.settings, registry_url=f"http://{wire.host}"))
        with archive.open("rb") as stream:
            published = service.services.publisher.create(stream, visibility=Visibility.ORG, actor=ACME)
        yield _Reading(service=service, wire=wire, host=host, pack=published.pack, folder=folder)


@contextmanager
def _registered(archive: Path, folder: Path) -> Iterator[_Reading]:
    """A pack for an image that umoci has made from the archive: one gzip stream, like most layers."""
    with _service(folder) as (service, wire, host), tempfile.TemporaryDirectory(dir=folder) as empty:
        umoci_and_skopeo(Task(archive=archive, host=host, repository=_FOREIGN, folder=Path(empty)))
        published = service.services.registrar.create(
            parse_reference(f"{wire.host}/{_FOREIGN}:latest"), visibility=Visibility.ORG, actor=ACME
        )
        service.services.image_files.read_index(published.pack, org_id=ACME.org_id)
        yield _Reading(service=service, wire=wire, host=host, pack=published.pack, folder=folder)


@contextmanager
def _service(folder: Path) -> Iterator[tuple[Service, Wire, str]]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as data,
        docker_registry(Path(data)) as url,
        wired(url.removeprefix("http://")) as wire,
        running_service() as service,
    ):
        yield service, wire, url.removeprefix("http://")
