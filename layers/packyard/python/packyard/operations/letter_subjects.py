"""What a dead letter is about, in a few words: kinds, ids and names, and nothing else of what it holds."""

from collections.abc import Callable, Mapping
from typing import Final

from packyard.messaging import attestation_queue, cleanup_queue, delivery_queue, preparation_queue
from packyard.messaging.cleanup_queue import (
    OrphanImage,
    PackDeletion,
    RetentionSweep,
    RevisionDeletion,
    StagedArchive,
)
from packyard.messaging.delivery_queue import BusMessage
from packyard.messaging.preparation_queue import BundleToMake
from packyard.storage.staging import parse_arrivals

_UNREADABLE: Final = "A message that this release cannot read."


def subject_of(queue: str, body: str) -> str:
    """Return what a message is about, as a sentence.

    Args:
        queue: The name of the queue that it was in first, as the operator's command names it.
        body: The message's.
    """
    try:
        return _READERS[queue](body)
    # What is written by another release, or by nobody of ours, is a reason why it is here.
    except (KeyError, ValueError, RecursionError):
        return _UNREADABLE


def _of_cleanup(body: str) -> str:
    match cleanup_queue.parse_message(body):
        case OrphanImage() as image:
            return f"Remove an image of {image.name} of {image.org_id}, unless a pack uses it."
        case StagedArchive():
            return "Remove a staged archive."
        case PackDeletion() as deletion:
            return f"Finish the deletion of {deletion.pack_id}."
        case RevisionDeletion() as deletion:
            return f"Finish the deletion of an image of {deletion.pack_id}."
        case RetentionSweep() as sweep:
            return f"Delete old revisions of {sweep.pack_id}."


def _of_builds(body: str) -> str:
    return f"Build the archive of {' and '.join(parse_arrivals(body)) or 'no upload'}."


def _of_attestations(body: str) -> str:
    image = attestation_queue.parse_message(body)
    return f"Make statements about revision {image.revision} of {image.pack_id}."


def _of_preparations(body: str) -> str:
    message = preparation_queue.parse_message(body)
    if isinstance(message, BundleToMake):
        return f"Make the bundle of the role {message.role_id} of {message.org_slug}."
    return f"Prepare revision {message.revision} of {message.pack_id} for the doors."


def _of_deliveries(body: str) -> str:
    message = delivery_queue.parse_message(body)
    if isinstance(message, BusMessage):
        return "Put an event on the event bus."
    return f"Tell the webhook {message.webhook_id} of {message.org_id} of {message.type}, event {message.event_id}."


_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "attestation": _of_attestations,
    "build": _of_builds,
    "cleanup": _of_cleanup,
    "delivery": _of_deliveries,
    "preparation": _of_preparations,
}
