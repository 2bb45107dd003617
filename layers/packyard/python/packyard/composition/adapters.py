"""The clients of this container, and the stores, queues and registries that use cases reach with them.

Everything is imported and made when it is first used, so that a function loads only what it uses.
"""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from packyard.aws.outages import OutOfTime
from packyard.composition.deadline import (
    ANSWER_SECONDS,
    COMMIT_SECONDS,
    CONNECT_SECONDS,
    READ_SECONDS,
    SCAN_SECONDS,
    Deadline,
)
from packyard.composition.settings import Settings
from packyard.store.table import Table

if TYPE_CHECKING:
    from packyard.aws.scan_function import ScanFunction
    from packyard.aws.sealed_secrets import SealedSecrets
    from packyard.aws.signer import Signer
    from packyard.aws.signing_secret import SigningSecret
    from packyard.issuer.discovered_keys import DiscoveredIssuers
    from packyard.issuer.published_keys import IssuerKeys
    from packyard.messaging.attestation_queue import AttestationQueue
    from packyard.messaging.build_queue import BuildQueue
    from packyard.messaging.cleanup_queue import CleanupQueue
    from packyard.messaging.dead_letters import DeadLetters
    from packyard.messaging.delivery_queue import DeliveryQueue
    from packyard.messaging.event_bus import EventBus
    from packyard.messaging.preparation_queue import PreparationQueue
    from packyard.network.guard import Guard
    from packyard.network.sender import Sender
    from packyard.registry.credentials import Credential
    from packyard.registry.own.ecr_logins import EcrLogins
    from packyard.registry.own.port import ImageRegistry
    from packyard.registry.own.transport import Timeouts
    from packyard.registry.third_party.pull import ImageSource
    from packyard.storage.bundles import Bundles
    from packyard.storage.door_files import DoorFiles
    from packyard.storage.downloads import Downloads
    from packyard.storage.file_indexes import FileIndexes
    from packyard.storage.kept_content import KeptContent
    from packyard.storage.locks import Locks
    from packyard.storage.staging import Staging
    from packyard.store.api_keys import ApiKeyStore
    from packyard.store.attestations import AttestationStore
    from packyard.store.brought_signatures import BroughtStore
    from packyard.store.build_slots import BuildSlots
    from packyard.store.cursors import Cursors
    from packyard.store.deletions import DeletionStore
    from packyard.store.deliveries import DeliveryStore
    from packyard.store.events import EventLog
    from packyard.store.feed_uses import FeedUses
    from packyard.store.feeds import FeedStore
    from packyard.store.image_states import ImageStates
    from packyard.store.pack_revisions import PackRevisions
    from packyard.store.packs import PackStore
    from packyard.store.pinning_roles import PinningRoles
    from packyard.store.published_versions import PublishedVersions
    from packyard.store.publishers import PublisherStore
    from packyard.store.removals import Removals
    from packyard.store.repositories import RepositoryStore
    from packyard.store.retention import RetentionStore
    from packyard.store.roles import RoleStore
    from packyard.store.scan_overrides import ScanOverrideStore
    from packyard.store.scan_policies import ScanPolicyStore
    from packyard.store.scans import ScanStore
    from packyard.store.signature_policies import SignaturePolicyStore
    from packyard.store.signing_keys import SigningKeyStore
    from packyard.store.tenants import TenantStore
    from packyard.store.told_roles import ToldRoles
    from packyard.store.uploads import UploadStore
    from packyard.store.usage import UsageLedger
    from packyard.store.usage_store import UsageStore
    from packyard.store.version_policies import VersionPolicyStore
    from packyard.store.webhooks import WebhookStore

# The SDK's default mode of retries is `legacy`, and its default timeouts are a minute. Another attempt is made only
# while the invocation has time for it (`aws_client`).
_CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
)

# By default, the SDK signs forms with an older scheme, and for a host that redirects requests to most Regions.
_S3_CONFIG = _CLIENT_CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


# A scan is asked for once. The function's own time is shorter.
_SCAN_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=SCAN_SECONDS,
)

