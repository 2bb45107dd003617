"""Claude Code, which reads `marketplace.json` and fetches the plugins' archives over https."""

import json
from collections.abc import Iterator
from typing import Final

from local.doors.authority import secure_host
from local.doors.clients import claude, npm_version, words_of
from local.doors.trial import Passed, Room, Trial, require

_DOOR: Final = "marketplace.json"


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what Claude Code got through its door.

    Raises:
        DoorFailed: It got something else.
    """
    folder = trial.room("claude")
    certificates = folder / "certificates"
    certificates.mkdir()
    command = words_of(claude())
    with secure_host(certificates, api_url=trial.api_url) as host:
        config = folder / "config"
        room = Room(folder=folder, variables={**host.environment, "CLAUDE_CONFIG_DIR": str(config)})
        feed = trial.feed.replace(trial.api_url, host.url, 1)
        room.run(*command, "plugin", "marketplace", "add", f"{feed}/{_DOOR}")
        (known,) = json.loads(room.run(*command, "plugin", "marketplace", "list", "--json").output)
        name = known["name"]
        for pack in trial.packs:
            room.run(*command, "plugin", "install", f"{pack.flat_name}@{name}")
        listed = json.loads(room.run(*command, "plugin", "list", "--json").output)
        there = {plugin["id"]: plugin for plugin in listed}
        for pack in trial.packs:
            plugin = there.get(f"{pack.flat_name}@{name}")
            require(plugin, f"claude plugin list does not name {pack.flat_name}: {listed}")
            version = folder / "config" / "plugins" / "cache" / name / pack.flat_name / pack.version
            pack.require_in(version, modes=True, beside=frozenset({".in_use"}))
    yield _passed(
        "marketplace add, install", "every file of every plugin, and its mode; https to a local authority"
    )

    checked = folder / "checked"
    (checked / ".claude-plugin").mkdir(parents=True)
    (checked / ".claude-plugin" / _DOOR).write_bytes(
        (config / "plugins" / "marketplaces" / name).read_bytes()
    )
    room.run(*command, "plugin", "validate", "--strict", checked)
    yield _passed("validate --strict", "the document, without a warning")


def _passed(ran: str, verified: str) -> Passed:
    version = npm_version("@anthropic-ai/claude-code")
    return Passed(door=_DOOR, client="Claude Code", version=version, ran=ran, verified=verified)
