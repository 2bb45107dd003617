"""The queues."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from packyard.composition.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packyard.messaging.attestation_queue import AttestationQueue
    from packyard.messaging.build_queue import BuildQueue
    from packyard.messaging.cleanup_queue import CleanupQueue
    from packyard.messaging.dead_letters import DeadLetters
    from packyard.messaging.delivery_queue import DeliveryQueue
    from packyard.messaging.preparation_queue import PreparationQueue


class Queues(Clients):
    """The queues that functions read, and those of what was given up."""

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
    def _sqs(self) -> Any:
        return self.client("sqs")
