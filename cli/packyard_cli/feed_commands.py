"""The commands by which agents' own clients read a feed, each with what a person should know before using it.

The documentation has the same commands. A test compares them.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit


class DoorCommand(NamedTuple):
    """What to type for one client.

    Attributes:
        client: The client, as people call it.
        command: The command, ready to copy.
        note: What to know; empty for nothing.
    """

    client: str
    command: str
    note: str = ""


def door_commands(url: str) -> Sequence[DoorCommand]:
    """Return what to type for each client that reads feeds.

    Args:
        url: The address of the feed, with the slash at its end.
    """
    parts = urlsplit(url)
    secret = parts.path.rstrip("/").rpartition("/")[2]
    return (
        DoorCommand(
            "Agent Skills",
            f"DISABLE_TELEMETRY=1 npx skills add {url} -a claude-code",
            "Without DISABLE_TELEMETRY=1, this client sends the address, and so its secret, to www.skills.sh. It also "
            "writes the address into skills-lock.json: do not commit that file. Without -a it installs for every agent "
            "that it knows.",
        ),
        DoorCommand("Claude Code", f"claude plugin marketplace add {url}marketplace.json"),
        DoorCommand(
            "ClawHub",
            f"CLAWHUB_DISABLE_TELEMETRY=1 CLAWHUB_REGISTRY={url.rstrip('/')} clawhub explore",
        ),
        DoorCommand("MCP", f"claude mcp add --transport http packyard {url}mcp"),
        DoorCommand("a runtime", f"curl -fsS {url}lock.json"),
        DoorCommand(
            "an air-gapped site",
            f"while [ $(curl -sSL -o bundle.tar -w '%{{http_code}}' {url}bundle.tar) = 202 ]; do sleep 5; done",
            "It is made at the first request: the answer is 202 until it is ready.",
        ),
        DoorCommand(
            "container tools",
            f"echo {secret} | skopeo login --username feed --password-stdin {parts.netloc}",
            "With a distribution door of its own host (parameter DoorHost), log in at that host.",
        ),
    )
