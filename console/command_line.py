"""The command line: its commands, and how their results are printed."""

import argparse
import getpass
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from ulid import ULID

from console.dead_letters import list_dead_letters, redrive
from console.deployment import DEFAULT_PREFIX, Deployment, of_parts, of_stack
from console.images import Images
from console.packs import Packs
from console.refusal import Refused
from console.tenants import Tenants
from packyard.errors import PackyardError
from packyard.messaging.cleanup_queue import CleanupQueue
from packyard.packs.pack import Tier
from packyard.packs.timestamp import format_timestamp
from packyard.store.deletions import DeletionStore
from packyard.store.packs import PackStore
from packyard.store.table import Table
from packyard.store.tenants import TenantStore
from packyard.tenants.api_key import ApiKey, PermissionSet
from packyard.tenants.org import BillingPosture, Org

_OPERATOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_MOST_DEAD_LETTERS: Final = 1000

Command = Callable[["Console", argparse.Namespace], None]


@dataclass(frozen=True, kw_only=True)
class Console:
    """One deployment, and what the commands do to it.

    Attributes:
        client: Makes the client of an AWS service.
        deployment: The deployment.
    """

    client: Callable[[Any], Any]
    deployment: Deployment

    @cached_property
    def table(self) -> Table:
        """The deployment's table."""
        return Table(client=self.client("dynamodb"), name=self.deployment.table(), sleep=time.sleep)

    @cached_property
    def tenants(self) -> Tenants:
        """Organisations and keys."""
        return Tenants(
            store=TenantStore(table=self.table),
            clock=_now,
            new_ulid=lambda: str(ULID()),
            random_bytes=os.urandom,
        )

    @cached_property
    def packs(self) -> Packs:
        """Packs and deletions."""
        return Packs(store=PackStore(table=self.table), deletions=DeletionStore(table=self.table), clock=_now)

    @cached_property
    def images(self) -> Images:
        """Images in ECR."""
        return Images(
            packs=PackStore(table=self.table),
            table_name=self.deployment.table(),
            dynamodb=self.client("dynamodb"),
            ecr=self.client("ecr"),
            prefix=self.deployment.repository_prefix,
            clock=_now,
        )


def main(arguments: Sequence[str]) -> int:
    """Run the command and return the exit status: 0, 1 if it was refused, 2 if the arguments are wrong."""
    options = _parser().parse_args(arguments)
    session = boto3.Session(region_name=options.region)

    def client(service: Any) -> Any:
        return session.client(service, endpoint_url=options.endpoint_url)

    try:
        deployment = (
            of_stack(options.stack, cloudformation=client("cloudformation"))
            if options.stack
            else of_parts(
                table_name=options.table,
                queue_url=options.queue,
                dead_letters_url=options.dead_letters,
                repository_prefix=options.prefix,
            )
        )
        options.command(Console(client=client, deployment=deployment), options)
    except (Refused, PackyardError, ClientError, BotoCoreError) as error:
        print(f"console: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="console",
        description="The operator's commands: organisations, API keys, packs, images, dead letters.",
    )
    which = parser.add_argument_group("which deployment")
    which.add_argument("--stack", help="the CloudFormation stack")
    which.add_argument("--table", help="instead of --stack: the table")
    which.add_argument("--queue", help="instead of --stack: the URL of the cleanup queue")
    which.add_argument("--dead-letters", help="instead of --stack: the URL of its dead-letter queue")
    which.add_argument(
        "--prefix", default=DEFAULT_PREFIX, help="instead of --stack: the prefix of the repositories' names"
    )
    which.add_argument("--region", help="the Region; by default that of the AWS configuration")
    which.add_argument("--endpoint-url", help="the URL of AWS; for the local stack, its address")
    things = parser.add_subparsers(required=True, metavar="THING")
    _add_org(things.add_parser("org", help="organisations").add_subparsers(required=True, metavar="ACTION"))
    _add_key(things.add_parser("key", help="API keys").add_subparsers(required=True, metavar="ACTION"))
    _add_pack(things.add_parser("pack", help="packs").add_subparsers(required=True, metavar="ACTION"))
    _add_deletion(
        things.add_parser("deletion", help="packs that are being deleted").add_subparsers(
            required=True, metavar="ACTION"
        )
    )
    _add_image(
        things.add_parser("image", help="images in ECR").add_subparsers(required=True, metavar="ACTION")
    )
    _add_dead_letters(
        things.add_parser("dead-letters", help="messages that failed too often").add_subparsers(
            required=True, metavar="ACTION"
        )
    )
    return parser


