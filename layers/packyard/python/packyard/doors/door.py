"""The doors that can leave a pack out, since their clients would choke on it."""

from enum import StrEnum


class Door(StrEnum):
    """One client's form."""

    AGENT_SKILLS = "agent_skills"
    MARKETPLACE = "marketplace"
    CLAWHUB = "clawhub"
    MCP = "mcp"
    SKILL_ARTIFACT = "skill_artifact"


# These serve the zip.
ZIP_DOORS = (Door.AGENT_SKILLS, Door.MARKETPLACE, Door.CLAWHUB)
