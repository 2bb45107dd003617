"""One deployment, and what the operator does to it."""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from ulid import ULID

from packyard.messaging.cleanup_queue import CleanupQueue
from packyard.messaging.dead_letters import DeadLetters
from packyard.store.attestations import AttestationStore
from packyard.store.deletions import DeletionStore
from packyard.store.events import EventLog
from packyard.store.pack_counts import PackCounts
from packyard.store.packs import PackStore
from packyard.store.table import Table
from packyard.store.tenants import TenantStore
from packyard.store.usage_store import UsageStore
from packyard_admin.deployment import DEFAULT_PREFIX, Deployment, WorkQueue, of_parts, of_stack
from packyard_admin.images import Images
from packyard_admin.org_quotas import OrgQuotas
from packyard_admin.packs import Packs
from packyard_admin.rebuild import Rebuilder
from packyard_admin.tenants import Tenants
from packyard_cli.failure import Exit, Failure


@dataclass(frozen=True, kw_only=True)
class Admin:
    """What the operator does to one deployment.

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
    def events(self) -> EventLog:
        """The maker of events. All events of one command have one id as their request's."""
        command_id = _new_ulid()
        return EventLog(
            clock=_now,
            new_ulid=_new_ulid,
            request_id=lambda: command_id,
            kept=timedelta(days=self.deployment.event_days),
        )

    @cached_property
    def tenants(self) -> Tenants:
        """Organisations and keys."""
        return Tenants(
            store=TenantStore(table=self.table, events=self.events),
            clock=_now,
            new_ulid=_new_ulid,
            random_bytes=os.urandom,
        )

    @cached_property
    def packs(self) -> Packs:
        """Packs and deletions."""
        return Packs(
            store=PackStore(table=self.table, events=self.events),
            deletions=DeletionStore(table=self.table, events=self.events),
            clock=_now,
        )

    @cached_property
    def quotas(self) -> OrgQuotas:
        """What organisations use and may use."""
        return OrgQuotas(
            tenants=self.tenants,
            store=UsageStore(table=self.table, defaults=self.deployment.quotas),
            counts=PackCounts(table=self.table),
            events=self.events,
            clock=_now,
        )

    @cached_property
    def images(self) -> Images:
        """Images in ECR."""
        return Images(
            packs=PackStore(table=self.table, events=self.events),
            statements=AttestationStore(table=self.table),
            table_name=self.deployment.table(),
            dynamodb=self.client("dynamodb"),
            ecr=self.client("ecr"),
            prefix=self.deployment.repository_prefix,
            clock=_now,
        )

    @cached_property
    def rebuilder(self) -> Rebuilder:
        """What makes the indexes that are derived from packs."""
        return Rebuilder(
            table=self.table,
            table_name=self.deployment.table(),
            dynamodb=self.client("dynamodb"),
            prefix=self.deployment.repository_prefix,
            clock=_now,
        )

    @cached_property
    def cleanup_queue(self) -> CleanupQueue:
        """The queue whose consumer removes images and finishes deletions."""
        return CleanupQueue(client=self.client("sqs"), url=self.deployment.queue("cleanup").url)

    def dead_letters(self, queue: WorkQueue) -> DeadLetters:
        """Return the dead letters of a queue."""
        return DeadLetters(client=self.client("sqs"), url=queue.dead_letters_url)


def admin_of(options: argparse.Namespace) -> Admin:
    """Return the deployment that a command line names.

    Args:
        options: The command line's.

    Raises:
        Failure: There is no such stack, or it is no deployment of Packyard, or stack and parts are both given, or
            the endpoint is no URL.
        ClientError, BotoCoreError: AWS refused or did not answer.
    """
    if options.endpoint_url and urlsplit(options.endpoint_url).scheme not in {"http", "https"}:
        raise Failure(
            Exit.USAGE,
            f"--endpoint-url {options.endpoint_url!r} is not a URL.",
            "Write it as in http://127.0.0.1:4566.",
        )
    session = boto3.Session(region_name=options.region)

    def client(service: Any) -> Any:
        return session.client(service, endpoint_url=options.endpoint_url)

    parts = (options.table, options.queue, options.dead_letters, options.prefix)
    if not options.stack:
        deployment = of_parts(
            table_name=options.table,
            queue_url=options.queue,
            dead_letters_url=options.dead_letters,
            repository_prefix=options.prefix or DEFAULT_PREFIX,
        )
    elif any(parts):
        raise Failure(
            Exit.USAGE,
            "The command line names a stack, and parts of a deployment besides.",
            "Give only --stack.",
        )
    else:
        deployment = of_stack(options.stack, cloudformation=client("cloudformation"))
    return Admin(client=client, deployment=deployment)


def _new_ulid() -> str:
    return str(ULID())


def _now() -> datetime:
    return datetime.now(UTC)