def _add_org(actions: Any) -> None:
    create = _action(actions, "create", _create_org, "create an organisation and print its id")
    create.add_argument("slug", help="its host label, <slug>.<domain>")
    create.add_argument("--posture", type=BillingPosture, choices=list(BillingPosture), default="active")
    create.add_argument(
        "--trial-ends", type=_instant, help="when its trial ends, such as 2026-12-31T00:00:00Z"
    )
    create.add_argument(
        "--platform", action="store_true", help="the operator's own organisation, whose packs everyone sees"
    )
    show = _action(actions, "show", _show_org, "show an organisation")
    show.add_argument("org", help="its id or slug")
    posture = _action(actions, "posture", _set_posture, "change how an organisation stands with billing")
    posture.add_argument("org", help="its id or slug")
    posture.add_argument("posture", type=BillingPosture, choices=list(BillingPosture))
    posture.add_argument("--trial-ends", type=_instant, help="when its trial ends; without it, never")


def _add_key(actions: Any) -> None:
    issue = _action(actions, "issue", _issue_key, "create an API key and print its secret, only this once")
    issue.add_argument("org", help="its organisation's id or slug")
    issue.add_argument("--label", required=True, help="what its holder calls it")
    issue.add_argument("--permission-set", type=PermissionSet, choices=list(PermissionSet), required=True)
    issue.add_argument("--expires", type=_instant, help="when it expires; without it, never")
    listing = _action(actions, "list", _list_keys, "list an organisation's API keys, without their secrets")
    listing.add_argument("org", help="the organisation's id or slug")
    revoke = _action(actions, "revoke", _revoke_key, "revoke an API key")
    revoke.add_argument("org", help="its organisation's id or slug")
    revoke.add_argument("key", help="its id, as the list shows it")


def _add_pack(actions: Any) -> None:
    tier = _action(actions, "tier", _set_tier, "set who vouches for a pack")
    tier.add_argument("pack", help="its id")
    tier.add_argument("tier", type=Tier, choices=list(Tier))
    tier.add_argument(
        "--by", type=_operator, default=getpass.getuser(), help="your name, for the pack's history"
    )


def _add_deletion(actions: Any) -> None:
    _action(actions, "list", _list_deletions, "list packs that are being deleted, the longest waiting first")
    retry = _action(actions, "retry", _retry_deletion, "continue a deletion now")
    retry.add_argument("pack", help="its id")


def _add_image(actions: Any) -> None:
    _action(
        actions, "check", _check_images, "list images that no pack uses, and packs whose image is missing"
    )
    _action(actions, "clean-up", _clean_up_images, "remove images that no pack uses")


def _add_dead_letters(actions: Any) -> None:
    for name, command, what in (
        ("list", _list_dead_letters, "show the dead letters"),
        ("redrive", _redrive, "send the dead letters back to their queue"),
    ):
        action = _action(actions, name, command, what)
        action.add_argument("--of", default="cleanup", metavar="QUEUE", help="the queue: cleanup or build")


def _action(actions: Any, name: str, command: Command, description: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=description, description=description)
    action.set_defaults(command=command)
    return action


def _create_org(console: Console, options: argparse.Namespace) -> None:
    org = console.tenants.create_org(
        options.slug, billing=options.posture, trial_ends_at=options.trial_ends, platform=options.platform
    )
    print(org.org_id)


def _show_org(console: Console, options: argparse.Namespace) -> None:
    _print_org(console.tenants.find_org(options.org))


def _set_posture(console: Console, options: argparse.Namespace) -> None:
    changed = console.tenants.set_posture(
        options.org, billing=options.posture, trial_ends_at=options.trial_ends
    )
    _print_org(changed)


