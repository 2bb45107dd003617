"""What other people's clients and runtimes make of an image of ours in a registry."""

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.environments import tool
from local.programs import find
from tests.layer_readers.readings import (
    Reading,
    digest_of_files,
    digest_of_folder,
    readings_of_script,
    version_of,
)
from tests.witnesses import run

_HERE: Final = Path(__file__).parent
_SECONDS: Final = 120
_CONTAINERD: Final = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/socket"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An image in a registry.

    Attributes:
        host: The registry's host and port; it speaks HTTP.
        repository: The image's.
        index: The digest of the image index.
        manifest: The digest of the manifest for linux/amd64.
    """

    host: str
    repository: str
    index: str
    manifest: str

    @property
    def reference(self) -> str:
        """The image by its index's digest."""
        return f"{self.host}/{self.repository}@{self.index}"


def pulls(image: Published, folder: Path) -> Iterator[Reading]:
    """Yield what every client that is on this machine makes of an image.

    Args:
        image: The image.
        folder: An empty folder.
    """
    yield _by_skopeo_and_umoci(image, folder / "skopeo")
    yield from _by_python(image, folder / "python")
    if os.geteuid() == 0:
        for name, pull in _AS_ROOT.items():
            if find(name):
                # podman takes no path over 50 characters.
                with TemporaryDirectory(prefix="pull-") as place:
                    yield _reading(name, partial(pull, image, Path(place)))


def _reading(client: str, pull: Callable[[], str]) -> Reading:
    version = version_of((client, "--version"))
    try:
        return Reading(client, version, "files", pull())
    except subprocess.CalledProcessError as error:
        return Reading(client, version, "files", "", error.stderr)


def _by_skopeo_and_umoci(image: Published, folder: Path) -> Reading:
    folder.mkdir()
    layout = f"{folder / 'layout'}:pack"
    source = f"docker://{image.reference}"
    run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", source, f"oci:{layout}")
    run("umoci", "unpack", "--rootless", "--image", layout, str(folder / "bundle"))
    skopeo, umoci = (version_of((str(find(name)), "--version")) for name in ("skopeo", "umoci"))
    seen = digest_of_folder(folder / "bundle" / "rootfs")
    return Reading("skopeo copy, umoci unpack", f"{skopeo}, {umoci}", "files", seen)


def _by_python(image: Published, folder: Path) -> Iterator[Reading]:
    """Let Python's clients pull: of the layers that they leave, the files are read."""
    folder.mkdir()
    command = (
        tool("readers", "python"),
        _HERE / "pull.py",
        image.host,
        image.repository,
        image.index,
        image.manifest,
    )
    for answer in readings_of_script(*command, folder):
        digest = ", ".join(answer["seen"])
        for path in map(Path, answer["seen"]):
            if path.is_dir():
                digest = digest_of_folder(path)
            elif path.is_file():
                digest = digest_of_files(_files_of(path))
        yield Reading(
            f"{answer['client']}, {answer['what']}", answer["version"], "files", digest, answer["error"]
        )


def _files_of(layer: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(layer) as tar:
        for member in tar:
            content = tar.extractfile(member)
            yield member.name, b"" if content is None else content.read()


def _by_podman(image: Published, folder: Path) -> str:
    store = _store(folder)
    _command("podman", *store, "pull", "-q", "--tls-verify=false", image.reference)
    try:
        return digest_of_folder(Path(_command("podman", *store, "image", "mount", image.reference).strip()))
    finally:
        _command("podman", *store, "image", "umount", "--all")


def _by_buildah(image: Published, folder: Path) -> str:
    store = _store(folder)
    _command("buildah", *store, "from", "--tls-verify=false", "--name", "made", image.reference)
    try:
        return digest_of_folder(Path(_command("buildah", *store, "mount", "made").strip()))
    finally:
        _command("buildah", *store, "rm", "made")


def _by_containerd(image: Published, folder: Path) -> str:
    mounted = folder / "mounted"
    mounted.mkdir()
    with _running_containerd(folder) as control:
        _command(*control, "images", "pull", "--plain-http", "--snapshotter", "native", image.reference)
        _command(*control, "images", "mount", "--snapshotter", "native", image.reference, str(mounted))
        try:
            return digest_of_folder(mounted)
        finally:
            _command("umount", str(mounted))


@contextmanager
def _running_containerd(folder: Path) -> Iterator[Sequence[str]]:
    config = folder / "config.toml"
    config.write_text(_CONTAINERD.format(folder=folder))
    with subprocess.Popen(["containerd", "--config", config, "--log-level", "fatal"]) as process:  # noqa: S603, S607
        try:
            control = ("ctr", "--address", str(folder / "socket"))
            deadline = time.monotonic() + _SECONDS
            while subprocess.run([*control, "version"], capture_output=True, check=False).returncode:  # noqa: S603
                assert time.monotonic() < deadline, "containerd does not start"
                time.sleep(0.2)
            yield control
        finally:
            process.terminate()


def _store(folder: Path) -> Sequence[str]:
    return ("--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "vfs")


def _command(*command: str) -> str:
    where = shutil.which(command[0])
    assert where is not None
    finished = subprocess.run(  # noqa: S603 - a client, and arguments of ours
        [where, *command[1:]], capture_output=True, text=True, check=True, timeout=_SECONDS
    )
    return finished.stdout


# They mount images, which takes root.
_AS_ROOT: Final = {"podman": _by_podman, "buildah": _by_buildah, "containerd": _by_containerd}
