"""`clawhub`, which reads ClawHub's API, version 1."""

from collections.abc import Iterator
from typing import Final

from local.doors.clients import clawhub, npm_version, words_of
from local.doors.trial import Passed, Room, Trial, require

# What the client keeps beside the files.
_OWN: Final = frozenset({".clawhub/origin.json"})


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what `clawhub` got through its door.

    Raises:
        DoorFailed: It got something else.
    """
    room = Room(folder=trial.room("clawhub"), variables={"CLAWHUB_REGISTRY": trial.feed})
    command = words_of(clawhub())
    for pack in trial.packs:
        room.run(*command, "install", f"@{pack.owner}/{pack.name}")
        pack.require_in(room.folder / "skills" / f"@{pack.owner}" / pack.name, beside=_OWN)
    yield _passed("install", "every file of every skill")

    one = trial.packs[0]
    found = room.run(*command, "search", one.name).output
    require(f"@{one.owner}" in found, f"clawhub search {one.name} does not find it:\n{found}")
    told = room.run(*command, "inspect", f"@{one.owner}/{one.name}", "--files").output
    for path, file in one.files.items():
        require(path in told, f"clawhub inspect --files does not name {path}:\n{told}")
        require(len(file.content) > 0, path)
    yield _passed("search, inspect --files", "owner, name and every path")


def verify_update(trial: Trial) -> Iterator[Passed]:
    """Yield what `clawhub` did when a pack had changed. `verify` has run before.

    Raises:
        DoorFailed: It got something else.
    """
    room = Room(folder=trial.folder / "clawhub", variables={"CLAWHUB_REGISTRY": trial.feed})
    pack = trial.changing
    room.run(*words_of(clawhub()), "update", f"@{pack.owner}/{pack.name}", "--no-input")
    pack.require_in(room.folder / "skills" / f"@{pack.owner}" / pack.name, beside=_OWN)
    yield _passed("update", "the changed skill")


def _passed(ran: str, verified: str) -> Passed:
    return Passed(door="api/v1", client="clawhub", version=npm_version("clawhub"), ran=ran, verified=verified)
