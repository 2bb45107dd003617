"""skopeo, podman and oras, which pull images from the distribution door with the login `feed`."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.doors.clients import readers_python
from local.doors.layouts import copied, manifest_digest, require_artifact, require_image
from local.doors.pack import ServedPack
from local.doors.trial import Passed, Room, Trial, require
from local.programs import find, program

_DOOR: Final = "/v2/"
_ARTIFACT: Final = "application/vnd.agentskills.skill.v1"
_PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
_STORAGE: Final = '[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
_INSECURE: Final = '[[registry]]\nlocation = "{door}"\ninsecure = true\n'


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what clients of OCI registries got.

    Raises:
        DoorFailed: They got something else.
    """
    room = Room(folder=trial.room("distribution"))
    options = ("--src-tls-verify=false", f"--src-creds={trial.login}")
    layouts = []
    for pack in trial.images:
        layout = copied(room, f"docker://{pack.image}", pack.flat_name, *options)
        require_image(room, layout, pack)
        layouts.append(layout)
    yield Passed(
        door=_DOOR,
        client="skopeo",
        version=version_of(room, "skopeo"),
        ran="copy --all",
        verified="every file and mode, unpacked by umoci; digests by the client",
    )

    one, digest = trial.images[0], manifest_digest(layouts[0])
    pulled = room.folder / "by-oras"
    image = f"{one.image.partition('/')[2].partition('@')[0]}@{digest}"
    pull = (readers_python(), _PROGRAMS / "pull_by_oras.py", trial.door, image, pulled)
    version = room.run(*pull, given=trial.login).output
    one.require_in(pulled, modes=True)
    yield Passed(
        door=_DOOR,
        client="oras (Python)",
        version=version,
        ran="pull, by a manifest's digest",
        verified="every file",
    )
    yield from _skills(trial, room, options)
    if os.geteuid() == 0 and find("podman"):
        yield _by_podman(trial)


def _skills(trial: Trial, room: Room, options: Sequence[str]) -> Iterator[Passed]:
    """Pull the skill artifact of each pack, which has a tag of its own."""
    for pack in trial.packs:
        layout = copied(room, f"docker://{_artifact(trial, pack)}", f"{pack.flat_name}-skill", *options)
        layer = require_artifact(layout, _ARTIFACT)
        _require_skill(room, layer, pack)
    yield Passed(
        door=_DOOR,
        client="skopeo",
        version=version_of(room, "skopeo"),
        ran="copy, of the skill artifact by its tag",
        verified="its type; every file and mode, unpacked by tar; digests by the client",
    )
    one = trial.packs[0]
    pulled = room.folder / "skill-by-oras"
    image = _artifact(trial, one).partition("/")[2]
    pull = (readers_python(), _PROGRAMS / "pull_by_oras.py", trial.door, image, pulled)
    version = room.run(*pull, given=trial.login).output
    _require_skill(room, pulled / f"{one.name}.tar.gz", one)
    yield Passed(
        door=_DOOR,
        client="oras (Python)",
        version=version,
        ran="pull, of the skill artifact by its tag",
        verified="its title; every file and mode, unpacked by tar",
    )


def _artifact(trial: Trial, pack: ServedPack) -> str:
    return f"{trial.door}/{pack.owner}/{pack.name}:skill-{pack.version}"


def _require_skill(room: Room, archive: Path, pack: ServedPack) -> None:
    """Check that an archive holds a pack's files in a folder of its name, and nothing beside it."""
    unpacked = room.folder / f"{archive.parent.name}-{pack.flat_name}-files"
    unpacked.mkdir()
    room.run("tar", "--extract", "--gzip", f"--file={archive}", f"--directory={unpacked}")
    require(
        [place.name for place in unpacked.iterdir()] == [pack.name], f"{archive} is no folder {pack.name}"
    )
    pack.require_in(unpacked / pack.name, modes=True)


def _by_podman(trial: Trial) -> Passed:
    # podman takes no path over 50 characters.
    with TemporaryDirectory(prefix="door-") as place:
        folder = Path(place)
        (folder / "home").mkdir()
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        (folder / "registries.conf").write_text(_INSECURE.format(door=trial.door))
        room = Room(
            folder=folder,
            variables={
                "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
                "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
            },
        )
        podman = program("podman")
        for pack in trial.images:
            room.run(podman, "pull", "--quiet", f"--creds={trial.login}", pack.image)
            mounted = room.run(podman, "image", "mount", pack.image).output.strip()
            require(mounted, f"podman mounted {pack.image} nowhere")
            pack.require_in(Path(mounted), modes=True)
            room.run(podman, "image", "unmount", pack.image)
        return Passed(
            door=_DOOR,
            client="podman",
            version=version_of(room, "podman"),
            ran="pull, image mount",
            verified="every file and mode; digests by the client",
        )


def version_of(room: Room, name: str) -> str:
    """Return the version of a system program."""
    told = room.run(program(name), "--version").output
    found = re.search(r"\d+(\.\d+)+", told)
    return found[0] if found else told.strip()
