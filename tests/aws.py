"""AWS as the template states it, in memory: the table, the staging bucket and the cleanup queue under moto.

The table is made from the template's own resource, so that its schema is written down once.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
import botocore.session
import yaml
from botocore.config import Config
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import create_loader
from botocore.retries.quota import RetryQuota
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends
from tests.quick_tables import speed_up
from tests.signing_kms import sign_digests, use_key
from ulid import ULID

from packyard.messaging.cleanup_queue import CleanupQueue
from packyard.storage.staging import Staging
from packyard.store.events import EventLog
from packyard.store.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

speed_up()
sign_digests()

REGION: Final = "eu-central-1"
TABLE = "packyard-test"
BUCKET = "packyard-test-staging"
QUEUE = "packyard-test-cleanup"
BUILD_QUEUE = "packyard-test-build"
CURSOR_SECRET: Final = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:packyard-cursors"
PULL_TOKEN_SECRET: Final = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:packyard-pull-tokens"
WEBHOOK_KEY: Final = f"arn:aws:kms:{REGION}:123456789012:alias/packyard-webhooks"
SIGNING_KEY: Final = f"arn:aws:kms:{REGION}:123456789012:alias/packyard-statements"
ATTESTATION_QUEUE: Final = "packyard-test-attestations"
PREPARATION_QUEUE: Final = "packyard-test-preparations"
DELIVERY_QUEUES: Final = (
    "packyard-test-deliveries.fifo",
    "packyard-test-retries",
    "packyard-test-dead-letters",
)
# By the names that the operator's command has for them.
DEAD_LETTER_QUEUES: Final = {
    "attestation": "packyard-test-attestation-dead-letters",
    "build": "packyard-test-build-dead-letters",
    "cleanup": "packyard-test-cleanup-dead-letters",
    "delivery": DELIVERY_QUEUES[2],
    "preparation": "packyard-test-preparation-dead-letters",
}
REGISTRY_PULL_ROLE: Final = "arn:aws:iam::123456789012:role/packyard-registry-pull"
# What signs the cursors of tests.
CURSOR_KEY: Final = "a secret of this test"

# What is kept in the bucket beside the archives, and may be lost.
_CACHES = ("indexes/", "files/", "locks/")
# The first that is made, so that it is made from the template once.
_EMPTY_TABLES: Final[list[Any]] = []
# Read once for all tests: parsing them takes most of the time of making a client.
_SERVICE_MODELS: Final = create_loader()
_RETRIES: Final = Config(retries={"mode": "standard"})
_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_CREATE_TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template with CloudFormation's short functions left as plain values."""


def _short_function(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)


_TemplateLoader.add_multi_constructor("!", _short_function)


@cache
def template() -> dict[str, Any]:
    """Return the deployment's template, for reading only."""
    document: dict[str, Any] = yaml.load(_TEMPLATE.read_text(), Loader=_TemplateLoader)  # noqa: S506 - a SafeLoader
    return document


@dataclass(frozen=True, kw_only=True)
class Aws:
    """The three services, their clients and what the layer makes of them."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    sqs: "SQSClient"
    queue_url: str
    build_queue_url: str
    table: Table
    events: EventLog
    staging: Staging
    queue: CleanupQueue

    def queued(self) -> list[str]:
        """Return the bodies of the messages that are due, and take them off the queue."""
        # Asking an empty queue takes a hundred times as long as this look, and most are empty.
        if not sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[QUEUE]._messages:  # noqa: SLF001
            return []
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        bodies = []
        for message in answer.get("Messages", []):
            bodies.append(message["Body"])
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def staged(self) -> list[str]:
        """Return the keys of the staged archives."""
        return [key for key in self.objects() if not key.startswith(_CACHES)]

    def objects(self) -> list[str]:
        """Return every key of the bucket."""
        # Without a request, which takes ten times as long.
        return sorted(s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET].keys)


@contextmanager
def aws_in_memory() -> Iterator[Aws]:
    """Run with empty services of this deployment's shape; nothing leaves the process."""
    with mock_aws(), _lent("dynamodb") as dynamodb, _lent("s3") as s3, _lent("sqs") as sqs:
        _make_table(dynamodb)
        # As the calls of the API do, in a tenth of the time, since each test begins with it.
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(BUCKET, REGION)
        for name in (QUEUE, BUILD_QUEUE, ATTESTATION_QUEUE, PREPARATION_QUEUE):
            sqs_backends[DEFAULT_ACCOUNT_ID][REGION].create_queue(name)
        cleanup_queue_url = queue_url(QUEUE)
        yield Aws(
            dynamodb=dynamodb,
            s3=s3,
            sqs=sqs,
            queue_url=cleanup_queue_url,
            build_queue_url=queue_url(BUILD_QUEUE),
            table=Table(client=dynamodb, name=TABLE, sleep=lambda _seconds: None),
            events=EventLog(
                clock=lambda: datetime.now(UTC),
                new_ulid=lambda: str(ULID()),
                request_id=lambda: "request of a test",
                kept=timedelta(days=400),
            ),
            staging=Staging(client=s3, bucket=BUCKET),
            queue=CleanupQueue(client=sqs, url=cleanup_queue_url),
        )


