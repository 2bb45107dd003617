"""The composition root: the only place that reads the environment, and where use cases get their dependencies.

Everything is imported and made when it is first used, so that a function loads only what it uses.
"""

import codecs
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from packyard.composition.adapters import Adapters, aws_client
from packyard.composition.deadline import Deadline
from packyard.composition.settings import Settings

if TYPE_CHECKING:
    from packyard.operations.attached import AttachedStatements
    from packyard.operations.attest import Attester
    from packyard.operations.attestations import AttestationReader, PublishedKeys
    from packyard.operations.brought_signatures import BroughtSignatures
    from packyard.operations.build import Builder
    from packyard.operations.built_images import BuiltImages
    from packyard.operations.bundle import BundleFinder, BundleMaker
    from packyard.operations.clean_up import Cleaner
    from packyard.operations.clone import Cloner
    from packyard.operations.comparison import PackComparer
    from packyard.operations.content_scan import ContentScanner
    from packyard.operations.delete import Deleter
    from packyard.operations.deliver import Deliverer
    from packyard.operations.deliveries import Deliveries
    from packyard.operations.download import Downloader
    from packyard.operations.dry_run import DryRun
    from packyard.operations.edit import FileEditor
    from packyard.operations.fan_out import FanOut
    from packyard.operations.feed_door import FeedDoor
    from packyard.operations.feed_reader import FeedReader
    from packyard.operations.feed_watch import FeedWatch
    from packyard.operations.feeds import Feeds
    from packyard.operations.files import PackFiles
    from packyard.operations.follow import Follower
    from packyard.operations.image_files import ImageFiles
    from packyard.operations.keys import KeyMaker
    from packyard.operations.lock import LockReader
    from packyard.operations.once import Once
    from packyard.operations.operator_view import OperatorView
    from packyard.operations.pack_scans import PackScans
    from packyard.operations.policies import Policies
    from packyard.operations.prepare import Preparer
    from packyard.operations.publish import Publisher
    from packyard.operations.publishers import PublisherKeeper
    from packyard.operations.pull_tokens import PullTokens
    from packyard.operations.read_token import TokenReader
    from packyard.operations.register import Registrar
    from packyard.operations.registry_logins import RegistryLogins
    from packyard.operations.rescan import Rescanner
    from packyard.operations.retention import Retention
    from packyard.operations.revision_deletion import RevisionDeleter
    from packyard.operations.role_packs import RoleReader
    from packyard.operations.role_pins import RolePins
    from packyard.operations.roles import RoleSetter
    from packyard.operations.scan_rule import ScanRule
    from packyard.operations.served_artifacts import ServedArtifacts
    from packyard.operations.served_files import ServedFiles
    from packyard.operations.served_images import ServedImages
    from packyard.operations.served_packs import ServedPacks
    from packyard.operations.signature_policy import SignatureRule
    from packyard.operations.standing_pack import StandingPacks
    from packyard.operations.tell_roles import RoleTeller
    from packyard.operations.token_exchange import TokenExchange
    from packyard.operations.uploads import Uploads
    from packyard.operations.version_policy import VersionRule
    from packyard.operations.webhooks import Webhooks
    from packyard.operations.withdrawals import Withdrawer
    from packyard.scanning.policy import ScanPolicy
    from packyard.signatures.policy import SignaturePolicy
    from packyard.tenants.version_policy import VersionPolicy

# How often a build is tried. Each attempt has a lease of its own, after the one before.
_BUILD_ATTEMPTS = 4