# The SDK's names of credentials, and STS's.
_OF_STS = {
    "aws_access_key_id": "AccessKeyId",
    "aws_secret_access_key": "SecretAccessKey",
    "aws_session_token": "SessionToken",
}


def aws_client(
    service: Any, *, deadline: Deadline, region: str | None = None, session: Mapping[str, Any] | None = None
) -> Any:
    """Return an AWS service's client, which makes no attempt after the invocation's time is over.

    Args:
        service: The SDK's name of the service.
        deadline: The end of the invocation.
        region: The Region; the function's own by default.
        session: The credentials of a role's session, as STS returns them; the function's own by default.
    """
    config = {"s3": _S3_CONFIG, "lambda": _SCAN_CONFIG}.get(service, _CLIENT_CONFIG)
    credentials = {name: session[of_sts] for name, of_sts in _OF_STS.items()} if session else {}
    client: Any = boto3.client(service, region_name=region, config=config, **credentials)

    def require_time(**_: object) -> None:
        if deadline.left(keep=COMMIT_SECONDS) <= 0:
            raise OutOfTime

    client.meta.events.register_first("before-send", require_time)
    return client


def _client(service: str) -> Any:
    return aws_client(service, deadline=Deadline())


def _session_client(service: str, session: Mapping[str, Any]) -> Any:
    return aws_client(service, deadline=Deadline(), session=session)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_ulid() -> str:
    from ulid import ULID

    return str(ULID())


