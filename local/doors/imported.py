"""`packyard import`: another organisation takes a skill over from the feed, by the index that any client reads."""

import json
import sys
from collections.abc import Iterator

from local.doors.stage import Caller
from local.doors.trial import CHANGING, THIS, Passed, Room, Trial, packyard_variables, require
from local.stack import StackDescription
from packyard_cli.pulled import PULL_FILE, RECORD_FOLDER

_WHO = "globex"


def verify(trial: Trial, stack: StackDescription) -> Iterator[Passed]:
    """Yield what was imported.

    Raises:
        DoorFailed: It is something else.
    """
    caller, pack = Caller(stack, _WHO), trial.changing
    variables = {"PACKYARD_URL": stack["api_url"], "PACKYARD_TOKEN": caller.key}
    room = Room(folder=trial.room("import"), variables=packyard_variables() | variables)
    source = f"{trial.feed}/.well-known/agent-skills/index.json#{CHANGING}"
    told = room.run(sys.executable, "-m", "packyard_cli", "import", source, "--json").output
    (imported,) = json.loads(told)["packs"]
    listed = caller.call("GET", f"/packs/{imported['pack']['id']}/files")["files"]
    require({file["path"] for file in listed} == set(pack.files), f"the import has {listed}")
    into = room.folder / "pulled"
    room.run(sys.executable, "-m", "packyard_cli", "pull", imported["pack"]["id"], "--into", into)
    kept = (place for place in into.rglob("*") if place.is_file())
    paths = {place.relative_to(into).as_posix() for place in kept}
    own = frozenset(path for path in paths if path == PULL_FILE or path.startswith(f"{RECORD_FOLDER}/"))
    pack.require_in(into, modes=True, beside=own)
    yield Passed(
        door=".well-known/agent-skills",
        client="packyard",
        version=THIS,
        ran="import, pull",
        verified="every file and mode; digests by the client",
    )
