"""Ways from an archive to a pushed image, each as an expert in the tool would do it."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.environments import PROJECT, tool
from local.programs import program
from local.sam_deployment import BUILT

from bench.processes import Arguments, Run, measure, measure_all

HERE: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One archive to push to one registry.

    Attributes:
        archive: The `.tar.gz`.
        host: The registry's host and port. It speaks plain HTTP.
        repository: The repository for the image, still empty.
        folder: An empty folder to work in.
    """

    archive: Path
    host: str
    repository: str
    folder: Path


def packyard(task: Task) -> Run:
    """Push with the code of the built layer only."""
    return run_in_layer("bench.packyard_push", task.archive, task.host, task.repository, folder=task.folder)


def run_in_layer(module: str, *arguments: str | Path, folder: Path) -> Run:
    """Run a module with the code of the built layer only.

    Args:
        module: Its name.
        arguments: Its arguments.
        folder: Where it runs.

    Raises:
        ProgramFailed: Its exit status is not 0.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (BUILT / "PackyardLayer" / "python", PROJECT))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # With this variable Python would look for the layer's bytecode elsewhere, and not find it.
    environment.pop("PYTHONPYCACHEPREFIX", None)
    # -S: without the packages of this environment, which the layer does not have.
    return measure([sys.executable, "-S", "-m", module, *arguments], folder=folder, environment=environment)


def umoci_and_skopeo(task: Task) -> Run:
    """Unpack, insert the tree as a layer, copy the image to the registry."""
    tree, layout = task.folder / "tree", task.folder / "image"
    tree.mkdir()
    umoci, image = program("umoci"), f"{layout}:latest"
    return measure_all(
        [
            [program("tar"), "-xzf", task.archive, "--strip-components=1", "-C", tree],
            [umoci, "init", "--layout", layout],
            [umoci, "new", "--image", image],
            [umoci, "insert", "--rootless", "--image", image, tree, "/"],
            [
                program("skopeo"),
                "copy",
                "--quiet",
                "--insecure-policy",
                "--dest-tls-verify=false",
                f"oci:{image}",
                f"docker://{task.host}/{task.repository}:latest",
            ],
        ],
        folder=task.folder,
    )


def buildah(task: Task) -> Run:
    """From scratch: add the archive, commit, push. vfs, because not every kernel allows overlay file systems."""
    executable = program("buildah")
    options = ["--storage-driver=vfs", f"--root={task.folder}/root", f"--runroot={task.folder}/run"]
    # Without root, it becomes root in a user namespace.
    rooted = [executable] if os.geteuid() == 0 else [executable, "unshare", executable]
    command = [*rooted, *options]
    name = "pack"
    return measure_all(
        [
            [*command, "from", f"--name={name}", "scratch"],
            [*command, "add", "--quiet", name, task.archive, "/"],
            [*command, "commit", "--quiet", name, "pack:latest"],
            [
                *command,
                "push",
                "--quiet",
                "--tls-verify=false",
                "pack:latest",
                f"docker://{task.host}/{task.repository}:latest",
            ],
        ],
        folder=task.folder,
    )


def oras_push(task: Task) -> Run:
    """Push the archive unchanged and unchecked: a lower bound."""
    arguments: Arguments = [
        tool("bench", "python"),
        HERE / "oras_push.py",
        task.archive,
        task.host,
        task.repository,
    ]
    return measure(arguments, folder=task.folder)


def gunzip_and_sha256(task: Task) -> Run:
    """Only inflate and hash the content once, without image or push."""
    return measure([sys.executable, HERE / "gunzip_sha256.py", task.archive], folder=task.folder)


CONTENDERS: Final[Mapping[str, Callable[[Task], Run]]] = {
    "packyard_s": packyard,
    "umoci_skopeo_s": umoci_and_skopeo,
    "buildah_s": buildah,
    "oras_push_s": oras_push,
    "gunzip_sha256_s": gunzip_and_sha256,
}
