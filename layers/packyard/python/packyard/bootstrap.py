"""The composition root: the only place that reads the environment and makes clients, clocks and random values.

Everything is imported and made when it is first asked for, so that a function pays for what it uses and nothing else.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from packyard.settings import Settings
from packyard.store.table import Table

if TYPE_CHECKING:
    from packyard.indexes import FileIndexes
    from packyard.operations.build import Builder
    from packyard.operations.built_images import BuiltImages
    from packyard.operations.clean_up import Cleaner
    from packyard.operations.clone import Cloner
    from packyard.operations.delete import Deleter
    from packyard.operations.edit import FileEditor
    from packyard.operations.files import PackFiles
    from packyard.operations.image_files import ImageFiles
    from packyard.operations.once import Once
    from packyard.operations.publish import Publisher
    from packyard.operations.read_token import TokenReader
    from packyard.operations.register import Registrar
    from packyard.operations.uploads import Uploads
    from packyard.queue import CleanupQueue, Queue
    from packyard.registry.port import ImageRegistry
    from packyard.registry.pull import ImageSource
    from packyard.staging import Staging
    from packyard.store.packs import PackStore
    from packyard.store.repositories import RepositoryStore
    from packyard.store.roles import RoleStore
    from packyard.store.tenants import TenantStore
    from packyard.store.uploads import UploadStore

# The SDK's default retries are its oldest, its default time-outs a minute; the gateway waits for 29 seconds.
_CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=3,
    read_timeout=5,
)


# What the SDK would sign forms with by itself is an older scheme, for a host that sends requests to most Regions on.
_S3_CONFIG = _CLIENT_CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))

# A build that fails may be tried this often, in leases that follow one another.
_BUILD_ATTEMPTS = 4


def _client(service: Any) -> Any:
    return boto3.client(service, config=_S3_CONFIG if service == "s3" else _CLIENT_CONFIG)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_ulid() -> str:
    from ulid import ULID

    return str(ULID())


# Not frozen: cached properties are written on first use.
@dataclass(kw_only=True)
class Services:
    """One container's settings, clients and collaborators.

    Attributes:
        settings: This deployment's.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        sleep: Waits for so many seconds.
    """

    settings: Settings
    clock: Callable[[], datetime] = _utc_now
    new_ulid: Callable[[], str] = _new_ulid
    sleep: Callable[[float], None] = time.sleep
    client: Callable[[str], Any] = _client

    @cached_property
    def table(self) -> Table:
        """The table."""
        return Table(client=self.client("dynamodb"), name=self.settings.table, sleep=self.sleep)

    @cached_property
    def packs(self) -> "PackStore":
        """Packs and their ledgers."""
        from packyard.store.packs import PackStore

        return PackStore(table=self.table)

    @cached_property
    def roles(self) -> "RoleStore":
        """Roles and their references to packs."""
        from packyard.store.roles import RoleStore

        return RoleStore(table=self.table)

    @cached_property
    def repositories(self) -> "RepositoryStore":
        """Names and the claims on their repositories."""
        from packyard.store.repositories import RepositoryStore

        return RepositoryStore(table=self.table)

    @cached_property
    def tenants(self) -> "TenantStore":
        """Organisations and their API keys."""
        from packyard.store.tenants import TenantStore

        return TenantStore(table=self.table)

    @cached_property
    def token_reader(self) -> "TokenReader | None":
        """What reads JWTs; None when this deployment takes none."""
        jwt = self.settings.jwt
        if jwt is None:
            return None
        import urllib3

        from packyard.issuer import IssuerKeys
        from packyard.operations.read_token import TokenReader

        http = urllib3.PoolManager()
        keys = IssuerKeys(url=jwt.keys_url, http=http, clock=self.clock, monotonic=time.monotonic)
        return TokenReader(issuer=jwt.issuer, audience=jwt.audience, keys=keys)

    @cached_property
    def staging(self) -> "Staging":
        """The staging bucket."""
        from packyard.staging import Staging

        return Staging(client=self.client("s3"), bucket=self.settings.staging_bucket)

    @cached_property
    def indexes(self) -> "FileIndexes":
        """The file indexes of images."""
        from packyard.indexes import FileIndexes

        return FileIndexes(client=self.client("s3"), bucket=self.settings.staging_bucket)

    @cached_property
    def image_files(self) -> "ImageFiles":
        """What reads the files of packs' images."""
        from packyard.operations.image_files import ImageFiles

        return ImageFiles(sources=self.image_source, indexes=self.indexes)

    @cached_property
    def files(self) -> "PackFiles":
        """What lists and reads packs' files."""
        from packyard.downloads import Downloads
        from packyard.operations.files import PackFiles

        bucket = self.settings.staging_bucket
        downloads = Downloads(client=self.client("s3"), bucket=bucket, clock=self.clock)
        return PackFiles(packs=self.packs, images=self.image_files, downloads=downloads)

    @cached_property
    def cleanup_queue(self) -> "CleanupQueue":
        """What `clean_up` reads."""
        from packyard.queue import CleanupQueue

        return CleanupQueue(client=self.client("sqs"), url=self.settings.cleanup_queue_url)

    @cached_property
    def build_queue(self) -> "Queue":
        """What `build_upload` reads."""
        from packyard.queue import Queue

        return Queue(client=self.client("sqs"), url=self.settings.build_queue_url)

    @cached_property
    def registry(self) -> "ImageRegistry":
        """Our own registry."""
        from packyard.registry.credentials import Anonymous
        from packyard.registry.factory import distribution_registry, ecr_registry
        from packyard.registry.transport import Patience

        url = self.settings.registry_url
        seconds = self.settings.registry_seconds
        # Each request may be tried three times before somebody stops waiting.
        patience = Patience(
            sleep=self.sleep, monotonic=time.monotonic, read_seconds=seconds / 3, total_seconds=seconds
        )
        if self.settings.registry_kind == "distribution":
            return distribution_registry(url=url, credential=Anonymous(), patience=patience)
        return ecr_registry(url=url, ecr=self.client("ecr"), clock=self.clock, patience=patience)

    @cached_property
    def built_images(self) -> "BuiltImages":
        """The images that we build, in our own registry."""
        from packyard.operations.built_images import BuiltImages

        return BuiltImages(
            registry=self.registry,
            cleanup_queue=self.cleanup_queue,
            repository_prefix=self.settings.repository_prefix,
            clock=self.clock,
        )

    @cached_property
    def image_source(self) -> "ImageSource":
        """What reads packs out of images of any registry."""
        from packyard.registry.credentials import Anonymous, EcrToken
        from packyard.registry.foreign_credentials import ForeignCredentials
        from packyard.registry.pull import OwnRegistry
        from packyard.registry.source_factory import image_source

        settings = self.settings
        is_ecr = settings.registry_kind == "ecr"
        own = OwnRegistry(
            url=settings.registry_url,
            credential=EcrToken(ecr=self.client("ecr"), clock=self.clock) if is_ecr else Anonymous(),
            prefix=settings.repository_prefix,
        )
        foreign = ForeignCredentials(
            load=self._registry_credentials,
            ecr_token=lambda region: EcrToken(
                ecr=boto3.client("ecr", region_name=region, config=_CLIENT_CONFIG), clock=self.clock
            ),
            clock=self.clock,
        )
        return image_source(
            own=own,
            trusted=settings.trusted_registries,
            credentials=foreign,
            manifest_bytes=settings.archive_limits.manifest_bytes,
            monotonic=time.monotonic,
        )

    def _registry_credentials(self) -> str:
        if not self.settings.registry_credentials:
            return "{}"
        from packyard.aws import outages_translated

        with outages_translated():
            secret = self.client("secretsmanager").get_secret_value(
                SecretId=self.settings.registry_credentials
            )
        return str(secret["SecretString"])

    @cached_property
    def registrar(self) -> "Registrar":
        """Registers packs by the image that carries them."""
        from packyard.operations.register import Registrar

        return Registrar(
            packs=self.packs,
            repositories=self.repositories,
            images=self.image_source,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def publisher(self) -> "Publisher":
        """Publishes archives."""
        from packyard.operations.publish import Publisher

        return Publisher(
            packs=self.packs,
            repositories=self.repositories,
            staging=self.staging,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            indexes=self.indexes,
            limits=self.settings.archive_limits,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def file_editor(self) -> "FileEditor":
        """Writes files into packs."""
        from packyard.operations.edit import FileEditor

        return FileEditor(
            packs=self.packs,
            repositories=self.repositories,
            images=self.built_images,
            files=self.image_files,
            indexes=self.indexes,
            limits=self.settings.archive_limits,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def cloner(self) -> "Cloner":
        """Clones packs."""
        from packyard.operations.clone import Cloner

        return Cloner(
            packs=self.packs,
            repositories=self.repositories,
            images=self.built_images,
            sources=self.image_source,
            max_bytes=self.settings.archive_limits.compressed_bytes,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def deleter(self) -> "Deleter":
        """Deletes packs."""
        from packyard.operations.delete import Deleter
        from packyard.store.deletions import DeletionStore

        return Deleter(
            deletions=DeletionStore(table=self.table),
            repositories=self.repositories,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def upload_store(self) -> "UploadStore":
        """Staged uploads' records."""
        from packyard.store.uploads import UploadStore

        return UploadStore(table=self.table)

    @cached_property
    def uploads(self) -> "Uploads":
        """Staged uploads, as their clients see them."""
        from packyard.operations.uploads import Uploads

        return Uploads(
            uploads=self.upload_store,
            packs=self.packs,
            staging=self.staging,
            cleanup_queue=self.cleanup_queue,
            max_bytes=self.settings.archive_limits.compressed_bytes,
            build_time=self._build_time,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def once(self) -> "Once":
        """Carries out a request once for each idempotency key."""
        from packyard.operations.once import Once

        return Once(table=self.table, clock=self.clock, new_ulid=self.new_ulid)

    @cached_property
    def builder(self) -> "Builder":
        """Builds what clients have staged."""
        from packyard.operations.build import Builder

        return Builder(
            uploads=self.upload_store,
            staging=self.staging,
            publisher=self.publisher,
            lease=timedelta(seconds=self.settings.publish_deadline_seconds),
            build_time=self._build_time,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @property
    def _build_time(self) -> timedelta:
        return _BUILD_ATTEMPTS * timedelta(seconds=self.settings.publish_deadline_seconds)

    @cached_property
    def cleaner(self) -> "Cleaner":
        """Settles cleanup messages."""
        from packyard.operations.clean_up import Cleaner

        return Cleaner(
            packs=self.packs,
            repositories=self.repositories,
            staging=self.staging,
            cleanup_queue=self.cleanup_queue,
            registry=self.registry,
            deleter=self.deleter,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )


_current: list[Services] = []


def services() -> Services:
    """Return this container's services, made from the environment when first asked for.

    Raises:
        KeyError, ValueError: The environment lacks a setting, or has one that cannot be read.
    """
    if not _current:
        _current.append(Services(settings=Settings.from_environment(os.environ)))
    return _current[-1]


def prepare() -> None:
    """Make what every request needs, where this is a function that starts.

    Until it has started, a function has more processor than its memory buys it afterwards, and nobody waits for it yet.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        _ = services().table


@contextmanager
def using(replacement: Services) -> Iterator[Services]:
    """Let functions find `replacement` instead, for as long as the context lasts: how tests bring their own."""
    _current.append(replacement)
    try:
        yield replacement
    finally:
        _current.pop()
