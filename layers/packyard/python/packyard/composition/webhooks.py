"""Webhooks, and the events that they are sent."""

from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.network import Network
from packyard.composition.queues import Queues
from packyard.composition.stores import Stores

if TYPE_CHECKING:
    from packyard.aws.sealed_secrets import SealedSecrets
    from packyard.messaging.event_bus import EventBus
    from packyard.operations.deliver import Deliverer
    from packyard.operations.deliveries import Deliveries
    from packyard.operations.fan_out import FanOut
    from packyard.operations.webhooks import Webhooks


class WebhookDelivery(Network, Stores, Queues):
    """What keeps webhooks and delivers events to them."""

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
    def webhook_secrets(self) -> "SealedSecrets":
        """The secrets of webhooks, which KMS encrypts."""
        from packyard.aws.sealed_secrets import SealedSecrets

        return SealedSecrets(client=lambda: self.kms, key_id=self.settings.webhook_key)

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
    def event_bus(self) -> "EventBus | None":
        """The operator's event bus; None without one."""
        if not self.settings.event_bus_name:
            return None
        from packyard.messaging.event_bus import EventBus

        return EventBus(client=self.client("events"), name=self.settings.event_bus_name)

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
