"""FastMCP's client and command, which read skills by the Model Context Protocol."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local.doors.clients import fastmcp, python, words_of
from local.doors.trial import Passed, Room, Trial, require

_READER: Final = Path(__file__).resolve().parent / "programs" / "read_skills.py"


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what FastMCP got through its door.

    Raises:
        DoorFailed: It got something else.
    """
    room = Room(folder=trial.room("fastmcp"))
    url, into = f"{trial.feed}/mcp", room.folder / "skills"
    read = json.loads(room.run(python(), _READER, url, into).output)
    version, places = read["version"], read["skills"]
    for pack in trial.packs:
        uri = f"skill://{pack.owner}/{pack.name}/SKILL.md"
        require(uri in places, f"skills/list does not name {uri}: {sorted(places)}")
        pack.require_in(Path(places[uri]))
    require(len(places) == len(trial.packs), f"skills/list names more: {sorted(places)}")
    yield Passed(
        door="mcp",
        client="FastMCP's client",
        version=version,
        ran="list_skills, read_skill",
        verified="every file of every skill; size, digest and frontmatter by the client",
    )

    listed = "".join(room.run(*words_of(fastmcp()), "list", url, "--skills").output.split())
    for pack in trial.packs:
        require(f"skill://{pack.owner}/{pack.name}/" in listed, f"fastmcp list lacks {pack.name}:\n{listed}")
    yield Passed(
        door="mcp",
        client="fastmcp",
        version=version,
        ran="list --skills",
        verified="owner and name of every skill",
    )