def _make_table(client: "DynamoDBClient") -> None:
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
    if not _EMPTY_TABLES:
        create_table(client)
        _EMPTY_TABLES.append(_new_table_like(tables[TABLE]))
    else:
        tables[TABLE] = _new_table_like(_EMPTY_TABLES[0])


def _new_table_like(empty: Any) -> Any:
    made = copy.copy(empty)
    vars(made).update({name: copy.deepcopy(value) for name, value in vars(empty).items()})
    return made


def session() -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", _SERVICE_MODELS)
    return boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name=REGION,
        botocore_session=core,
    )


_session: Final = cache(session)


@dataclass(kw_only=True)
class _LentClient:
    """A client that one test after the other uses, since making it takes longer than most tests use it."""

    client: Any
    as_made: HierarchicalEmitter
    unchanged: object = None

    @classmethod
    def of(cls, service: str) -> Self:
        client: Any = _session().client(service, config=_RETRIES)  # type: ignore[call-overload]
        lent = cls(client=client, as_made=copy.copy(client.meta.events._emitter))  # noqa: SLF001 - no other way
        lent.renew()
        return lent

    def renew(self) -> None:
        """Forget what a test has registered, and what it has used of the budget for retries."""
        emitter = self.client.meta.events._emitter  # noqa: SLF001 - no other way to know what is registered
        # Each registration and its end replace this.
        if emitter._lookup_cache is not self.unchanged:  # noqa: SLF001
            vars(emitter).update(vars(copy.copy(self.as_made)))
            self.unchanged = emitter._lookup_cache = {}  # noqa: SLF001
        service = self.client.meta.service_model.service_id.hyphenize()
        retries = emitter._unique_id_handlers[f"retry-config-{service}"]["handler"].__self__  # noqa: SLF001
        retries._retry_quota._quota.release(RetryQuota.INITIAL_CAPACITY)  # noqa: SLF001


_IDLE: Final[defaultdict[str, list[_LentClient]]] = defaultdict(list)


@contextmanager
def _lent(service: str) -> Iterator[Any]:
    """Lend a client that is as if it had just been made."""
    lent = _IDLE[service].pop() if _IDLE[service] else _LentClient.of(service)
    yield lent.client
    lent.renew()
    _IDLE[service].append(lent)


def secrets_in_memory() -> Any:
    """Return a client of Secrets Manager with the secrets that sign things; only within `aws_in_memory`."""
    client: Any = _session().client("secretsmanager", config=_RETRIES)
    client.create_secret(Name=CURSOR_SECRET.rpartition(":")[2], SecretString=CURSOR_KEY)
    client.create_secret(Name=PULL_TOKEN_SECRET.rpartition(":")[2], SecretString=CURSOR_KEY)
    return client


def keys_in_memory() -> Any:
    """Return a client of KMS with the key of webhooks' secrets and that of statements; only within `aws_in_memory`."""
    client: Any = _session().client("kms", config=_RETRIES)
    key = client.create_key()["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName=WEBHOOK_KEY.rpartition(":")[2], TargetKeyId=key)
    new_signing_key(client)
    return client


def new_signing_key(client: Any, number: int = 1) -> None:
    """Let another key than before sign statements: the one of a number, the same in every run."""
    key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    use_key(key, number, region=REGION)
    name = SIGNING_KEY.rpartition(":")[2]
    if any(alias["AliasName"] == name for alias in client.list_aliases()["Aliases"]):
        client.delete_alias(AliasName=name)
    client.create_alias(AliasName=name, TargetKeyId=key)


def delivery_queues_in_memory(sqs: "SQSClient") -> None:
    """Make the queues of deliveries; only within `aws_in_memory`. Few tests need them."""
    for name in DELIVERY_QUEUES:
        fifo: Any = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        sqs.create_queue(QueueName=name, Attributes=fifo)


def dead_letter_queues_in_memory() -> None:
    """Make the dead-letter queues; only within `aws_in_memory`. Few tests need them."""
    there = sqs_backends[DEFAULT_ACCOUNT_ID][REGION]
    for name in DEAD_LETTER_QUEUES.values():
        if name not in there.queues:
            there.create_queue(name)


def queue_url(name: str) -> str:
    """Return the URL that moto gives a queue."""
    return f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}"


def create_table(client: "DynamoDBClient") -> None:
    """Make the template's table, empty, with the name `TABLE`."""
    properties = template()["Resources"]["Table"]["Properties"]
    client.create_table(
        TableName=TABLE, **{name: properties[name] for name in _CREATE_TABLE_PROPERTIES if name in properties}
    )
