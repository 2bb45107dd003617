"""`skills`, which reads `.well-known/agent-skills/index.json`."""

import json
from collections.abc import Iterator
from typing import Final

from local.doors.clients import npm_version, skills, words_of
from local.doors.trial import Passed, Room, Trial, require

_DOOR: Final = ".well-known/agent-skills"
_LOCK: Final = "skills-lock.json"
_INSTALLED: Final = ".claude/skills"
_OPTIONS: Final = ("-a", "claude-code", "-y")


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what `skills` got through its door.

    Raises:
        DoorFailed: It got something else.
    """
    room = Room(folder=trial.room("skills"))
    command = words_of(skills())
    listed = room.run(*command, "add", trial.feed, "--list").output
    for pack in trial.packs:
        require(pack.flat_name in listed, f"skills add --list does not name {pack.flat_name}:\n{listed}")
    room.run(*command, "add", trial.feed, "--skill", "*", *_OPTIONS)
    _require_all(trial, room)
    there = room.run(*command, "list").output
    # By the names in the files, of which two may be the same; it shows one of these.
    for pack in trial.packs:
        require(pack.name in there, f"skills list does not name {pack.name}:\n{there}")
    yield _passed("add, list", "every file of every skill")

    lock = json.loads((room.folder / _LOCK).read_bytes())["skills"]
    require(len(lock) == len(trial.packs), f"{_LOCK} has {sorted(lock)}")
    again = Room(folder=trial.room("skills-restored"))
    (again.folder / _LOCK).write_bytes((room.folder / _LOCK).read_bytes())
    again.run(*command, "experimental_install", *_OPTIONS)
    for pack in trial.packs:
        place = again.folder / ".agents" / "skills" / pack.flat_name
        pack.require_in(place)
    yield _passed("restore (experimental_install)", "every file, from the lock file alone")

    one = trial.packs[0]
    alone = Room(folder=trial.room("skills-one"))
    alone.run(*command, "add", f"{trial.feed}/{one.flat_name}", *_OPTIONS)
    one.require_in(alone.folder / _INSTALLED / one.flat_name)
    count = len(list((alone.folder / _INSTALLED).iterdir()))
    require(count == 1, f"the index of one pack installed {count} skills")
    yield _passed("add, of one pack", "every file, and no other skill")


def verify_update(trial: Trial) -> Iterator[Passed]:
    """Yield what `skills` did when a pack had changed. `verify` has run before.

    Raises:
        DoorFailed: It got something else.
    """
    room = Room(folder=trial.folder / "skills")
    told = room.run(*words_of(skills()), "update", "-p", "-y").output
    _require_all(trial, room)
    require("Updated 1 skill" in told, f"skills update did not update the one that changed:\n{told}")
    yield _passed("update", "the changed skill, and no other")


def _require_all(trial: Trial, room: Room) -> None:
    for pack in trial.packs:
        pack.require_in(room.folder / _INSTALLED / pack.flat_name)


def _passed(ran: str, verified: str) -> Passed:
    return Passed(door=_DOOR, client="skills", version=npm_version("skills"), ran=ran, verified=verified)
