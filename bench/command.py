"""The `packyard` command on the local stack: the section `command` of the results.

Each figure is the wall clock of a whole process. What a command is compared with does the same work for another
organisation, or into another folder, and does it in turn.
"""

import json
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final

import urllib3
from local.environments import PROJECT
from local.function import free_port
from local.programs import program
from local.stack import StackDescription, running_stack

from bench.editing import with_one_file_changed
from bench.inputs import archive_of
from bench.processes import Arguments, Run, measure, measure_all
from bench.samples import summary, taken_in_turn

_INPUT: Final = "pack"
_ROLE: Final = "bench"
_POLL_SECONDS: Final = 0.1
_LONGEST_BUILD_SECONDS: Final = 300


def measure_command(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds of commands, and of what does the same.

    `help_s` and `check_small_s` need no service. `push_changed_s` pushes the 280 MB pack with one file changed, and
    `push_archive_s` sends such a pack whole by curl, until it is built. `install_s` installs it where nothing is,
    `install_changed_s` after that change, and `skopeo_umoci_s` copies the same image through the same door and unpacks
    it.

    Args:
        folder: For inputs and temporary data: 2 GB, and 1 GB for each round.
        rounds: How often each is measured.
    """
    inputs = folder / "inputs"
    archive, small = archive_of(_INPUT, folder=inputs), archive_of("small", folder=inputs)
    archives = (archive, with_one_file_changed(archive, folder=inputs))
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        running_stack(folder=Path(work) / "stack", port=free_port()) as stack,
    ):
        desk = _Desk(stack=stack, folder=Path(work), archives=archives)
        desk.unpack(archive, "pack")
        desk.unpack(small, "small")
        contenders = {
            "help_s": desk.help,
            "check_small_s": desk.check,
            "push_archive_s": desk.send_archive,
            "push_changed_s": desk.push_changed,
            "install_changed_s": desk.install_changed,
            "install_s": desk.install,
            "skopeo_umoci_s": desk.copy_and_unpack,
        }
        desk.begin()
        samples = taken_in_turn(contenders, rounds=rounds)
    print(f"\ncommand: {archive.name}, on the local stack")
    for name, taken in samples.items():
        print(f"  {name:24} {summary(taken)}", flush=True)
    return {name: round(median(taken), 4) for name, taken in samples.items()}


@dataclass(kw_only=True)
class _Desk:
    """Where the commands run.

    Attributes:
        stack: The stack. One organisation pushes files, the other one archives.
        folder: For everything.
        archives: The pack's, and the same with one file changed.
    """

    stack: StackDescription
    folder: Path
    archives: tuple[Path, Path]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def unpack(self, archive: Path, name: str) -> None:
        """Unpack an archive into a folder of this name, without the folder that wraps it."""
        with tarfile.open(archive) as tar:
            tar.extractall(self.folder / "unpacked", filter="data")
        (only,) = (self.folder / "unpacked").iterdir()
        only.rename(self.folder / name)

    def begin(self) -> None:
        """Publish what will be changed, give it to a role, install it, and let every function run once."""
        self._packyard("push", "pack", "--quiet")
        self._packyard("roles", "set", _ROLE, _INPUT, "--quiet")
        self._packyard("install", _ROLE, "--into", "standing", "--quiet")
        for contender in (self.send_archive, self.push_changed, self.install_changed, self.copy_and_unpack):
            contender()

    def help(self) -> float:
        """Show the help."""
        return self._packyard("--help").seconds

    def check(self) -> float:
        """Check the small pack."""
        return self._packyard("check", "small").seconds

    def push_changed(self) -> float:
        """Change one file and push."""
        guide = self.folder / "pack" / "guides" / "first-steps.md"
        guide.write_text(f"# First steps, version {next(self.numbers)}\n")
        return self._packyard("push", "pack", "--quiet").seconds

    def send_archive(self) -> float:
        """Send the other of the two archives by curl, and wait until it is built."""
        started = time.perf_counter()
        upload = self._call("POST", "/packs/uploads", {})
        form = [f"-F{name}={value}" for name, value in upload["fields"].items()]
        archive = self.archives[next(self.numbers) % 2]
        curl: Arguments = [program("curl"), "-sSf", *form, f"-Ffile=@{archive}", upload["url"]]
        measure(curl, folder=self.folder)
        while self._call("GET", f"/packs/uploads/{upload['upload_id']}")["status"] not in {"done", "failed"}:
            if time.perf_counter() - started > _LONGEST_BUILD_SECONDS:
                raise TimeoutError("the archive was not built")
            time.sleep(_POLL_SECONDS)
        return time.perf_counter() - started

    def install_changed(self) -> float:
        """Install the change that was pushed last over what is installed."""
        self._packyard("roles", "refresh", _ROLE, "--quiet")
        return self._packyard("install", _ROLE, "--into", "standing", "--quiet").seconds

    def install(self) -> float:
        """Install into an empty folder, with an empty cache."""
        empty = self._new_folder()
        command = ("install", _ROLE, "--into", f"{empty}/role", "--quiet")
        return self._packyard(*command, PACKYARD_CACHE_DIR=f"{empty}/cache").seconds

    def copy_and_unpack(self) -> float:
        """Copy the pinned image by skopeo and unpack it by umoci."""
        login = self._call("POST", f"/agent-roles/{_ROLE}/pull-token", None, org="acme")
        (pack,) = self._call("GET", f"/agent-roles/{_ROLE}/packs", org="acme")["packs"]
        empty = self._new_folder()
        source = f"docker://{login['registry']}/acme/{_INPUT}@{pack['image_digest']}"
        credentials = f"--src-creds={login['username']}:{login['password']}"
        options = ["--quiet", "--insecure-policy", "--src-tls-verify=false", credentials]
        commands: list[Arguments] = [
            [program("skopeo"), "copy", *options, source, f"oci:{empty}/image:pack"],
            [program("umoci"), "raw", "unpack", "--rootless", f"--image={empty}/image:pack", f"{empty}/tree"],
        ]
        return measure_all(commands, folder=self.folder).seconds

    def _new_folder(self) -> Path:
        """Return an empty folder, which is removed after all measurements.

        An ext4 without a journal does not use the inode of a file again for minutes after it was removed (Linux,
        fs/ext4/ialloc.c, recently_deleted). To find another one takes longer than to write a file. So what is removed
        between measurements would be measured.
        """
        return Path(tempfile.mkdtemp(dir=self.folder))

    def _packyard(self, *arguments: str, **more: str) -> Run:
        # Installed programs are compiled once. Some machines turn that off for everything.
        inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {
            **inherited,
            "PYTHONPYCACHEPREFIX": str(self.folder / "compiled"),
            "PYTHONPATH": os.pathsep.join(str(PROJECT / part) for part in ("cli", "layers/packyard/python")),
            "PACKYARD_URL": self.stack["api_url"],
            "PACKYARD_TOKEN": self.stack["orgs"]["acme"]["keys"]["full_access"],
            "PACKYARD_CONFIG_DIR": str(self.folder / "config"),
            "PACKYARD_CACHE_DIR": str(self.folder / "cache"),
            "PACKYARD_NO_KEYRING": "1",
            **more,
        }
        return measure(
            [sys.executable, "-m", "packyard_cli", *arguments], folder=self.folder, environment=environment
        )

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, org: str = "globex"
    ) -> Any:
        key = self.stack["orgs"][org]["keys"]["full_access"]
        answer = urllib3.request(
            method, self.stack["api_url"] + path, json=body, headers={"Authorization": f"Bearer {key}"}
        )
        return json.loads(answer.data)
