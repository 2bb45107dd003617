"""Changing a pack, compared with building it from its archive: the section `edit` of the results.

All are the functions' own operations, in one process that has done each before. So this compares the work, not the
start of a function. DynamoDB, S3 and SQS are in memory; the registry is Debian's.
"""

import gc
import gzip
import io
import json
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from local.docker_registry import docker_registry
from local.programs import program
from tests.gateway import Request
from tests.registry_wire import wired
from tests.service import ACME, Service, running_service

from bench.inputs import archive_of
from bench.processes import Arguments, measure
from bench.samples import summary, taken_in_turn
from packyard.oci.digest import Digest
from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.operations.published import Published
from packyard.packs.file_edit import Edit
from packyard.packs.pack import Pack, Visibility
from packyard.tenants.caller import Caller

_PATH: Final = "guides/first-steps.md"
_CHANGED: Final = b"This file has changed.\n"
_PLACES: Final = 5
_FILES_OF_A_PLACE: Final = 4


def measure_editing(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds of changes of the 280 MB pack, and of building it anew (`rebuild_s`).

    `packyard_s` writes one file, `twenty_files_s` changes twenty in five places at once, and `reupload_s` sends the
    whole archive again with one file changed. `pushed_part` and `twenty_files_pushed_part` are how much of the image's
    layers, in bytes, the first two push. `pulled_part` is what a node fetches that has the image before the first,
    compared with one that has nothing. `layers` is how many the image has. `diff_ms` is the median of comparing the
    last two revisions of the changed pack, in milliseconds, by the function's own handler.

    Args:
        folder: For inputs and temporary data, up to 2 GB.
        rounds: How often each is measured.
    """
    inputs = folder / "inputs"
    archive = archive_of("pack", folder=inputs)
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        docker_registry(Path(work)) as url,
        running_service() as service,
    ):
        service.new_process(settings=replace(service.services.settings, registry_url=url))
        desk = _Desk(service=service, archives=(archive, with_one_file_changed(archive, folder=inputs)))
        contenders: dict[str, Callable[[], Published]] = {
            "packyard_s": desk.edit,
            "twenty_files_s": desk.change_twenty,
            "reupload_s": desk.reupload,
            "rebuild_s": desk.rebuild,
        }
        for contender in contenders.values():
            contender()
        # The fakes of AWS are thousands of objects, which garbage collection need not visit again.
        gc.freeze()
        samples = taken_in_turn(
            {name: partial(_seconds, work) for name, work in contenders.items()}, rounds=rounds
        )
        parts = _parts(desk, host=url.removeprefix("http://"), folder=Path(work))
        parts["diff_ms"] = desk.diff_milliseconds(rounds=10 * rounds)
    print(f"\nedit: changes of {archive.name}, beside a rebuild")
    rebuild = statistics.median(samples["rebuild_s"])
    for name, taken in samples.items():
        print(f"  {name:24} {summary(taken)}  {statistics.median(taken) / rebuild:.3f}", flush=True)
    for name, part in parts.items():
        print(f"  {name:24} {part:8.4g}", flush=True)
    return {name: round(statistics.median(taken), 4) for name, taken in samples.items()} | parts


@dataclass(kw_only=True)
class _Desk:
    """What changes packs. Each change brings new content.

    Attributes:
        archives: The pack's, and the same with one file changed.
        pack: The one whose files are changed.
        sent: The one whose archive is sent again.
    """

    service: Service
    archives: tuple[Path, Path]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    pack: Pack = field(init=False)
    sent: Pack = field(init=False)
    sendings: Iterator[int] = field(default_factory=lambda: count(1))
    places: Sequence[IndexedFile] = field(init=False)

    def __post_init__(self) -> None:
        """Build the packs."""
        self.pack, self.sent = self.rebuild().pack, self.rebuild().pack
        files = self.index().files
        self.places = [
            files[place * len(files) // _PLACES + number]
            for place in range(_PLACES)
            for number in range(1, _FILES_OF_A_PLACE + 1)
        ]

    def rebuild(self) -> Published:
        """Build the pack for a new organisation."""
        actor = replace(ACME, org_id=f"{ACME.org_id[:-4]}{next(self.numbers):04d}")
        with self.archives[0].open("rb") as stream:
            return self.service.services.publisher.create(stream, visibility=Visibility.ORG, actor=actor)

    def edit(self) -> Published:
        """Write one file."""
        content = f"# First steps, version {next(self.numbers)}\n".encode()
        return self.service.services.file_editor.put(
            self.pack.id, Edit(path=_PATH, content=content), caller=_owner(self.pack), if_match=None
        )

    def change_twenty(self) -> Published:
        """Replace twenty files by others of their size."""
        version = next(self.numbers)
        archive = _archive({file.path: _text(file, version) for file in self.places})
        return self.service.services.file_editor.change(
            self.pack.id, archive=io.BytesIO(archive), deletions=[], actor=_owner(self.pack)
        )

    def reupload(self) -> Published:
        """Send the other of the two archives."""
        with self.archives[next(self.sendings) % 2].open("rb") as stream:
            return self.service.services.publisher.replace(
                stream, pack_id=self.sent.id, actor=_owner(self.sent)
            )

    def diff_milliseconds(self, *, rounds: int) -> float:
        """Compare the two latest revisions of the changed pack, and return the median time."""
        pack = self.service.services.packs.get(self.pack.id) or self.pack
        path = f"/packs/{pack.id}/diff"
        query = {"from": str(pack.revision - 1)}
        request = Request(method="GET", resource=path, path=path, query=query, caller=_owner(pack))
        taken = []
        for _ in range(rounds + 1):
            started = time.perf_counter()
            answer = self.service.invoke("get_diff", request.event())
            taken.append((time.perf_counter() - started) * 1000)
            if not json.loads(answer["body"])["files"]["changed"]:
                raise ValueError("nothing differs")
        return round(statistics.median(taken[1:]), 1)

    def index(self) -> FileIndex:
        """Return the index of the changed pack's files."""
        owner = _owner(self.pack)
        pack = self.service.services.packs.get(self.pack.id)
        return self.service.services.files.index(pack or self.pack, caller=owner)


def _parts(desk: _Desk, *, host: str, folder: Path) -> dict[str, float]:
    """Return how much of the image changes push, and how much a node then pulls."""
    with wired(host) as wire:
        image = desk.pack.image_ref.replace(host, wire.host, 1)

        def fetched() -> int:
            """Copy the image to the node's store, and return the bytes that came."""
            wire.reset()
            options = ["--quiet", "--insecure-policy", "--src-tls-verify=false"]
            store = f"oci:{folder / 'node'}:pack"
            copy: Arguments = [program("skopeo"), "copy", *options, f"docker://{image}", store]
            measure(copy, folder=folder)
            return wire.fetched

        whole, first = fetched(), _layers(desk.index())
        desk.edit()
        part, second = fetched(), _layers(desk.index())
    desk.change_twenty()
    third = _layers(desk.index())
    return {
        "pushed_part": _new_part(first, second),
        "pulled_part": round(part / whole, 4),
        "twenty_files_pushed_part": _new_part(second, third),
        "layers": len(third),
    }


def _new_part(before: Mapping[Digest, int], after: Mapping[Digest, int]) -> float:
    new = sum(size for digest, size in after.items() if digest not in before)
    return round(new / sum(after.values()), 4)


def _layers(index: FileIndex) -> dict[Digest, int]:
    return {layer.digest: layer.size for layer in index.layers}


def _owner(pack: Pack) -> Caller:
    return replace(ACME, org_id=pack.org_id)


def _text(file: IndexedFile, version: int) -> bytes:
    line = f"Version {version} of {file.path}.\n".encode()
    return (line * (file.size // len(line) + 1))[: file.size]


def _archive(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for path, content in files.items():
            _add(archive, path, content)
    return written.getvalue()


def with_one_file_changed(archive: Path, *, folder: Path) -> Path:
    """Return an archive with the same members, of which one text starts in another way."""
    path = folder / archive.name.replace(".tar.gz", "-changed.tar.gz")
    if path.exists():
        return path
    unfinished = path.with_suffix(".unfinished")
    with (
        tarfile.open(archive, mode="r|gz") as old,
        unfinished.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.GNU_FORMAT) as new,
    ):
        changed = False
        for member in old:
            stream = old.extractfile(member)
            content = b"" if stream is None else stream.read()
            if not changed and member.name.endswith(".md") and len(content) > len(_CHANGED):
                content, changed = _CHANGED + content[len(_CHANGED) :], True
            _add(new, member.name, content)
    return unfinished.rename(path)


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    info = tarfile.TarInfo(path)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _seconds(work: Callable[[], Published]) -> float:
    started = time.perf_counter()
    if not work().changed:
        raise ValueError("nothing has changed")
    return time.perf_counter() - started
