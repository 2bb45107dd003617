"""The doors: the section `doors` of the results.

The index of the largest feed is made as its function makes it, in a process that has made one before, with AWS in
memory; beside it, all that it lists is read from the registry, as the job that prepares images does. A skill goes
through a door of the local stack, over HTTP; beside it, git clones the same files, without history, from a repository
that git serves over HTTP.
"""

import gc
import hashlib
import io
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import urllib3
from local.function import free_port
from local.stack import StackDescription, running_stack
from tests import feeds
from tests.doors import Doors
from tests.service import PackArchive, running_service

from bench.git_server import bare_repository, served_by_git
from bench.processes import Arguments, ProgramFailed, measure
from bench.samples import summary, taken_in_turn
from packyard.packs import feed
from packyard.packs.role import MAX_CHANGED_PINS, MAX_PACKS

_INDEX: Final = ".well-known/agent-skills/index.json"
_ROLE: Final = "support"
_FILES: Final = 10
_TEXT: Final = "Read the ticket, then say in one line what it is about.\n" * 40
_LONGEST_PREPARATION_SECONDS: Final = 60


def measure_doors(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return the milliseconds of an index and of a skill, and of what they are compared with.

    `list_ms` is the index of a list of as many packs as a feed takes, and `list_anew_ms` what it takes to read them
    from the registry. `role_ms` is the index of a role of as many as it takes, `role_anew_ms` the same for it, and
    `not_modified_ms` the answer that it is unchanged. `skill_ms` fetches a skill of ten files through the door and
    unpacks it, `git_clone_ms` clones it.

    Args:
        folder: For temporary data.
        rounds: How often each is measured.

    Raises:
        ProgramFailed: git failed, or an answer was another than it should be.
    """
    with tempfile.TemporaryDirectory(dir=folder) as work:
        section = _index(rounds=10 * rounds) | _skill(folder=Path(work).resolve(), rounds=4 * rounds)
    for name, value in section.items():
        print(f"  {name:24} {value:10.4g}", flush=True)
    return section


def _index(*, rounds: int) -> dict[str, float]:
    with running_service() as service:
        doors = Doors(service)
        archives = (PackArchive(name=f"skill-{number}", version="1.0.0") for number in range(feed.MAX_PACKS))
        packs = [service.upload(archive.build()).body["id"] for archive in archives]
        # A request pins so many.
        for most in (MAX_CHANGED_PINS, MAX_PACKS):
            service.set_role(_ROLE, packs[:most])

        def prepare(some: Sequence[str]) -> float:
            def work() -> None:
                for pack_id in some:
                    doors.prepare(pack_id)

            return _milliseconds(work)

        anew = {"role_anew_ms": prepare(packs[:MAX_PACKS])}
        anew["list_anew_ms"] = anew["role_anew_ms"] + prepare(packs[MAX_PACKS:])
        listed = feeds.secret_of(feeds.make(service, pack_ids=packs))
        of_role = feeds.secret_of(feeds.make(service, role_id=_ROLE))
        first = doors.get(_INDEX, feed=of_role)
        if len(first.body["skills"]) != MAX_PACKS:
            raise ProgramFailed(f"the index has not {MAX_PACKS} skills")
        # The fakes of AWS are thousands of objects, which garbage collection need not visit again.
        gc.freeze()
        contenders: dict[str, Callable[[], object]] = {
            "role_ms": lambda: doors.get(_INDEX, feed=of_role),
            "list_ms": lambda: doors.get(_INDEX, feed=listed),
            "not_modified_ms": lambda: doors.get(_INDEX, feed=of_role, etag=first.headers["ETag"]),
        }
        taken = taken_in_turn(
            {name: partial(_milliseconds, work) for name, work in contenders.items()}, rounds=rounds
        )
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return {name: round(value, 1) for name, value in (anew | medians).items()}


def _skill(*, folder: Path, rounds: int) -> dict[str, float]:
    files = folder / "files"
    files.mkdir()
    names = ("SKILL.md", *(f"step-{number}.md" for number in range(1, _FILES)))
    for name in names:
        head = "---\nname: tickets\ndescription: Reads tickets.\n---\n" if name == "SKILL.md" else ""
        (files / name).write_text(f"{head}# {name}\n\n{_TEXT}")
    repository = bare_repository(files, folder=folder)
    with (
        running_stack(folder=folder / "stack", port=free_port()) as stack,
        served_by_git(repository) as url,
    ):
        door = _Door.opened(stack, files)
        contenders: dict[str, Callable[[], None]] = {
            "skill_ms": lambda: door.fetch(names),
            "git_clone_ms": lambda: _cloned(url, names, folder=folder),
        }
        for contender in contenders.values():
            contender()
        taken = taken_in_turn(
            {name: partial(_milliseconds, work) for name, work in contenders.items()}, rounds=rounds
        )
    print(f"\ndoors: a skill of {_FILES} files beside git clone")
    for name, times in taken.items():
        print(f"  {name:24} {summary([each / 1000 for each in times])}", flush=True)
    return {name: round(statistics.median(times), 1) for name, times in taken.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """A feed of one skill on a running stack."""

    http: urllib3.PoolManager
    feed: str
    folder: Path

    @classmethod
    def opened(cls, stack: StackDescription, files: Path) -> "_Door":
        """Publish the skill, make the feed, and wait until it is prepared."""
        http = urllib3.PoolManager(retries=False, timeout=60)
        key = {"Authorization": f"Bearer {stack['orgs']['acme']['keys']['full_access']}"}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(files.iterdir()):
                archive.write(path, path.name)
        fields = {"archive": ("skill.zip", packed.getvalue(), "application/zip")}
        url = stack["api_url"] + "/packs/upload"
        pack = http.request("POST", url, fields=fields, headers=key).json()
        wanted = {"pack_ids": [pack["id"]]}
        made = http.request("POST", stack["api_url"] + "/feeds", json=wanted, headers=key).json()
        # The emulator's path is not in links.
        secret = made["url"].rstrip("/").rpartition("/")[2]
        door = cls(http=http, feed=f"{stack['api_url']}/f/{secret}/", folder=files.parent)
        deadline = time.monotonic() + _LONGEST_PREPARATION_SECONDS
        while not door.index():
            if time.monotonic() > deadline:
                raise ProgramFailed("the skill was not prepared in time")
            time.sleep(0.2)
        return door

    def index(self) -> list[dict[str, str]]:
        """Return the entries of the index; none while the skill is being prepared."""
        answer = self.http.request("GET", self.feed + _INDEX)
        entries: list[dict[str, str]] = answer.json().get("skills", [])
        return entries

    def fetch(self, names: tuple[str, ...]) -> None:
        """Fetch the skill as clients do: the index, then the archive, which must have the digest of the index."""
        (entry,) = self.index()
        answer = self.http.request("GET", urljoin(self.feed + _INDEX, entry["url"]), redirect=True, retries=3)
        if entry["digest"] != f"sha256:{hashlib.sha256(answer.data).hexdigest()}":
            raise ProgramFailed("the archive has another digest than the index says")
        with tempfile.TemporaryDirectory(dir=self.folder) as target:
            zipfile.ZipFile(io.BytesIO(answer.data)).extractall(target)
            _require(names, Path(target))


def _cloned(url: str, names: tuple[str, ...], *, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as target:
        command: Arguments = ("git", "clone", "--quiet", "--depth", "1", url, Path(target) / "skill")
        measure(command, folder=folder)
        _require(names, Path(target) / "skill")


def _require(names: tuple[str, ...], folder: Path) -> None:
    if sorted(path.name for path in folder.iterdir() if path.name != ".git") != sorted(names):
        raise ProgramFailed("not all files came")


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
