"""What building takes of memory, under a limit that the kernel holds it to: nothing that grows with the archive."""

import io
import os
import random
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

import pytest

PROJECT: Final = Path(__file__).parents[2]
MIB: Final = 1 << 20
FILE_BYTES: Final = 64 * MIB
FILES: Final = 15

# The address space counts what is reserved and never used too: each thread's stack and heap are 8 and 64 MiB of it.
LIMIT_BYTES: Final = 512 * MIB
BUILD: Final = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from packyard.operations.built_pack import building
from packyard.packs.archive.limits import ArchiveLimits
from packyard.registry.own.transport import Answer
from packyard.registry.own.early_upload import EarlyUpload
class Taking:
    base_url = "http://registry.invalid"
    def send(self, method, url, *, scopes, headers=None, body=None, also=()):
        for piece in () if body is None else body():
            pass
        return Answer(201, {{}}, b"")
    def location(self, answer, *, relative_to):
        return relative_to
def begin_upload(name):
    return EarlyUpload(transport=Taking(), repository=name, stall_seconds=5)
with (
    open(sys.argv[1], "rb") as archive,
    building(archive, limits=ArchiveLimits(), begin_upload=begin_upload) as built,
):
    assert len(built.image.layers) > 8
    for layer in built.image.layers:
        assert built.uploads[layer.digest].finish() is not None
        assert sum(map(len, layer.chunks())) == layer.size
# Not ru_maxrss, which a process takes over from the one that started it.
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")))
"""


class Repeated(io.RawIOBase):
    """A block, again and again, without holding more than it."""

    def __init__(self, block: bytes) -> None:
        super().__init__()
        self._block = block

    def read(self, size: int = -1, /) -> bytes:
        return (self._block * (size // len(self._block) + 1))[:size]


@pytest.fixture(scope="module")
def gibibyte(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of just under 1 GiB of which a third does not compress."""
    path = tmp_path_factory.mktemp("archive") / "pack.tar.gz"
    block = random.Random(1).randbytes(MIB // 3) + bytes(MIB - MIB // 3)  # noqa: S311 - the same in every run
    manifest = b"name: vast\nversion: 1.0.0\n"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        members = {"pack.yaml": (len(manifest), io.BytesIO(manifest))} | {
            f"data/{number}": (FILE_BYTES, Repeated(block)) for number in range(FILES)
        }
        for name, (size, content) in members.items():
            member = tarfile.TarInfo(name)
            member.size = size
            archive.addfile(member, content)
    return path


def test_a_gibibyte_is_built_and_read_back_within_a_hard_limit(gibibyte: Path) -> None:
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", BUILD.format(limit=LIMIT_BYTES), str(gibibyte)],
        env={"PATH": os.defpath, "PYTHONPATH": str(PROJECT / "layers" / "packyard" / "python")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) < 128 * 10**6