class Services(Adapters):
    """One container's adapters, and the use cases that use them."""

    @cached_property
    def token_reader(self) -> "TokenReader | None":
        """The reader of JWTs; None when this deployment takes none."""
        jwt = self.settings.jwt
        if jwt is None:
            return None
        from packyard.operations.read_token import TokenReader

        return TokenReader(issuer=jwt.issuer, audience=jwt.audience, keys=self.issuer_keys(jwt.keys_url))

    @cached_property
    def once(self) -> "Once":
        """Carries out a request once for each idempotency key."""
        from packyard.operations.once import Once

        return Once(table=self.table, clock=self.clock, new_ulid=self.new_ulid)

    @cached_property
    def key_maker(self) -> "KeyMaker":
        """Makes and revokes API keys."""
        from packyard.operations.keys import KeyMaker

        return KeyMaker(keys=self.api_keys, clock=self.clock, random_bytes=self.random_bytes)

    @cached_property
    def operator_view(self) -> "OperatorView":
        """Reads how the deployment is."""
        from packyard.operations.operator_view import OperatorView

        return OperatorView(
            deletions=self.deletions,
            tenants=self.tenants,
            usage=self.usage,
            dead_letters=lambda: self.dead_letters,
            clock=self.clock,
        )

    @cached_property
    def publisher_keeper(self) -> "PublisherKeeper":
        """Adds and removes trusted publishers."""
        from packyard.operations.publishers import PublisherKeeper

        return PublisherKeeper(
            publishers=self.publishers, guard=self.issuer_guard, clock=self.clock, new_ulid=self.new_ulid
        )

    @cached_property
    def token_exchange(self) -> "TokenExchange":
        """Exchanges the tokens of CI for keys."""
        from packyard.operations.token_exchange import TokenExchange

        return TokenExchange(
            tenants=self.tenants,
            publishers=self.publishers,
            issuers=self.publisher_issuers,
            clock=self.clock,
            random_bytes=self.random_bytes,
        )

    @cached_property
    def version_policies(self) -> "Policies[VersionPolicy]":
        """Reads and sets version policies."""
        from packyard.operations.policies import Policies

        return Policies(store=self.version_policy_store, thing="version policy")

    @cached_property
    def version_rule(self) -> "VersionRule":
        """Decides whether a version may be published."""
        from packyard.operations.version_policy import VersionRule

        return VersionRule(published=self.published_versions)

    @cached_property
    def signature_policies(self) -> "Policies[SignaturePolicy]":
        """Reads and sets signature policies."""
        from packyard.operations.policies import Policies

        return Policies(store=self.signature_policy_store, thing="signature policy")

    @cached_property
    def signature_rule(self) -> "SignatureRule":
        """Decides whether registered images may be used."""
        from packyard.operations.signature_policy import SignatureRule

        return SignatureRule(policies=self.signature_policy_store, brought=self.brought_store)

    @cached_property
    def brought_signatures(self) -> "BroughtSignatures":
        """Reads what registered images bring."""
        from packyard.operations.brought_signatures import BroughtSignatures

        return BroughtSignatures(store=self.brought_store)

    @cached_property
    def content_scanner(self) -> "ContentScanner | None":
        """Scans files; None if scanning is off."""
        if self.scan_function is None:
            return None
        from packyard.operations.content_scan import ContentScanner

        return ContentScanner(
            function=self.scan_function,
            time_left=self.registry_time_left,
            monotonic=time.monotonic,
            clock=self.clock,
        )

    @cached_property
    def scan_rule(self) -> "ScanRule":
        """Decides whether what a scan found may be published."""
        from packyard.operations.scan_rule import ScanRule

        return ScanRule(scanner=self.content_scanner, store=self.scans, clock=self.clock)

    @cached_property
    def scan_policies(self) -> "Policies[ScanPolicy]":
        """Reads and sets scan policies."""
        from packyard.operations.policies import Policies

        return Policies(store=self.scan_policy_store, thing="scan policy")

    @cached_property
    def pack_scans(self) -> "PackScans":
        """Reads the results of packs, and makes overrides."""
        from packyard.operations.pack_scans import PackScans

        return PackScans(
            revisions=self.pack_revisions,
            packs=self.packs,
            scans=self.scans,
            overrides=self.scan_overrides,
            clock=self.clock,
        )

    @cached_property
    def rescanner(self) -> "Rescanner":
        """Scans images again."""
        from packyard.operations.rescan import Rescanner

        return Rescanner(
            scans=self.scans,
            packs=self.packs,
            states=self.image_states,
            files=self.image_files,
            scanner=self.content_scanner,
            rule=self.scan_rule,
            time_left=self.registry_time_left,
            clock=self.clock,
        )

    @cached_property
    def built_images(self) -> "BuiltImages":
        """The images in our own registry."""
        from packyard.operations.built_images import BuiltImages

        return BuiltImages(
            registry=self.registry,
            cleanup_queue=self.cleanup_queue,
            repository_prefix=self.settings.repository_prefix,
            attestations=self.settings.attestations,
            time_left=self.registry_time_left,
            clock=self.clock,
        )

    @cached_property
    def image_files(self) -> "ImageFiles":
        """The reader of the files in packs' images."""
        from packyard.operations.image_files import ImageFiles

        return ImageFiles(sources=self.image_source, indexes=self.indexes)

    @cached_property
    def files(self) -> "PackFiles":
        """The reader of packs' files."""
        from packyard.operations.files import PackFiles

        return PackFiles(images=self.image_files, downloads=self.downloads)

    @cached_property
    def comparer(self) -> "PackComparer":
        """The comparer of packs' revisions."""
        from packyard.operations.comparison import PackComparer

        return PackComparer(packs=self.pack_revisions, images=self.image_files)

    @cached_property
    def pull_tokens(self) -> "PullTokens":
        """The maker and reader of logins at the distribution door."""
        from packyard.operations.authenticate import authenticate
        from packyard.operations.pull_tokens import PullTokens

        return PullTokens(
            secret=self.pull_token_secret,
            reader=self.role_reader,
            feeds=self.feed_reader,
            watch=self.feed_watch,
            authenticate=lambda authorization: authenticate(
                authorization,
                tenants=self.tenants,
                token_reader=lambda: self.token_reader,
                now=self.clock(),
            ),
            clock=self.clock,
        )

    @cached_property
    def feeds(self) -> "Feeds":
        """Makes, reads and removes feeds."""
        from packyard.operations.feeds import Feeds

        return Feeds(
            store=self.feed_store,
            roles=self.role_reader,
            clock=self.clock,
            new_ulid=self.new_ulid,
            random_bytes=self.random_bytes,
        )

    @cached_property
    def feed_reader(self) -> "FeedReader":
        """Finds the feed of an address."""
        from packyard.operations.feed_reader import FeedReader

        return FeedReader(feeds=self.feed_store, clock=self.clock)

    @cached_property
    def feed_watch(self) -> "FeedWatch":
        """Notes from where feeds are used."""
        from packyard.operations.feed_watch import FeedWatch

        return FeedWatch(uses=self.feed_uses, clock=self.clock)

    @cached_property
    def registry_logins(self) -> "RegistryLogins":
        """The maker of logins at our registry."""
        from packyard.operations.registry_logins import RegistryLogins

        return RegistryLogins(
            reader=self.role_reader,
            logins=self.ecr_logins,
            host=self.image_source.own.host,
            prefix=self.settings.repository_prefix,
        )

    @cached_property
    def role_pins(self) -> "RolePins":
        """The finder of images that roles pin."""
        from packyard.operations.role_pins import RolePins

        return RolePins(
            roles=self.roles,
            packs=self.packs,
            tenants=self.tenants,
            feeds=self.feed_store,
            own_host=self.image_source.own.host,
            clock=self.clock,
        )

    @cached_property
    def served_images(self) -> "ServedImages":
        """The reader of pinned images, for the distribution door."""
        from packyard.operations.served_images import ServedImages

        return ServedImages(sources=self.image_source, registry=self.registry, downloads=self.downloads)

    @cached_property
    def served_artifacts(self) -> "ServedArtifacts":
        """The reader of skill artifacts, for the distribution door."""
        from packyard.operations.served_artifacts import ServedArtifacts

        return ServedArtifacts(files=self.door_files, queue=self.preparation_queue)

    @cached_property
    def served_packs(self) -> "ServedPacks":
        """Finds what roles and feeds serve at the doors."""
        from packyard.operations.served_packs import ServedPacks

        return ServedPacks(
            reader=self.role_reader,
            files=self.door_files,
            queue=self.preparation_queue,
            own_host=self.image_source.own.host,
        )

    @cached_property
    def feed_door(self) -> "FeedDoor":
        """Lets requests in by the secrets of feeds."""
        from packyard.operations.feed_door import FeedDoor

        return FeedDoor(
            reader=self.feed_reader, watch=self.feed_watch, tenants=self.tenants, served=self.served_packs
        )

    @cached_property
    def served_files(self) -> "ServedFiles":
        """Reads files of what the doors serve."""
        from packyard.operations.served_files import ServedFiles

        return ServedFiles(files=self.door_files)

    @cached_property
    def role_reader(self) -> "RoleReader":
        """Reads roles and their packs."""
        from packyard.operations.role_packs import RoleReader

        return RoleReader(roles=self.roles, packs=self.pack_revisions, tenants=self.tenants)

    @cached_property
    def role_setter(self) -> "RoleSetter":
        """Changes roles."""
        from packyard.operations.roles import RoleSetter

        return RoleSetter(reader=self.role_reader, signatures=self.signature_rule, clock=self.clock)

    @cached_property
    def follower(self) -> "Follower":
        """Moves pins that follow."""
        from packyard.operations.follow import Follower

        return Follower(reader=self.role_reader, signatures=self.signature_rule, clock=self.clock)

    @cached_property
    def role_teller(self) -> "RoleTeller":
        """Tells roles and their owners of their pins."""
        from packyard.operations.tell_roles import RoleTeller

        return RoleTeller(packs=self.pack_revisions, states=self.image_states, told=self.told_roles)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """Reads and changes webhooks."""
        from packyard.operations.webhooks import Webhooks

        return Webhooks(
            store=self.webhook_store,
            secrets=self.webhook_secrets,
            guard=self.webhook_guard,
            clock=self.clock,
            new_ulid=self.new_ulid,
            random_bytes=self.random_bytes,
        )

    @cached_property
    def deliveries(self) -> "Deliveries":
        """Deliveries as their organisations see them."""
        from packyard.operations.deliveries import Deliveries

        return Deliveries(
            webhooks=self.webhooks,
            store=self.delivery_store,
            queue=self.delivery_queue,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def fan_out(self) -> "FanOut":
        """Tells webhooks of events."""
        from packyard.operations.fan_out import FanOut

        signs = self.settings.sign_images == "on"
        return FanOut(
            webhooks=self.webhook_store,
            queue=self.delivery_queue,
            bus=self.event_bus,
            attestations=self.attestation_queue if signs else None,
            preparations=self.preparation_queue,
        )

    @cached_property
    def bundle_maker(self) -> "BundleMaker":
        """Makes the bundles of roles."""
        from packyard.operations.bundle import BundleMaker

        return BundleMaker(
            locks=self.lock_reader,
            images=self.served_images,
            attestations=self.attestation_store,
            bundles=self.bundles,
            own_host=self.image_source.own.host,
        )

    @cached_property
    def bundle_finder(self) -> "BundleFinder":
        """Finds the bundles of roles."""
        from packyard.operations.bundle import BundleFinder

        return BundleFinder(bundles=self.bundles, queue=self.preparation_queue, clock=self.clock)

    @cached_property
    def preparer(self) -> "Preparer":
        """Prepares images for the doors."""
        from packyard.operations.prepare import Preparer

        return Preparer(
            packs=self.pack_revisions,
            images=self.image_files,
            files=self.door_files,
            kept=self.kept_content,
            bundles=lambda: self.bundle_maker,
            max_frontmatter=self.settings.archive_limits.manifest_bytes,
            own_host=self.image_source.own.host,
            clock=self.clock,
        )

    @cached_property
    def attached_statements(self) -> "AttachedStatements":
        """The statements about images in our registry."""
        from packyard.operations.attached import AttachedStatements

        return AttachedStatements(
            registry=self.registry,
            repositories=self.repositories,
            repository_prefix=self.settings.repository_prefix,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def attester(self) -> "Attester":
        """Makes statements about images."""
        from packyard.operations.attest import Attester

        return Attester(
            store=self.attestation_store,
            keys=self.signing_key_store,
            repositories=self.repositories,
            attached=self.attached_statements,
            files=self.image_files,
            signer=self.signer,
            builder=self.settings.builder,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def attestation_reader(self) -> "AttestationReader":
        """Reads the statements about images."""
        from packyard.operations.attestations import AttestationReader

        return AttestationReader(
            packs=self.pack_revisions, store=self.attestation_store, sources=self.image_source
        )

    @cached_property
    def published_keys(self) -> "PublishedKeys":
        """The public keys of statements."""
        from packyard.operations.attestations import PublishedKeys

        signs = self.settings.sign_images == "on"
        return PublishedKeys(
            store=self.signing_key_store, signer=self.signer if signs else None, clock=self.clock
        )

    @cached_property
    def deliverer(self) -> "Deliverer":
        """Delivers events to webhooks."""
        from packyard.operations.deliver import Deliverer

        return Deliverer(
            webhooks=self.webhook_store,
            deliveries=self.delivery_store,
            queue=self.delivery_queue,
            secrets=self.webhook_secrets,
            sender=self.webhook_sender,
            bus=self.event_bus,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def lock_reader(self) -> "LockReader":
        """Reads the lock documents of roles."""
        from packyard.operations.lock import LockReader

        return LockReader(reader=self.role_reader, files=lambda: self.image_files, locks=self.locks)

    @cached_property
    def downloader(self) -> "Downloader":
        """The downloader of packs' images."""
        from packyard.operations.download import Downloader

        return Downloader(images=self.served_images, own_host=self.image_source.own.host)

    @cached_property
    def registrar(self) -> "Registrar":
        """Registers packs by the image that carries them."""
        from packyard.operations.register import Registrar

        # The images' reader loads these with the first image, which is too late for a snapshot.
        from packyard.packs.manifest import pack_manifest  # noqa: F401
        from packyard.registry.third_party import (  # noqa: F401
            authorization,
            brought_signatures,
            chosen_image,
            pack_file,
        )

        return Registrar(
            packs=self.packs,
            repositories=self.repositories,
            images=self.image_source,
            versions=self.version_rule,
            attestations=self.settings.attestations,
            signatures=self.signature_rule,
            scans=self.scan_rule,
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
            standing_packs=lambda: self.standing_packs,
            versions=self.version_rule,
            scans=self.scan_rule,
            limits=self.settings.archive_limits,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def standing_packs(self) -> "StandingPacks":
        """Finds the packs that large archives replace."""
        from packyard.operations.standing_pack import StandingPacks

        return StandingPacks(packs=self.packs, files=self.image_files)

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
            versions=self.version_rule,
            scans=self.scan_rule,
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
            versions=self.version_rule,
            signatures=self.signature_rule,
            scans=self.scan_rule,
            max_bytes=self.settings.archive_limits.compressed_bytes,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    def dry_run(self) -> "DryRun":
        """Return what lets one request run without keeping anything."""
        from packyard.operations.dry_run import DryRun

        return DryRun(
            table=self.table,
            events=self.events,
            usage=self.usage_ledger,
            files=lambda: self.image_files,
            limits=self.settings.archive_limits,
        )

    @cached_property
    def deleter(self) -> "Deleter":
        """Deletes packs."""
        from packyard.operations.delete import Deleter

        return Deleter(
            deletions=self.deletions,
            attestations=self.attestation_store,
            repositories=self.repositories,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            kept=self.kept_content,
            time_left=self.registry_time_left,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def withdrawer(self) -> "Withdrawer":
        """Withdraws and restores revisions."""
        from packyard.operations.withdrawals import Withdrawer

        return Withdrawer(revisions=self.pack_revisions, states=self.image_states, clock=self.clock)

    @cached_property
    def revision_deleter(self) -> "RevisionDeleter":
        """Deletes the content of revisions."""
        from packyard.operations.revision_deletion import RevisionDeleter
        from packyard.operations.shared_content import ContentFinder

        return RevisionDeleter(
            revisions=self.pack_revisions,
            removals=self.removals,
            pinning=self.pinning_roles,
            repositories=self.repositories,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            content=ContentFinder(indexes=self.indexes, monotonic=time.monotonic),
            attestations=self.attestation_store,
            attached=self.attached_statements,
            kept=self.kept_content,
            time_left=self.registry_time_left,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def retention(self) -> "Retention":
        """Sets retention policies and carries them out."""
        from packyard.operations.retention import Retention

        return Retention(
            policies=self.retention_store,
            removals=self.removals,
            pinning=self.pinning_roles,
            deleter=lambda: self.revision_deleter,
            time_left=self.registry_time_left,
            clock=self.clock,
        )

    def enqueue_sweep(self, pack_id: str) -> None:
        """Let `clean_up` delete the old revisions of a pack that has a retention policy."""
        from packyard.messaging.cleanup_queue import RetentionSweep

        now = self.clock()
        self.cleanup_queue.enqueue(RetentionSweep(pack_id=pack_id, due_at=now), now=now)

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
            request_id=lambda: self.deadline.request_id,
            ci=lambda: self.deadline.ci,
            source=lambda: self.deadline.source,
        )

    @cached_property
    def builder(self) -> "Builder":
        """Builds the archives that clients have staged."""
        from packyard.operations.build import Builder

        return Builder(
            uploads=self.upload_store,
            slots=self.build_slots,
            queue=self.build_queue,
            staging=self.staging,
            publisher=self.publisher,
            file_editor=self.file_editor,
            version_policies=self.version_policies,
            dry_run=self.dry_run,
            lease=timedelta(seconds=self.settings.publish_deadline_seconds),
            build_time=self._build_time,
            clock=self.clock,
            new_ulid=self.new_ulid,
            random=self.random,
            goes_on_with=self.deadline.goes_on_with,
        )

    @cached_property
    def cleaner(self) -> "Cleaner":
        """Handles cleanup messages."""
        from packyard.operations.clean_up import Cleaner

        return Cleaner(
            packs=self.packs,
            repositories=self.repositories,
            staging=self.staging,
            registry=self.registry,
            deleter=self.deleter,
            revision_deleter=self.revision_deleter,
            retention=self.retention,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @property
    def _build_time(self) -> timedelta:
        return _BUILD_ATTEMPTS * timedelta(seconds=self.settings.publish_deadline_seconds)


_current: list[Services] = []
# The first request makes the services, after its deadline is known.
_deadline = Deadline()


def services() -> Services:
    """Return this container's services. The first call makes them from the environment.

    Raises:
        KeyError, ValueError: A setting is missing from the environment, or is not valid.
    """
    if not _current:
        settings = Settings.from_environment(os.environ)
        client = partial(aws_client, deadline=_deadline)
        _current.append(
            Services(
                settings=settings,
                deadline=_deadline,
                client=client,
                session_client=lambda service, session: client(service, session=session),
            )
        )
    return _current[-1]


def invocation_begins(
    seconds: float, request_id: str, ci: Mapping[str, str] | None = None, source: str = ""
) -> None:
    """Set the deadline of an invocation, or of a message's share of one, and the request that it is for.

    Args:
        seconds: How long it may take.
        request_id: The id of the request, as in `X-Request-Id`; of a background invocation, Lambda's id of it.
        ci: What is known of the run of CI that makes the request; None for nothing.
        source: Where the sender says that the content comes from; empty for nothing.
    """
    (_current[-1].deadline if _current else _deadline).begin(seconds, request_id, ci, source)


def prepare(*needs: Callable[[Services], object]) -> None:
    """Make what the first request needs while a function starts.

    While it starts, a function has more processor than its memory buys it later. So the table's client is made then.
    Before a snapshot is taken (SnapStart), time costs nothing, and everything is made. That must not call AWS or a
    registry, since an answer, a token or a connection would be as old as the snapshot (decision 22).

    Args:
        needs: Each reads from the services what the first request would read.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    quiet_libraries()
    _ = services().table
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _load_what_is_loaded_late()
        for need in needs:
            need(services())


def quiet_libraries() -> None:
    """Keep libraries from logging requests.

    At LogLevel DEBUG, Lambda's runtime lets through everything that is logged. botocore then logs whole requests and
    answers, with their tokens, secrets and contents. urllib3 quotes URLs in warnings, and the URLs of blobs are
    presigned. Our own logger has a level of its own.
    """
    root = logging.getLogger()
    root.setLevel(max(root.level, logging.INFO))
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _load_what_is_loaded_late() -> None:
    import ulid  # noqa: F401 - the first id

    from packyard.store import event_items, key_writes, pack_events, role_events  # noqa: F401 - the first event

    if services().settings.scan_function:
        from packyard.store import scan_items  # noqa: F401 - the first result

    for codec in ("idna", "utf_8_sig"):  # the first host name, the first JSON
        codecs.lookup(codec)


@contextmanager
def using(replacement: Services) -> Iterator[Services]:
    """Let functions use `replacement` while the context lasts. Tests pass in their own services by this."""
    _current.append(replacement)
    try:
        yield replacement
    finally:
        _current.pop()