# Not frozen: cached properties are written on first use.
@dataclass(kw_only=True)
class Adapters:
    """One container's settings and clients, and the stores, queues and registries made with them.

    Attributes:
        settings: This deployment's.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        sleep: Waits for so many seconds.
        random: A random number from 0 up to 1. It is not for secrets.
        random_bytes: That many bytes from the operating system's random source, for secrets.
        deadline: The end of the present invocation.
        client: Makes an AWS service's client that keeps to the deadline.
        session_client: The same with the credentials of a role's session, as STS returns them.
    """

    settings: Settings
    clock: Callable[[], datetime] = _utc_now
    new_ulid: Callable[[], str] = _new_ulid
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    random_bytes: Callable[[int], bytes] = os.urandom
    deadline: Deadline = field(default_factory=Deadline)
    client: Callable[[str], Any] = _client
    session_client: Callable[[str, Mapping[str, Any]], Any] = _session_client

    @cached_property
    def table(self) -> Table:
        """The table."""
        return Table(client=self.client("dynamodb"), name=self.settings.table, sleep=self.sleep)

    @cached_property
    def events(self) -> "EventLog":
        """The maker of events."""
        from packyard.store.events import EventLog

        return EventLog(
            clock=self.clock,
            new_ulid=self.new_ulid,
            request_id=lambda: self.deadline.request_id,
            kept=timedelta(days=self.settings.event_days),
            ci=lambda: self.deadline.ci,
            source=lambda: self.deadline.source,
        )

    @cached_property
    def packs(self) -> "PackStore":
        """Packs and their histories."""
        from packyard.aws.figures import count_revision
        from packyard.store.packs import PackStore

        return PackStore(
            table=self.table, events=self.events, usage=self.usage_ledger, on_revision=count_revision
        )

    @cached_property
    def usage_ledger(self) -> "UsageLedger":
        """The maker of the actions that count what organisations use."""
        from packyard.store.usage import UsageLedger

        return UsageLedger(defaults=self.settings.quotas)

    @cached_property
    def usage(self) -> "UsageStore":
        """What organisations use, and the limits on it."""
        from packyard.store.usage_store import UsageStore

        return UsageStore(table=self.table, defaults=self.settings.quotas)

    @cached_property
    def build_slots(self) -> "BuildSlots":
        """The places of organisations among the builds under way."""
        from packyard.store.build_slots import BuildSlots

        return BuildSlots(table=self.table, default=self.settings.quotas.builds_at_once)

    @cached_property
    def api_keys(self) -> "ApiKeyStore":
        """API keys, as their organisations see them."""
        from packyard.store.api_keys import ApiKeyStore

        return ApiKeyStore(table=self.table, events=self.events)

    @cached_property
    def roles(self) -> "RoleStore":
        """Roles and their references to packs."""
        from packyard.store.roles import RoleStore

        return RoleStore(table=self.table, events=self.events)

    @cached_property
    def pack_revisions(self) -> "PackRevisions":
        """Several packs at once, with their histories."""
        from packyard.store.pack_revisions import PackRevisions

        return PackRevisions(table=self.table)

    @cached_property
    def image_states(self) -> "ImageStates":
        """The states of images of packs."""
        from packyard.store.image_states import ImageStates

        return ImageStates(table=self.table, events=self.events)

    @cached_property
    def removals(self) -> "Removals":
        """The deletions of images."""
        from packyard.store.pack_counts import PackCounts
        from packyard.store.removals import Removals

        counts = PackCounts(table=self.table)
        return Removals(table=self.table, events=self.events, counts=counts)

    @cached_property
    def retention_store(self) -> "RetentionStore":
        """The retention policies of packs."""
        from packyard.store.retention import RetentionStore

        return RetentionStore(table=self.table, events=self.events)

    @cached_property
    def kept_content(self) -> "KeptContent":
        """What the staging bucket keeps of images."""
        from packyard.storage.kept_content import KeptContent

        return KeptContent(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def pinning_roles(self) -> "PinningRoles":
        """Roles by the packs that they pin."""
        from packyard.store.pinning_roles import PinningRoles

        return PinningRoles(table=self.table)

    @cached_property
    def repositories(self) -> "RepositoryStore":
        """Names and the claims on their repositories."""
        from packyard.store.repositories import RepositoryStore

        return RepositoryStore(table=self.table)

    @cached_property
    def tenants(self) -> "TenantStore":
        """Organisations and their API keys."""
        from packyard.store.tenants import TenantStore

        return TenantStore(table=self.table, events=self.events)

    @cached_property
    def version_policy_store(self) -> "VersionPolicyStore":
        """The version policies of organisations."""
        from packyard.store.version_policies import VersionPolicyStore

        return VersionPolicyStore(table=self.table, events=self.events)

    @cached_property
    def signature_policy_store(self) -> "SignaturePolicyStore":
        """The signature policies of organisations."""
        from packyard.store.signature_policies import SignaturePolicyStore

        return SignaturePolicyStore(table=self.table, events=self.events)

    @cached_property
    def brought_store(self) -> "BroughtStore":
        """What registered images bring."""
        from packyard.store.brought_signatures import BroughtStore

        return BroughtStore(table=self.table)

    @cached_property
    def scan_function(self) -> "ScanFunction | None":
        """The function that scans; None if scanning is off."""
        if not self.settings.scan_function:
            return None
        from packyard.aws.scan_function import ScanFunction

        return ScanFunction(client=lambda: self.lambda_client, name=self.settings.scan_function)

    @cached_property
    def lambda_client(self) -> Any:
        """The client that invokes the function that scans; None if scanning is off."""
        return self.client("lambda") if self.settings.scan_function else None

    @cached_property
    def scans(self) -> "ScanStore":
        """The results of scans."""
        from packyard.store.scans import ScanStore

        return ScanStore(table=self.table, events=self.events)

    @cached_property
    def scan_overrides(self) -> "ScanOverrideStore":
        """The scan overrides of packs."""
        from packyard.store.scan_overrides import ScanOverrideStore

        return ScanOverrideStore(table=self.table, events=self.events)

    @cached_property
    def scan_policy_store(self) -> "ScanPolicyStore":
        """The scan policies of organisations."""
        from packyard.store.scan_policies import ScanPolicyStore

        return ScanPolicyStore(table=self.table, events=self.events)

    @cached_property
    def published_versions(self) -> "PublishedVersions":
        """The versions that were published."""
        from packyard.store.published_versions import PublishedVersions

        return PublishedVersions(table=self.table)

    @cached_property
    def deletions(self) -> "DeletionStore":
        """Packs that are being deleted."""
        from packyard.store.deletions import DeletionStore

        return DeletionStore(table=self.table, events=self.events)

    @cached_property
    def upload_store(self) -> "UploadStore":
        """Staged uploads' records."""
        from packyard.store.uploads import UploadStore

        return UploadStore(table=self.table)

    @cached_property
    def webhook_store(self) -> "WebhookStore":
        """The webhooks of organisations."""
        from packyard.store.webhooks import WebhookStore

        return WebhookStore(table=self.table, events=self.events)

    @cached_property
    def delivery_store(self) -> "DeliveryStore":
        """What has come of deliveries."""
        from packyard.store.deliveries import DeliveryStore

        return DeliveryStore(table=self.table)

    @cached_property
    def told_roles(self) -> "ToldRoles":
        """What the owners of roles have been told of their pins."""
        from packyard.store.told_roles import ToldRoles

        return ToldRoles(table=self.table, events=self.events)

    @cached_property
    def publishers(self) -> "PublisherStore":
        """Trusted publishers."""
        from packyard.store.publishers import PublisherStore

        return PublisherStore(table=self.table, events=self.events)

    @cached_property
    def feed_store(self) -> "FeedStore":
        """Feeds."""
        from packyard.store.feeds import FeedStore

        return FeedStore(table=self.table, events=self.events)

    @cached_property
    def feed_uses(self) -> "FeedUses":
        """From where feeds are used."""
        from packyard.store.feed_uses import FeedUses

        return FeedUses(table=self.table, events=self.events)

    @cached_property
    def issuer_guard(self) -> "Guard":
        """The guard of connections to the issuers of trusted publishers."""
        from packyard.network.guard import Guard, TrustedHosts, connect_to, resolve_name

        trusted = TrustedHosts.parse(self.settings.trusted_issuer_hosts)
        return Guard(trusted=trusted, resolve=resolve_name, connect=connect_to)

    @cached_property
    def publisher_issuers(self) -> "DiscoveredIssuers":
        """The keys of the issuers of trusted publishers."""
        from functools import cache

        from packyard.issuer.discovered_keys import DiscoveredIssuers, DiscoveredKeySet
        from packyard.network.guarded_connection import tls_context

        tls = cache(tls_context)

        def fetching(issuer: str) -> DiscoveredKeySet:
            return DiscoveredKeySet(
                issuer=issuer,
                guard=self.issuer_guard,
                tls=tls,
                monotonic=time.monotonic,
                time_left=self.registry_time_left,
            )

        return DiscoveredIssuers(fetching=fetching, clock=self.clock)

    def issuer_keys(self, url: str) -> "IssuerKeys":
        """Return the keys that an issuer publishes at `url`."""
        import urllib3

        from packyard.issuer.published_keys import IssuerKeys, KeySetAt

        fetch = KeySetAt(
            url=url,
            http=urllib3.PoolManager(),
            monotonic=time.monotonic,
            time_left=lambda: self.deadline.left(keep=ANSWER_SECONDS),
        )
        return IssuerKeys(fetch=fetch, clock=self.clock)

    @cached_property
    def staging(self) -> "Staging":
        """The staging bucket."""
        from packyard.storage.staging import Staging

        return Staging(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def indexes(self) -> "FileIndexes":
        """The file indexes of images."""
        from packyard.storage.file_indexes import FileIndexes

        return FileIndexes(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def bundles(self) -> "Bundles":
        """The bundles of roles."""
        from packyard.storage.bundles import Bundles

        return Bundles(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def downloads(self) -> "Downloads":
        """Short-lived URLs of what is too large for an answer."""
        from packyard.storage.downloads import Downloads

        bucket = self.settings.staging_bucket
        return Downloads(client=self._s3, bucket=bucket, clock=self.clock)

    @cached_property
    def locks(self) -> "Locks":
        """The lock documents of roles."""
        from packyard.storage.locks import Locks

        return Locks(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def door_files(self) -> "DoorFiles":
        """What the doors serve."""
        from packyard.storage.door_files import DoorFiles

        return DoorFiles(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def cleanup_queue(self) -> "CleanupQueue":
        """The queue that `clean_up` reads."""
        from packyard.messaging.cleanup_queue import CleanupQueue

        return CleanupQueue(client=self._sqs, url=self.settings.cleanup_queue_url)

    @cached_property
    def build_queue(self) -> "BuildQueue":
        """The queue that `build_upload` reads."""
        from packyard.messaging.build_queue import BuildQueue

        return BuildQueue(client=self._sqs, url=self.settings.build_queue_url)

    @cached_property
    def delivery_queue(self) -> "DeliveryQueue":
        """The queues that `deliver` reads."""
        from packyard.messaging.delivery_queue import DeliveryQueue

        settings = self.settings
        return DeliveryQueue(
            client=self._sqs,
            url=settings.delivery_queue_url,
            retry_url=settings.delivery_retry_queue_url,
            dead_letters_url=settings.delivery_dead_letters_url,
        )

    @cached_property
    def dead_letters(self) -> "Mapping[str, DeadLetters]":
        """The dead-letter queues, by name."""
        from packyard.messaging.dead_letters import DeadLetters

        urls = self.settings.dead_letters
        return {name: DeadLetters(client=self._sqs, url=url) for name, url in urls.items()}

    @cached_property
    def attestation_queue(self) -> "AttestationQueue":
        """The queue that `attest_image` reads."""
        from packyard.messaging.attestation_queue import AttestationQueue

        return AttestationQueue(client=self._sqs, url=self.settings.attestation_queue_url)

    @cached_property
    def preparation_queue(self) -> "PreparationQueue":
        """The queue that `prepare_artifacts` reads."""
        from packyard.messaging.preparation_queue import PreparationQueue

        return PreparationQueue(client=self._sqs, url=self.settings.preparation_queue_url)

    @cached_property
    def attestation_store(self) -> "AttestationStore":
        """What the ledger says of statements about images."""
        from packyard.store.attestations import AttestationStore

        return AttestationStore(table=self.table)

    @cached_property
    def signing_key_store(self) -> "SigningKeyStore":
        """The public keys that have signed statements."""
        from packyard.store.signing_keys import SigningKeyStore

        return SigningKeyStore(table=self.table)

    @cached_property
    def signer(self) -> "Signer":
        """The signer of statements."""
        from packyard.aws.signer import Signer

        return Signer(client=lambda: self.kms, key_id=self.settings.signing_key)

    @cached_property
    def event_bus(self) -> "EventBus | None":
        """The operator's event bus; None without one."""
        if not self.settings.event_bus_name:
            return None
        from packyard.messaging.event_bus import EventBus

        return EventBus(client=self.client("events"), name=self.settings.event_bus_name)

    @cached_property
    def webhook_secrets(self) -> "SealedSecrets":
        """The secrets of webhooks, which KMS encrypts."""
        from packyard.aws.sealed_secrets import SealedSecrets

        return SealedSecrets(client=lambda: self.kms, key_id=self.settings.webhook_key)

    @cached_property
    def webhook_guard(self) -> "Guard":
        """The guard of connections to the hosts of webhooks."""
        from packyard.network.guard import Guard, TrustedHosts, connect_to, resolve_name

        trusted = TrustedHosts.parse(self.settings.trusted_webhook_hosts)
        return Guard(trusted=trusted, resolve=resolve_name, connect=connect_to)

    @cached_property
    def webhook_sender(self) -> "Sender":
        """The sender of events to webhooks."""
        from functools import cache

        from packyard.network.guarded_connection import tls_context
        from packyard.network.sender import Sender

        return Sender(
            guard=self.webhook_guard,
            tls=cache(tls_context),
            monotonic=time.monotonic,
            time_left=self.registry_time_left,
        )

    @cached_property
    def registry_credential(self) -> "Credential":
        """The credential for our own registry, for pushing and for pulling."""
        from packyard.registry.credentials import Anonymous, EcrToken

        settings = self.settings
        if settings.registry_kind == "ecr":
            return EcrToken(ecr=self._ecr, clock=self.clock)
        if not settings.registry_login:
            return Anonymous()
        from packyard.registry.own.factory import registry_login

        return registry_login(
            url=settings.registry_url,
            load=lambda: self._secret(settings.registry_login),
            timeouts=self._timeouts,
            clock=self.clock,
        )

    @cached_property
    def registry(self) -> "ImageRegistry":
        """Our own registry."""
        from packyard.registry.own.factory import distribution_registry, ecr_registry

        url, credential, timeouts = self.settings.registry_url, self.registry_credential, self._timeouts
        if self.settings.registry_kind == "distribution":
            return distribution_registry(url=url, credential=credential, timeouts=timeouts)
        return ecr_registry(url=url, ecr=self._ecr, credential=credential, timeouts=timeouts)

    @cached_property
    def ecr_logins(self) -> "EcrLogins | None":
        """The logins at ECR that open a list of repositories; None where the registry is not ECR."""
        from packyard.registry.own.ecr_logins import EcrLogins

        if self.settings.registry_kind != "ecr":
            return None
        return EcrLogins(
            sts=lambda: self._sts,
            ecr=lambda session: self.session_client("ecr", session),
            role_arn=self.settings.registry_pull_role,
        )

    @cached_property
    def image_source(self) -> "ImageSource":
        """The reader of packs in images of any registry."""
        from packyard.registry.credentials import EcrToken
        from packyard.registry.third_party.pull import OwnRegistry
        from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials
        from packyard.registry.third_party.source_factory import image_source

        settings = self.settings
        own = OwnRegistry(
            url=settings.registry_url,
            credential=self.registry_credential,
            prefix=settings.repository_prefix,
        )
        third_party = ThirdPartyCredentials(
            load=self._registry_credentials,
            ecr_token=lambda region: EcrToken(
                ecr=aws_client("ecr", deadline=self.deadline, region=region), clock=self.clock
            ),
            clock=self.clock,
        )
        return image_source(
            own=own,
            trusted=settings.trusted_registries,
            credentials=third_party,
            manifest_bytes=settings.archive_limits.manifest_bytes,
            monotonic=time.monotonic,
            time_left=self.registry_time_left,
        )

    def registry_time_left(self) -> float:
        """Return for how many seconds a registry may be waited for. Time for the commit and the answer is left out."""
        return self.deadline.left(keep=COMMIT_SECONDS)

    @cached_property
    def cursors(self) -> "Cursors":
        """The maker and reader of lists' cursors."""
        from packyard.store.cursors import Cursors

        return Cursors(secret=self._signing_secret("CursorKey", self.settings.cursor_secret))

    @cached_property
    def pull_token_secret(self) -> "SigningSecret":
        """The secret that signs pull tokens."""
        return self._signing_secret("PullTokenKey", self.settings.pull_token_secret)

    @cached_property
    def secrets_manager(self) -> Any:
        """Secrets Manager's client."""
        return self.client("secretsmanager")

    @cached_property
    def kms(self) -> Any:
        """KMS's client."""
        return self.client("kms")

    @cached_property
    def _s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def _sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def _ecr(self) -> Any:
        return self.client("ecr")

    @cached_property
    def _sts(self) -> Any:
        return self.client("sts")

    @cached_property
    def _timeouts(self) -> "Timeouts":
        from packyard.registry.own.transport import Timeouts

        return Timeouts(
            sleep=self.sleep,
            monotonic=time.monotonic,
            random=self.random,
            # A registry needs long for a large layer, and `build_upload` has the time. Other functions end earlier.
            read_seconds=80,
            total_seconds=240,
            pause_seconds=48,
            time_left=self.registry_time_left,
        )

    def _registry_credentials(self) -> str:
        if not self.settings.registry_credentials:
            return "{}"
        return self._secret(self.settings.registry_credentials)

    def _secret(self, arn: str, label: str = "AWSCURRENT") -> str:
        from packyard.aws.outages import outages_translated

        with outages_translated():
            secret = self.secrets_manager.get_secret_value(SecretId=arn, VersionStage=label)
        # A secret that holds bytes has no SecretString. Ours must be text: an empty one is refused as malformed.
        return str(secret.get("SecretString", ""))

    def _signing_secret(self, name: str, arn: str) -> "SigningSecret":
        from packyard.aws.signing_secret import PREVIOUS, SigningSecret

        def load(label: str) -> str | None:
            try:
                return self._secret(arn, label)
            except self.secrets_manager.exceptions.ResourceNotFoundException:
                # Before its first rotation a secret has no previous version.
                if label == PREVIOUS:
                    return None
                raise

        return SigningSecret(name=name, load=load, clock=self.clock)
