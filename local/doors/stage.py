"""The packs, the role and the feed that all clients are tried with."""

import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin
from zipfile import ZipFile

import urllib3

from local.doors.pack import SKILL, DoorFailed, File, ServedPack
from local.doors.trial import Trial, require
from local.stack import StackDescription
from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer

ROLE: Final = "doors"
_SECONDS: Final = 120
_SHOWN_DIGITS: Final = 12
_MANIFEST: Final = """\
name: door-guide
version: 1.2.0
description: 'How to read what a door gives: with "quotes" and a colon.'
"""
_FRONTMATTER: Final = """\
---
name: door-skill
description: Try what clients do to files.
license: MIT
metadata:
  version: 0.3.0
---
"""
_GUIDE: Final[Mapping[str, File]] = {
    "pack.yaml": File(_MANIFEST.encode()),
    "behavior.md": File(b"# How to behave\n\nRead the guide first.\n"),
    "guides/first.md": File(b"# First\n"),
    "scripts/run.sh": File(b"#!/bin/sh\necho ran\n", executable=True),
}
_SKILL: Final[Mapping[str, File]] = {
    SKILL: File(_FRONTMATTER.encode() + b"\r\n# Try\r\n"),
    "scripts/run.sh": File(b"#!/bin/sh\necho ran\n", executable=True),
    "references/caf\u00e9.md": File("caf\u00e9\n".encode()),
    # More than the 100 bytes of a tar header's name, which one of the clients would cut off.
    f"references/{'a-folder-with-a-long-name/' * 4}deep.md": File(b"deep\n"),
    # No text, and nothing that can be compressed.
    "assets/every-byte.bin": File(bytes(range(256)) * 3),
    # Compressed as usual, more than the 50:1 that one of the clients takes.
    "assets/repeated.txt": File(b"0" * 200_000),
    "LICENSE.txt": File(b"MIT\n"),
    "assets/.hidden": File(b"hidden\n"),
}
_ALIAS: Final = "their-guide"


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls a local stack as one organisation.

    Attributes:
        stack: The stack.
        org: The organisation's slug.
    """

    stack: StackDescription
    org: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer's document.

        Raises:
            DoorFailed: It is a refusal.
        """
        answer = urllib3.request(
            method,
            self.stack["api_url"] + path,
            json=body,
            headers=self.credential,
            timeout=60,
            retries=False,
        )
        require(answer.status < 300, f"{method} {path}: {answer.status} {answer.data[:500]!r}")  # noqa: PLR2004 - all 2xx
        return json.loads(answer.data) if answer.data else None

    def bytes_of(self, path: str) -> bytes:
        """Return an answer's bytes."""
        answer = urllib3.request(
            "GET", self.stack["api_url"] + path, headers=self.credential, timeout=60, retries=False
        )
        require(answer.status == 200, f"GET {path}: {answer.status} {answer.data[:500]!r}")  # noqa: PLR2004 - OK
        return answer.data

    @property
    def credential(self) -> dict[str, str]:
        """The header that says who calls."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def key(self) -> str:
        """The organisation's key."""
        return self.stack["orgs"][self.org]["keys"]["full_access"]

    def push(self, folder: Path, home: Path) -> Any:
        """Publish a folder by the command, and return the pack.

        Raises:
            DoorFailed: It was refused.
        """
        out, err = io.StringIO(), io.StringIO()
        environment = {
            "PACKYARD_URL": self.stack["api_url"],
            "PACKYARD_TOKEN": self.key,
            "PACKYARD_CONFIG_DIR": str(home / "config"),
            "PACKYARD_CACHE_DIR": str(home / "cache"),
            "PACKYARD_NO_KEYRING": "1",
        }
        context = Context(environment=environment, printer=Printer(out=out, err=err), stdin=io.StringIO())
        arguments = ["push", str(folder), "--visibility", "community", "--json"]
        require(run(arguments, context) == 0, f"packyard push: {out.getvalue()}{err.getvalue()}")
        return json.loads(out.getvalue())["pack"]


