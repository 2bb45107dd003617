"""The index for `skills` (npm), discovery 0.2.0: `.well-known/agent-skills/index.json`.

`skills` gets the zips of all entries at once, also of those that nobody asked for, and drops what it cannot use without
a word. So the index has only what it takes.
"""

from collections.abc import Iterable
from typing import Final

from packyard.doors.document import canonical_json
from packyard.doors.served_pack import ServedPack

SCHEMA: Final = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"


def skills_index(packs: Iterable[ServedPack], *, zips: str) -> bytes:
    """Return the index.

    Args:
        packs: Those that fit this door.
        zips: The URL of the folder of zips, relative to that of the index. The client resolves it against the URL that
            it asked, so the index holds no secret.
    """
    entries = [
        {
            "name": pack.flat_name,
            "type": "archive",
            "description": pack.description,
            "url": f"{zips}/{pack.zip_name}",
            "digest": pack.zip.digest,
        }
        for pack in packs
        if pack.zip is not None
    ]
    return canonical_json({"$schema": SCHEMA, "skills": entries})
