"""The doors, the feeds and the logins at them."""

from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.callers import Callers
from packyard.composition.roles import Roles

if TYPE_CHECKING:
    from packyard.aws.signing_secret import SigningSecret
    from packyard.operations.bundle import BundleFinder, BundleMaker
    from packyard.operations.feed_door import FeedDoor
    from packyard.operations.feed_reader import FeedReader
    from packyard.operations.feed_watch import FeedWatch
    from packyard.operations.feeds import Feeds
    from packyard.operations.prepare import Preparer
    from packyard.operations.pull_tokens import PullTokens
    from packyard.operations.registry_logins import RegistryLogins
    from packyard.operations.served_artifacts import ServedArtifacts
    from packyard.operations.served_files import ServedFiles
    from packyard.operations.served_packs import ServedPacks


class Doors(Roles, Callers):
    """What serves roles and feeds to other clients, and what prepares it."""

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
    def feed_door(self) -> "FeedDoor":
        """Lets requests in by the secrets of feeds."""
        from packyard.operations.feed_door import FeedDoor

        return FeedDoor(
            reader=self.feed_reader, watch=self.feed_watch, tenants=self.tenants, served=self.served_packs
        )

    @cached_property
    def pull_token_secret(self) -> "SigningSecret":
        """The secret that signs pull tokens."""
        return self._signing_secret("PullTokenKey", self.settings.pull_token_secret)

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
    def served_files(self) -> "ServedFiles":
        """Reads files of what the doors serve."""
        from packyard.operations.served_files import ServedFiles

        return ServedFiles(files=self.door_files)

    @cached_property
    def served_artifacts(self) -> "ServedArtifacts":
        """The reader of skill artifacts, for the distribution door."""
        from packyard.operations.served_artifacts import ServedArtifacts

        return ServedArtifacts(files=self.door_files, queue=self.preparation_queue)

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
