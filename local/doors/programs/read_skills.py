"""Reads all skills of a server by FastMCP's client, in an environment that has it.

    python read_skills.py URL FOLDER

Prints one line of JSON: FastMCP's version, and where each skill was written, by its URI. Needs nothing of Packyard.
"""

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path

from fastmcp import Client
from fastmcp.skills import SkillsClientExtension


async def _read(url: str, into: Path) -> dict[str, str]:
    places = {}
    async with Client(url, extensions=[SkillsClientExtension()]) as client:
        for number, entry in enumerate(await client.list_skills()):
            skill = await client.read_skill(entry.uri)
            # The client wants a folder of the skill's own name, and names come twice.
            place = into / str(number) / skill.name
            place.parent.mkdir(parents=True)
            skill.to_directory(place)
            places[str(entry.uri)] = str(place)
    return places


if __name__ == "__main__":
    read = asyncio.run(_read(sys.argv[1], Path(sys.argv[2])))
    sys.stdout.write(json.dumps({"version": version("fastmcp"), "skills": read}))
