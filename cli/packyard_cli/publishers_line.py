"""The command line of trusted publishers; see `command_line`."""

import argparse
from typing import Any, Protocol


class Group(Protocol):
    """What the commands are added to."""

    def add(self, name: str, handler: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""
        ...


def add_publishers(publishers: Group) -> None:
    """Add the commands."""
    publishers.add("list", "publishers:list_publishers", "list whose CI may publish which packs")
    add = publishers.add("add", "publishers:add", "let a CI publish a pack without a stored secret")
    add.add_argument("pack", metavar="NAME", help="the pack's name; there need not be such a pack yet")
    whose = add.add_mutually_exclusive_group(required=True)
    whose.add_argument("--github", metavar="OWNER/REPOSITORY", help="a repository's workflow, or its id")
    whose.add_argument("--gitlab", metavar="PROJECT", help="a project's path, or its id")
    whose.add_argument("--aws", metavar="ROLE_ARN", help="a role of an AWS account, as of CodeBuild")
    whose.add_argument("--issuer", metavar="URL", help="any other issuer, with --claim")
    add.add_argument("--issuer-url", metavar="URL", help="of a GitHub or GitLab of your own")
    add.add_argument("--workflow", metavar="FILE", help="GitHub: the workflow's file, such as release.yml")
    add.add_argument("--environment", metavar="NAME", help="only jobs of this environment")
    add.add_argument("--ref", metavar="REF", help="only this ref: refs/heads/main, refs/tags/v*")
    add.add_argument("--protected", action="store_true", help="only protected branches and tags")
    add.add_argument(
        "--claim", action="append", default=[], metavar="NAME=VALUE", help="what a token must say; repeatable"
    )
    add.add_argument(
        "--event", action="append", default=[], metavar="NAME", help="only this event of the CI; repeatable"
    )
    remove = publishers.add("remove", "publishers:remove", "take that right back")
    remove.add_argument("publisher", metavar="ID")
    remove.add_argument("-y", "--yes", action="store_true", help="do not ask")
