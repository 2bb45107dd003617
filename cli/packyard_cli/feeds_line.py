"""The command line of feeds; see `command_line`."""

import argparse
from typing import Any, Protocol


class Group(Protocol):
    """What the commands are added to."""

    def add(self, name: str, handler: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""
        ...


def add_feeds(feeds: Group) -> None:
    """Add the commands."""
    create = feeds.add("create", "feeds:create", "make an address, and print what to type for each client")
    create.add_argument(
        "packs", nargs="*", metavar="PACK", help="a pack's name or id, at its current revision"
    )
    create.add_argument("--role", metavar="ROLE", help="the packs of a role, at the revisions that it pins")
    create.add_argument("--label", metavar="TEXT", help="a name for people")
    create.add_argument("--expires-in", metavar="TIME", help="such as 12h or 30d (until you revoke it)")
    feeds.add("list", "feeds:list_feeds", "list feeds")
    feeds.add("show", "feeds:show", "show a feed, and when it was last used").add_argument(
        "feed", metavar="ID"
    )
    revoke = feeds.add("revoke", "feeds:revoke", "let an address work no more")
    revoke.add_argument("feed", metavar="ID")
    revoke.add_argument("-y", "--yes", action="store_true", help="do not ask")
