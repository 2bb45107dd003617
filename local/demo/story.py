"""The tutorial on a running stack: for a new organisation, so that nothing that is there already shows in it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local.aws import Endpoint
from local.demo.placeholders import Placeholders
from local.demo.playing import Packyard, Player
from local.demo.tutorial import chapters, with_sessions
from local.environments import PROJECT
from local.seeds import new_organisation, seeding_events
from local.stack import StackDescription
from packyard.store.table import Table
from packyard.store.tenants import TenantStore

TUTORIAL: Final = PROJECT / "docs" / "tutorial.md"


def surroundings(stack: StackDescription, home: Path) -> dict[str, str]:
    """Return the command's environment for a new organisation.

    Args:
        stack: The running stack.
        home: A folder for what the command keeps.
    """
    endpoint = Endpoint(urlsplit(stack["endpoint_url"]).port or 0)
    dynamodb = endpoint.session().client("dynamodb", endpoint_url=endpoint.url)
    table = Table(client=dynamodb, name=stack["table"], sleep=time.sleep)
    made = new_organisation(
        tenants=TenantStore(table=table, events=seeding_events()), clock=lambda: datetime.now(UTC)
    )
    return {
        "PACKYARD_URL": stack["api_url"],
        "PACKYARD_TOKEN": made["keys"]["full_access"],
        "PACKYARD_CONFIG_DIR": str(home / "config"),
        "PACKYARD_CACHE_DIR": str(home / "cache"),
        "PACKYARD_NO_KEYRING": "1",
    }


def played(stack: StackDescription, folder: Path, packyard: Packyard, *, show: Callable[[str], None]) -> str:
    """Play the tutorial, and return it with the output as it was.

    Args:
        stack: The running stack.
        folder: The reader's folder, empty.
        packyard: Runs the command in that folder.
        show: Is told what a reader sees.

    Raises:
        StoryFailed: A command ended otherwise than the tutorial says.
    """
    markdown = TUTORIAL.read_text(encoding="utf-8")
    names = {stack["api_url"]: "<service>", stack["registry"]: "<registry>"}
    player = Player(folder=folder, packyard=packyard, placeholders=Placeholders(names), show=show)
    return with_sessions(markdown, player.play(chapters(markdown)))
