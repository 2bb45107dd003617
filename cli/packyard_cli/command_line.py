"""The command line: every command, its arguments, and which function runs it.

Functions are named as text and imported when their command runs, so that `--help` imports none of them.
"""

import argparse
from collections.abc import Sequence
from typing import Any, Final

from packyard_cli.comparison_line import add_comparison
from packyard_cli.feeds_line import add_feeds
from packyard_cli.parser import Parser, words
from packyard_cli.publishers_line import add_publishers
from packyard_cli.trust_line import add_proof, add_scans, add_trust, add_verify

_CODES: Final = (
    "Exit codes: 0 done, 2 wrong usage, 3 refused as invalid, 4 not signed in, 5 not allowed, 6 not found, 7 conflict, "
    "8 service not reached, 9 stale, 10 tampered content, 11 installed files differ, 12 a name leads outside, "
    "13 a name that this system cannot hold, 14 no such profile, 15 disk, 16 lock missing, "
    "17 extra not installed, 18 blocked by the scan, 19 no proof of origin, 130 interrupted. "
    "Environment: PACKYARD_URL, PACKYARD_TOKEN, PACKYARD_ID_TOKEN, PACKYARD_ORG, PACKYARD_PROFILE, "
    "PACKYARD_CONFIG_DIR, PACKYARD_CACHE_DIR, "
    "HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, SOURCE_DATE_EPOCH, NO_COLOR."
)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        from packyard_cli.context import python_version, version  # noqa: PLC0415 - metadata takes long to read

        print(f"packyard {version()} (Python {python_version()})")
        parser.exit()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command line.

    Raises:
        Failure: It is wrong.
        SystemExit: Help or the version was asked for, and printed.
    """
    # The operator's commands are many, and making their parsers takes as long as all the others together.
    parser = make_parser(admin="admin" in arguments)
    options = parser.parse_args(arguments)
    if getattr(options, "handler", None) is None:
        group: argparse.ArgumentParser = getattr(options, "group", parser)
        group.error(f"name a command: {', '.join(words(group))}")
    return options


def make_parser(*, admin: bool = True) -> argparse.ArgumentParser:
    """Return the parser of the whole command.

    Args:
        admin: Whether it knows the commands below `admin`.
    """
    parser = Parser(
        prog="packyard",
        description="Check, pack and publish content packs, and install what a role pins.",
        epilog=_CODES,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = _Commands(parser)
    _local(commands)
    add_comparison(commands)
    _session(commands)
    _packs(commands)
    _push(commands)
    _import(commands)
    _roles(commands)
    _keys(commands)
    add_feeds(
        commands.group("feeds", "addresses that agents' own clients read packs from", aliases=("feed",))
    )
    add_publishers(commands.group("publishers", "whose CI may publish without a stored secret"))
    _events(commands)
    _webhooks(commands)
    add_trust(commands)
    add_scans(commands)
    commands.add("usage", "usage:usage", "show what your organisation uses, and of what")
    _installing(commands)
    _admin(commands, whole=admin)
    completion = commands.add("completion", "completion:complete", "print completions for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh", "fish"))
    return parser


class _Commands:
    """Adds commands that have the options of all commands."""

    def __init__(self, parser: argparse.ArgumentParser, common: Parser | None = None) -> None:
        self._adder = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
        self._common = common or _common_options()

    def add(self, name: str, handler: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""
        parser = self._adder.add_parser(
            name, help=text, description=f"{text[:1].upper()}{text[1:]}.", parents=[self._common]
        )
        parser.set_defaults(handler=handler, **defaults)
        return parser

    def group(self, name: str, text: str, *, aliases: Sequence[str] = ()) -> "_Commands":
        """Add a command that has commands of its own."""
        return _Commands(self.group_parser(name, text, aliases=aliases), self._common)

    def group_parser(self, name: str, text: str, *, aliases: Sequence[str] = ()) -> argparse.ArgumentParser:
        """Add a command that gets commands of its own, and return its parser."""
        parser = self._adder.add_parser(
            name, help=text, description=f"{text[:1].upper()}{text[1:]}.", aliases=aliases
        )
        parser.set_defaults(group=parser)
        return parser


def _common_options(*, login: bool = True) -> Parser:
    """Return a parser of the options of all commands.

    Args:
        login: Whether the commands reach the service with a login.
    """
    common = Parser(add_help=False)
    group = common.add_argument_group("for every command")
    group.add_argument("--json", action="store_true", help="print one JSON document")
    group.add_argument("-q", "--quiet", action="store_true", help="print the essence only")
    if login:
        group.add_argument("--profile", metavar="NAME", help="the profile to use")
        group.add_argument("--url", metavar="URL", help="the service to use")
    return common


def _local(commands: _Commands) -> None:
    init = commands.add("init", "starting:init", "make the skeleton of a pack")
    init.add_argument("folder", nargs="?", default=".", help="where (here)")
    init.add_argument("--name", help="the pack's name (from the folder's)")
    check = commands.add("check", "checking:check", "check a folder by all of the service's rules, offline")
    _folder(check)
    scan = commands.add(
        "scan", "scanning:scan", "look for secrets, hidden text and harmful instructions, offline"
    )
    scan.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="a folder, an archive or a file (here)"
    )
    scan.add_argument(
        "--policy", metavar="FILE", help="what to block, as JSON in the form of the service's scan policy"
    )
    scan.add_argument(
        "--block",
        choices=("low", "medium", "high", "critical"),
        help="block findings of this severity and above",
    )
    pack = commands.add("pack", "packing:pack", "write a folder as a canonical .tar.gz")
    _folder(pack)
    pack.add_argument("-o", "--output", metavar="FILE", help="the archive (NAME-VERSION.tar.gz)")


def _session(commands: _Commands) -> None:
    login = commands.add(
        "login", "session:login", "keep a token for a service; it is asked for, or read from stdin"
    )
    login.add_argument("service", nargs="?", metavar="URL", help="the service's base URL, with /v1")
    login.add_argument("--no-keyring", action="store_true", help="keep the token in a file (mode 0600)")
    commands.add("logout", "session:logout", "forget a profile and its token")
    commands.add(
        "whoami", "session:whoami", "say which service and login are used, and what is known of them"
    )


def _packs(commands: _Commands) -> None:
    packs = commands.add("list", "packs:list_packs", "list packs")
    packs.add_argument("--owned", action="store_true", help="only those of your organisation")
    packs.add_argument("--tier", choices=("recommended", "verified", "community"))
    packs.add_argument("--category", metavar="SLUG")
    packs.add_argument("--prefix", metavar="TEXT", help="only names that begin with this")
    packs.add_argument(
        "--updated-after", metavar="TIME", help="only what has changed since (2026-01-31T00:00:00Z)"
    )
    search = commands.add("search", "packs:search", "search packs by words")
    search.add_argument("words", nargs="+", metavar="WORD")
    policy = commands.add(
        "version-policy", "policies:version_policy", "show or set which versions may be published"
    )
    policy.add_argument("policy", nargs="?", choices=("free", "increasing", "immutable"))
    _pack(commands.add("show", "packs:show", "show a pack"))
    visibility = _pack(commands.add("visibility", "packs:visibility", "set who sees a pack"))
    visibility.add_argument("visibility", choices=("org", "community"))
    clone = _pack(commands.add("clone", "packs:clone", "copy a pack into your organisation"))
    clone.add_argument("--name", help="the copy's name")
    clone.add_argument("--visibility", choices=("org", "community"))
    delete = _pack(commands.add("delete", "packs:delete", "delete a pack and its image"))
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask")
    delete.add_argument("--revision", type=int, metavar="N", help="only the content of this revision")
    delete.add_argument(
        "--force",
        action="store_true",
        help="with --revision: although roles pin it, a day after its withdrawal",
    )
    _withdrawal(commands)
    files = _pack(commands.add("files", "contents:files", "list a pack's files"))
    files.add_argument("--revision", type=int, metavar="N")
    cat = _pack(commands.add("cat", "contents:cat", "print a file of a pack"))
    cat.add_argument("path", metavar="PATH")
    edit = _pack(
        commands.add("edit", "contents:edit", "change a file of a pack in your editor, or from stdin")
    )
    edit.add_argument("path", metavar="PATH")
    edit.add_argument(
        "--from", dest="source", metavar="FILE", help="take the new content from a file (- is stdin)"
    )
    _pack(commands.add("revisions", "packs:revisions", "list a pack's revisions"))
    rollback = _pack(commands.add("rollback", "packs:rollback", "make an earlier revision the current one"))
    rollback.add_argument("revision", type=int, metavar="N")


def _withdrawal(commands: _Commands) -> None:
    withdraw = _pack(
        commands.add("withdraw", "withdrawing:withdraw", "let nobody begin to use a revision any more")
    )
    withdraw.add_argument("revision", type=int, metavar="REVISION")
    withdraw.add_argument("--reason", required=True, metavar="TEXT", help="why, for your organisation")
    restore = _pack(commands.add("restore", "withdrawing:restore", "take a withdrawal back"))
    restore.add_argument("revision", type=int, metavar="REVISION")
    retention = _pack(
        commands.add("retention", "withdrawing:retention", "show or set how many revisions are kept")
    )
    retention.add_argument("--keep", metavar="N", help="the newest N revisions, or all")
    retention.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _push(commands: _Commands) -> None:
    push = commands.add(
        "push", "pushing:push", "publish a folder: sends what changed, and prints the pinned reference"
    )
    _folder(push)
    push.add_argument("--visibility", choices=("org", "community"), help="of a new pack (org)")
    push.add_argument(
        "--version",
        metavar="SEMVER",
        dest="skill_version",
        help="of an Agent Skill whose SKILL.md states none (0.1.0, then the next patch)",
    )
    how = push.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="push again after every change, until Ctrl-C")
    how.add_argument(
        "--dry-run", action="store_true", help="let the service check all of it and keep nothing"
    )


def _import(commands: _Commands) -> None:
    imported = commands.add(
        "import", "importing:import_skills", "publish what others have published, fetched by this machine"
    )
    imported.add_argument(
        "source",
        metavar="SOURCE",
        help="github:OWNER/REPO@TAG[/PATH], clawhub:OWNER/SLUG[@VERSION], or an index below /.well-known/",
    )
    imported.add_argument("--visibility", choices=("org", "community"), help="of a new pack (org)")
    imported.add_argument(
        "--version", metavar="SEMVER", dest="skill_version", help="of skills that state none"
    )
    imported.add_argument(
        "--dry-run", action="store_true", help="let the service check all of it and keep nothing"
    )
    imported.set_defaults(exclude=[])


def _roles(commands: _Commands) -> None:
    roles = commands.group("roles", "roles and the packs that they pin", aliases=("role",))
    roles.add("list", "roles:list_roles", "list roles, and which of them are stale")
    _role(roles.add("show", "roles:show", "show what a role pins"))
    for name, text in (
        ("set", "give a role exactly these packs"),
        ("attach", "add packs to a role"),
        ("detach", "take packs from a role"),
    ):
        change = _role(roles.add(name, "roles:change", text, change=name))
        change.add_argument("packs", nargs="*" if name == "set" else "+", metavar="PACK")
    refresh = _role(roles.add("refresh", "roles:refresh", "move a role's pins to the current revisions"))
    refresh.add_argument("packs", nargs="*", metavar="PACK", help="only these")
    refresh.add_argument(
        "--accept", action="append", default=[], metavar="PACK=REVISION", help="consent to wider capabilities"
    )
    _role(roles.add("revisions", "roles:revisions", "list a role's history"))
    _manifest(
        _role(roles.add("manifest", "manifest:manifest", "write a manifest that mounts what a role pins"))
    )
    token = _role(roles.add("pull-token", "pull_token:pull_token", "print a login to pull what a role pins"))
    token.add_argument("--secret", metavar="NAME", help="as a Kubernetes Secret of this name")
    token.add_argument("-o", "--output", metavar="FILE", help="into a file of mode 0600, instead of stdout")
    token.add_argument(
        "--registry",
        action="store_true",
        help="at Amazon ECR itself, for hours: opens whole repositories of your organisation",
    )
    delete = _role(roles.add("delete", "roles:delete", "delete a role"))
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _manifest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", required=True, choices=("kubernetes", "compose", "podman"))
    parser.add_argument("--image", required=True, metavar="IMAGE", help="the image of the agent's container")
    parser.add_argument(
        "--mount-at", default="/packs", metavar="DIR", help="the folder of all packs (/packs)"
    )
    parser.add_argument("--door", metavar="HOST", help="pull at this distribution door")
    parser.add_argument(
        "--pull-secret",
        action="append",
        default=[],
        metavar="NAME",
        help="a Secret to pull with (repeatable)",
    )
    parser.add_argument("--lock", metavar="FILE", help="from this lock file, offline")
    parser.add_argument("-o", "--output", metavar="FILE", help="where (stdout)")


def _webhooks(commands: _Commands) -> None:
    webhooks = commands.group("webhooks", "where your organisation's events are sent")
    webhooks.add("list", "webhooks:list_webhooks", "list webhooks, without their secrets")
    add = webhooks.add("add", "webhooks:add", "make a webhook, and print its secret once")
    add.add_argument("receiver", metavar="URL", help="where events are sent, https")
    webhooks.add("show", "webhooks:show", "show a webhook").add_argument("webhook", metavar="WEBHOOK")
    edit = webhooks.add("edit", "webhooks:edit", "change, disable or enable a webhook")
    edit.add_argument("webhook", metavar="WEBHOOK")
    edit.add_argument("--to", metavar="URL", help="where events are sent from now on")
    edit.add_argument("--all-types", action="store_true", help="send events of all types")
    state = edit.add_mutually_exclusive_group()
    for name, value in (("--disable", "disabled"), ("--enable", "active")):
        state.add_argument(name, dest="state", action="store_const", const=value, help=f"make it {value}")
    for parser in (add, edit):
        parser.add_argument(
            "--type", action="append", metavar="TYPE", help="a type of events to send; repeatable"
        )
        parser.add_argument(
            "--pack", action="append", metavar="PACK", help="only events of this pack; repeatable"
        )
        parser.add_argument("--description", metavar="TEXT", help="a line for people")
    remove = webhooks.add("remove", "webhooks:remove", "delete a webhook")
    remove.add_argument("webhook", metavar="WEBHOOK")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    for name, text in (
        ("rotate", "give a webhook a new secret, and print it once"),
        ("test", "send a test to a webhook"),
    ):
        webhooks.add(name, f"webhooks:{name}", text).add_argument("webhook", metavar="WEBHOOK")
    deliveries = webhooks.add("deliveries", "webhooks:deliveries", "list what has come of deliveries")
    deliveries.add_argument("webhook", metavar="WEBHOOK")
    deliveries.add_argument(
        "--limit", type=int, default=50, metavar="N", help="the most to list; default: 50"
    )
    redeliver = webhooks.add("redeliver", "webhooks:redeliver", "send the event of a delivery again")
    redeliver.add_argument("webhook", metavar="WEBHOOK")
    redeliver.add_argument("delivery", metavar="DELIVERY")


def _keys(commands: _Commands) -> None:
    keys = commands.group("keys", "API keys of your organisation")
    keys.add("list", "keys:list_keys", "list keys, without their secrets")
    make = keys.add("make", "keys:make", "make a key, and print its secret once")
    make.add_argument("label", help="what people know it by")
    make.add_argument(
        "--scope", action="append", metavar="SCOPE", help="what it may do, repeated (caps:write)"
    )
    make.add_argument("--pack", metavar="NAME", help="the only pack that it may touch")
    make.add_argument("--days", type=int, metavar="N", help="how long it lasts (90)")
    revoke = keys.add("revoke", "keys:revoke", "revoke a key")
    revoke.add_argument("key", metavar="ID")
    revoke.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _events(commands: _Commands) -> None:
    events = commands.add("events", "events:list_events", "list what your organisation has accepted")
    events.add_argument("--type", metavar="TYPE", help="only events of this type, such as pack.updated")
    events.add_argument("--pack", metavar="PACK", help="only those of this pack, by id or name")
    events.add_argument("--role", metavar="ROLE", help="only those of this role")
    events.add_argument("--actor", metavar="PRINCIPAL", help="only what this principal has done")
    events.add_argument("--after", metavar="ID", help="only those after this event, the oldest first")
    events.add_argument("--before", metavar="ID", help="only those before this event")
    events.add_argument("--limit", type=int, default=50, metavar="N", help="how many at most (50)")
    events.add_argument("--follow", action="store_true", help="print events as they come, until Ctrl-C")


def _installing(commands: _Commands) -> None:
    lock = _role(commands.add("lock", "locking:lock", "write what a role pins, as a lock file"))
    lock.add_argument("-o", "--output", default="packyard.lock", metavar="FILE", help="where (packyard.lock)")
    install = _role(commands.add("install", "installing:install", "install what a role pins, verified"))
    install.add_argument("--into", required=True, metavar="DIR", help="the folder to fill")
    install.add_argument(
        "--lock", default="packyard.lock", metavar="FILE", help="for --frozen (packyard.lock)"
    )
    install.add_argument("--frozen", action="store_true", help="exactly what the lock file says, or fail")
    install.add_argument("--offline", action="store_true", help="from the lock file and the cache alone")
    install.add_argument(
        "--from", dest="bundle", metavar="FILE", help="the role's bundle.tar, with its lock and its images"
    )
    add_proof(install)
    pull = _pack(commands.add("pull", "installing:pull", "fetch one pack, verified"))
    pull.add_argument("--into", required=True, metavar="DIR", help="the folder to fill")
    pull.add_argument("--revision", type=int, metavar="N")
    add_proof(pull)
    add_verify(commands)
    update = commands.add("update", "verifying:update", "say whether an installed role is stale")
    update.add_argument("folder", metavar="DIR")
    update.add_argument(
        "--check", action="store_true", required=True, help="only say so; exit code 9 if it is"
    )


def _admin(commands: _Commands, *, whole: bool) -> None:
    parser = commands.group_parser(
        "admin", "the operator's commands, which use AWS credentials (extra: admin)"
    )
    if whole:
        from packyard_cli.admin_line import add_admin, add_deployment  # noqa: PLC0415 - only where it is needed

        # The login's options would be misread here: these commands use AWS's profile and credentials.
        common = _common_options(login=False)
        add_deployment(parser, default=None)
        add_deployment(common, default=argparse.SUPPRESS)
        parser.set_defaults(profile=None, url=None)
        add_admin(_Commands(parser, common))


def _folder(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="the pack's folder (here)")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave out (repeatable)"
    )
    return parser


def _pack(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("pack", metavar="PACK", help="its id, or its name")
    return parser


def _role(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("role", metavar="ROLE")
    return parser