def _issue_key(console: Console, options: argparse.Namespace) -> None:
    key, secret = console.tenants.issue_key(
        options.org, label=options.label, permission_set=options.permission_set, expires_at=options.expires
    )
    print(f"key:{key.key_id} of {key.org_id}. Its secret is not stored and not shown again:", file=sys.stderr)
    print(secret)


def _list_keys(console: Console, options: argparse.Namespace) -> None:
    for key in console.tenants.list_keys(options.org):
        _print_key(key)


def _revoke_key(console: Console, options: argparse.Namespace) -> None:
    _print_key(console.tenants.revoke_key(options.org, options.key))


def _set_tier(console: Console, options: argparse.Namespace) -> None:
    pack = console.packs.set_tier(options.pack, options.tier, actor=f"operator:{options.by}")
    _print_row(pack.id, pack.name, pack.tier, f"revision {pack.revision}")


def _list_deletions(console: Console, _options: argparse.Namespace) -> None:
    for deletion in console.packs.pending_deletions():
        asked_at = format_timestamp(deletion.asked_at)
        _print_row(deletion.pack.id, deletion.pack.org_id, deletion.pack.name, asked_at, deletion.actor)


def _retry_deletion(console: Console, options: argparse.Namespace) -> None:
    queue = CleanupQueue(client=console.client("sqs"), url=console.deployment.queue("cleanup").url)
    console.packs.retry_deletion(options.pack, queue=queue)
    print(f"{options.pack} is on its way; `deletion list` shows when it is gone")


def _check_images(console: Console, _options: argparse.Namespace) -> None:
    for image in console.images.unused():
        _print_row("unused", image.repository, image.digests[0])
    for pack in console.images.lost():
        _print_row("lost", pack.id, pack.org_id, pack.name, pack.version, pack.image_digest)


def _clean_up_images(console: Console, _options: argparse.Namespace) -> None:
    queue = CleanupQueue(client=console.client("sqs"), url=console.deployment.queue("cleanup").url)
    enqueued = console.images.enqueue_unused(queue)
    print(f"{enqueued} on their way out; `image check` shows what is left")


def _list_dead_letters(console: Console, options: argparse.Namespace) -> None:
    queue = console.deployment.queue(options.of)
    for letter in list_dead_letters(queue, limit=_MOST_DEAD_LETTERS, sqs=console.client("sqs")):
        _print_row(letter.message_id, format_timestamp(letter.sent_at), letter.body)


def _redrive(console: Console, options: argparse.Namespace) -> None:
    queue = console.deployment.queue(options.of)
    moved = redrive(queue, limit=_MOST_DEAD_LETTERS, sqs=console.client("sqs"))
    print(f"{moved} sent back to the {queue.name} queue")


def _print_org(org: Org) -> None:
    ends = [] if org.trial_ends_at is None else [f"trial ends {format_timestamp(org.trial_ends_at)}"]
    _print_row(org.org_id, org.slug, org.billing, *ends, *(["platform"] if org.platform else []))


def _print_key(key: ApiKey) -> None:
    expires = [] if key.expires_at is None else [f"expires {format_timestamp(key.expires_at)}"]
    revoked = [] if key.revoked_at is None else [f"revoked {format_timestamp(key.revoked_at)}"]
    only = [] if key.pack_name is None else [f"only {key.pack_name}"]
    made = [] if key.created_by is None else [f"made by {key.created_by}"]
    _print_row(
        f"key:{key.key_id}",
        key.permission_set or " ".join(sorted(key.granted)) or "(reads)",
        format_timestamp(key.created_at),
        key.label,
        *only,
        *made,
        *expires,
        *revoked,
    )


def _print_row(*columns: str) -> None:
    print("\t".join(columns))


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("must state its zone")
    return instant


def _operator(text: str) -> str:
    if _OPERATOR.fullmatch(text) is None:
        raise ValueError("must be letters, digits and . _ @ -")
    return text


def _now() -> datetime:
    return datetime.now(UTC)
