"""The table, and the stores of its items."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.clients import Clients
from packyard.store.table import Table

if TYPE_CHECKING:
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


class Stores(Clients):
    """The table, and what reads and writes it."""

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
    def cursors(self) -> "Cursors":
        """The maker and reader of lists' cursors."""
        from packyard.store.cursors import Cursors

        return Cursors(secret=self._signing_secret("CursorKey", self.settings.cursor_secret))

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
    def attestation_store(self) -> "AttestationStore":
        """What the ledger says of statements about images."""
        from packyard.store.attestations import AttestationStore

        return AttestationStore(table=self.table)

    @cached_property
    def signing_key_store(self) -> "SigningKeyStore":
        """The public keys that have signed statements."""
        from packyard.store.signing_keys import SigningKeyStore

        return SigningKeyStore(table=self.table)
