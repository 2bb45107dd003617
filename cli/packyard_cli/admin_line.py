"""The command line of `packyard admin`: its options and commands.

Each command runs by `admin.py`, and names as `action` the function of the package `packyard_admin` that does it. The
choices are text here, so that no command line imports that package.
"""

import argparse
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from packyard_cli.command_line import _Commands

POSTURES: Final = ("active", "trial", "past_due", "decommissioning")
PERMISSION_SETS: Final = ("full_access", "submit_observe", "read_only")
TIERS: Final = ("recommended", "verified", "community")
_RUN: Final = "admin:run"


def add_deployment(parser: argparse.ArgumentParser, *, default: Any) -> None:
    """Add the options that say which deployment is meant.

    They may stand before or after the command's name.

    Args:
        parser: Gets them.
        default: What an option is where it is not given.
    """
    group = parser.add_argument_group("which deployment")
    for option, metavar, text in (
        ("--stack", "NAME", "the CloudFormation stack"),
        ("--table", "NAME", "instead of --stack: the table"),
        ("--queue", "URL", "instead of --stack: the cleanup queue"),
        ("--dead-letters", "URL", "instead of --stack: the dead-letter queue of the cleanup queue"),
        ("--prefix", "PREFIX", "instead of --stack: the prefix of the repositories' names (packs)"),
        ("--region", "REGION", "the Region (that of the AWS configuration)"),
        ("--endpoint-url", "URL", "the URL of AWS; for the local stack, its address"),
    ):
        group.add_argument(option, metavar=metavar, default=default, help=text)


def add_admin(commands: "_Commands") -> None:
    """Add the commands below `admin`."""
    _org(commands.group("org", "organisations"))
    _key(commands.group("key", "API keys of any organisation"))
    add_quotas(commands)
    packs = commands.group("pack", "packs of any organisation")
    tier = _add(packs, "tier", "maintenance_commands:set_tier", "set who vouches for a pack")
    tier.add_argument("pack", metavar="ID")
    tier.add_argument("tier", choices=TIERS)
    _by(tier)
    deletions = commands.group("deletion", "packs that are being deleted")
    _add(
        deletions,
        "list",
        "maintenance_commands:list_deletions",
        "list packs that are being deleted, the longest waiting first",
    )
    retry = _add(deletions, "retry", "maintenance_commands:retry_deletion", "continue a deletion now")
    retry.add_argument("pack", metavar="ID")
    images = commands.group("image", "images in ECR")
    _add(
        images,
        "check",
        "maintenance_commands:check_images",
        "list images that no pack uses, and packs whose image is missing",
    )
    _yes(_add(images, "clean-up", "maintenance_commands:clean_up_images", "remove images that no pack uses"))
    indexes = commands.group(
        "index", "what is derived from packs: the words of a search, published versions, scans"
    )
    _add(
        indexes,
        "rebuild",
        "maintenance_commands:rebuild",
        "make it for packs that are older; once, after the release that brings it",
    )
    letters = commands.group("dead-letters", "messages that failed too often")
    for name, action, text in (
        ("list", "maintenance_commands:list_dead_letters", "show the dead letters"),
        ("redrive", "maintenance_commands:redrive", "send the dead letters back to their queue"),
    ):
        letter = _add(letters, name, action, text)
        letter.add_argument(
            "--of",
            default="cleanup",
            metavar="QUEUE",
            help="attestation, build, cleanup, delivery or preparation (cleanup)",
        )


def add_quotas(commands: "_Commands") -> None:
    """Add the commands about what organisations use and may use."""
    quotas = commands.group("quota", "what organisations may use, and what they use")
    show = _add(quotas, "show", "quota_commands:show_quotas", "show what an organisation uses, and of what")
    show.add_argument("org", metavar="ORG", help="its id or slug")
    change = _add(quotas, "set", "quota_commands:set_quotas", "set what an organisation may use")
    change.add_argument("org", metavar="ORG", help="its id or slug")
    for option, text in (
        ("--packs", "packs"),
        ("--stored-bytes", "bytes of its packs' images, such as 10GiB"),
        ("--publishes-a-day", "new images of packs on one day (UTC)"),
        ("--builds-at-once", "staged archives that are built at the same time"),
    ):
        change.add_argument(option, metavar="N", help=f"{text}; a number, unlimited, or default")
    _by(change)
    usage = commands.group("usage", "the counts of what organisations use")
    recount = _add(
        usage,
        "recount",
        "quota_commands:recount",
        "count what is stored for each pack anew, from its history",
    )
    recount.add_argument("org", metavar="ORG", help="its id or slug")


def _org(orgs: "_Commands") -> None:
    create = _add(orgs, "create", "tenant_commands:create_org", "create an organisation and print its id")
    create.add_argument("slug", metavar="SLUG", help="its host label, SLUG.DOMAIN")
    create.add_argument("--posture", choices=POSTURES, default="active", help="as billing has it (active)")
    create.add_argument("--trial-ends", metavar="INSTANT", help="such as 2026-12-31T00:00:00Z (never)")
    create.add_argument(
        "--platform", action="store_true", help="the operator's own organisation, whose packs everyone sees"
    )
    _by(create)
    show = _add(orgs, "show", "tenant_commands:show_org", "show an organisation")
    show.add_argument("org", metavar="ORG", help="its id or slug")
    posture = _add(
        orgs, "posture", "tenant_commands:set_posture", "change how an organisation stands with billing"
    )
    posture.add_argument("org", metavar="ORG", help="its id or slug")
    posture.add_argument("posture", choices=POSTURES)
    posture.add_argument("--trial-ends", metavar="INSTANT", help="when its trial ends (never)")
    _by(posture)


def _key(keys: "_Commands") -> None:
    issue = _add(keys, "issue", "tenant_commands:issue_key", "issue an API key, and print its secret once")
    issue.add_argument("org", metavar="ORG", help="its organisation's id or slug")
    issue.add_argument("--label", required=True, metavar="TEXT", help="what its holder calls it")
    issue.add_argument("--permission-set", choices=PERMISSION_SETS, required=True, help="what it allows")
    issue.add_argument(
        "--operate", action="store_true", help="also let it read how the deployment is, of all organisations"
    )
    issue.add_argument("--expires", metavar="INSTANT", help="such as 2026-12-31T00:00:00Z (never)")
    _by(issue)
    listing = _add(
        keys, "list", "tenant_commands:list_keys", "list an organisation's API keys, without their secrets"
    )
    listing.add_argument("org", metavar="ORG", help="the organisation's id or slug")
    revoke = _yes(_add(keys, "revoke", "tenant_commands:revoke_key", "revoke an API key"))
    revoke.add_argument("org", metavar="ORG", help="its organisation's id or slug")
    revoke.add_argument("key", metavar="KEY", help="its id, as the list shows it")
    _by(revoke)


def _add(commands: "_Commands", name: str, action: str, text: str) -> argparse.ArgumentParser:
    return commands.add(name, _RUN, text, action=action)


def _by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--by", metavar="NAME", help="your name, for the histories and the events (your login's)"
    )


def _yes(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    return parser
