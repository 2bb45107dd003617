"""Claude Code, which reads `marketplace.json` and fetches the plugins' archives over https."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.doors.authority import secure_host
from local.doors.clients import claude, npm_version, words_of
from local.doors.pack import DoorFailed
from local.doors.trial import Passed, Room, Trial

_DOOR: Final = "marketplace.json"


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what Claude Code got through its door.

    Raises:
        DoorFailed: It got something else.
    """
    trial.room("claude")
    command = words_of(claude())
    with _room(trial) as (room, host):
        feed = trial.feed.replace(trial.api_url, host, 1)
        room.run(*command, "plugin", "marketplace", "add", f"{feed}/{_DOOR}")
        (known,) = json.loads(room.run(*command, "plugin", "marketplace", "list", "--json").output)
        name = known["name"]
        for pack in trial.packs:
            room.run(*command, "plugin", "install", f"{pack.flat_name}@{name}")
        _require_all(trial, room, name)
    yield _passed(
        "marketplace add, install", "every file of every plugin, and its mode; https to a local authority"
    )

    checked = room.folder / "checked"
    (checked / ".claude-plugin").mkdir(parents=True)
    document = room.folder / "config" / "plugins" / "marketplaces" / name
    (checked / ".claude-plugin" / _DOOR).write_bytes(document.read_bytes())
    room.run(*command, "plugin", "validate", "--strict", checked)
    yield _passed("validate --strict", "the document, without a warning")


def verify_update(trial: Trial) -> Iterator[Passed]:
    """Yield what Claude Code did when a pack had changed. `verify` has run before.

    Raises:
        DoorFailed: It got something else.
    """
    command = words_of(claude())
    with _room(trial) as (room, _):
        (known,) = json.loads(room.run(*command, "plugin", "marketplace", "list", "--json").output)
        name = known["name"]
        room.run(*command, "plugin", "marketplace", "update", name)
        room.run(*command, "plugin", "update", f"{trial.changing.flat_name}@{name}")
        _require_all(trial, room, name)
    yield _passed("marketplace update, update", "the changed plugin")


@contextmanager
def _room(trial: Trial) -> Iterator[tuple[Room, str]]:
    """Yield the client's room, and the API's base URL there."""
    folder = trial.folder / "claude"
    with TemporaryDirectory() as certificates, secure_host(Path(certificates), api_url=trial.api_url) as host:
        variables = {**host.environment, "CLAUDE_CONFIG_DIR": str(folder / "config")}
        yield Room(folder=folder, variables=variables), host.url


def _require_all(trial: Trial, room: Room, name: str) -> None:
    listed = json.loads(room.run(*words_of(claude()), "plugin", "list", "--json").output)
    there = {plugin["id"]: plugin for plugin in listed}
    for pack in trial.packs:
        plugin = there.get(f"{pack.flat_name}@{name}")
        if plugin is None:
            raise DoorFailed(f"claude plugin list does not name {pack.flat_name}: {listed}")
        pack.require_in(Path(plugin["installPath"]), modes=True)


def _passed(ran: str, verified: str) -> Passed:
    version = npm_version("@anthropic-ai/claude-code")
    return Passed(door=_DOOR, client="Claude Code", version=version, ran=ran, verified=verified)