def set_up(stack: StackDescription, folder: Path) -> Trial:
    """Publish the packs, pin them, make the feed, and wait until all of them are prepared.

    Args:
        stack: A running stack.
        folder: An empty folder.

    Raises:
        DoorFailed: Something was refused, or what is prepared is not what was published.
    """
    acme, globex = Caller(stack, "acme"), Caller(stack, "globex")
    published = [
        _published(acme, folder, _GUIDE, flat_name="door-guide"),
        _published(acme, folder, _SKILL, flat_name="door-skill"),
        _published(globex, folder, _GUIDE, flat_name="x6-globex-door-guide", alias=_ALIAS),
    ]
    pins = [
        {"id": pack.id, **({"alias": pack.folder} if pack.folder != pack.name else {})} for pack in published
    ]
    acme.call("PUT", f"/agent-roles/{ROLE}/packs", {"packs": pins})
    # What an earlier round has pinned stays where it is otherwise.
    acme.call("POST", f"/agent-roles/{ROLE}/packs/refresh", {})
    feed = acme.call("POST", "/feeds", {"role_id": ROLE, "label": "make doors"})
    # The service knows no host of its own here; a client knows it by the address that it called.
    secret = feed["url"].rstrip("/").rpartition("/")[2]
    url = f"{stack['api_url']}/f/{secret}"
    served = _prepared(url, published)
    return Trial(
        role=ROLE,
        feed=url,
        login=f"feed:{secret}",
        door=stack["door"],
        api_url=stack["api_url"],
        packs=[_with_skill(pack, served[pack.flat_name]) for pack in published],
        images=published,
        folder=folder,
        lock=acme.bytes_of(f"/agent-roles/{ROLE}/lock"),
    )


def change(stack: StackDescription, trial: Trial) -> Trial:
    """Publish a new version of one pack, move the role to it, and wait until it is prepared.

    Raises:
        DoorFailed: Something was refused, or what is prepared is not what was published.
    """
    acme, before = Caller(stack, "acme"), trial.changing
    files = {
        **{path: file for path, file in _SKILL.items() if path != "LICENSE.txt"},
        SKILL: File(_SKILL[SKILL].content.replace(b"0.3.0", b"0.4.0") + b"More.\n"),
        "references/new.md": File(b"New\n"),
    }
    after = _published(acme, trial.folder / "changed", files, flat_name=before.flat_name)
    acme.call("POST", f"/agent-roles/{ROLE}/packs/refresh", {})
    (place,) = [place for place, pack in enumerate(trial.packs) if pack is before]
    published = [after if pack.id == before.id else pack for pack in trial.images]
    _prepared(trial.feed, published)
    packs = [after if number == place else pack for number, pack in enumerate(trial.packs)]
    return replace(trial, packs=packs, images=published)


def _published(
    caller: Caller, folder: Path, files: Mapping[str, File], *, flat_name: str, alias: str = ""
) -> ServedPack:
    root = folder / "packs" / flat_name
    for path, file in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.content)
        place.chmod(0o755 if file.executable else 0o644)
    pack = caller.push(root, folder)
    return ServedPack(
        id=pack["id"],
        owner=caller.org,
        name=pack["name"],
        flat_name=flat_name,
        folder=alias or pack["name"],
        version=pack["version"],
        image=f"{caller.stack['door']}/{caller.org}/{pack['name']}@{pack['image_digest']}",
        files=files,
    )


def _prepared(feed: str, packs: Sequence[ServedPack]) -> dict[str, bytes]:
    """Return the zips by flat name, when there is one of each pack's image."""
    index = f"{feed}/.well-known/agent-skills/index.json"
    deadline = time.monotonic() + _SECONDS
    # A zip's name has the beginning of the image's digest.
    wanted = {f"{pack.flat_name}-{pack.image.rpartition(':')[2][:_SHOWN_DIGITS]}.zip" for pack in packs}
    while True:
        answer = urllib3.request("GET", index, timeout=60, retries=False)
        entries = json.loads(answer.data)["skills"] if answer.status == 200 else []  # noqa: PLR2004 - OK
        if {entry["url"].rpartition("/")[2] for entry in entries} == wanted:
            break
        require(time.monotonic() < deadline, f"the index names {entries}, and not {sorted(wanted)}")
        time.sleep(0.5)
    zips = {}
    for entry in entries:
        answer = urllib3.request("GET", urljoin(index, entry["url"]), timeout=60, retries=5)
        require(answer.status == 200, f"{entry['url']}: {answer.status}")  # noqa: PLR2004 - OK
        require(
            f"sha256:{hashlib.sha256(answer.data).hexdigest()}" == entry["digest"],
            f"the zip of {entry['name']} is not what the index names",
        )
        zips[entry["name"]] = answer.data
    return zips


def _with_skill(pack: ServedPack, archive: bytes) -> ServedPack:
    """Return a pack with the SKILL.md of its zip, if it brings none; all else in the zip must be the pack's own."""
    with ZipFile(io.BytesIO(archive)) as file:
        contents = {info.filename: file.read(info) for info in file.infolist()}
    whole = pack if pack.is_skill else pack.with_made(contents.get(SKILL, b""))
    if contents != {path: there.content for path, there in whole.files.items()}:
        raise DoorFailed(f"the zip of {pack.flat_name} holds {sorted(contents)}, or other bytes")
    return whole
