"""The queue of images whose zip and document for the doors are to be made (decision 138)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from packyard.messaging.batch_queue import BatchQueue
from packyard.oci.digest import Digest, parse_digest
from packyard.packs.pack import is_pack_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageToPrepare:
    """An image that doors are to serve.

    Attributes:
        pack_id: The pack.
        revision: A revision that has it.
        digest: The image's.
    """

    pack_id: str
    revision: int
    digest: Digest


class PreparationQueue(BatchQueue):
    """The queue that `prepare_artifacts` reads."""

    def send(self, messages: Sequence[ImageToPrepare]) -> None:
        """Send messages; see `send_bodies`. A message that comes twice does no harm.

        Raises:
            ServiceUnavailable: SQS did not take all of them.
        """
        self.send_bodies([message_body(message) for message in messages])


def message_body(message: ImageToPrepare) -> str:
    """Return the body of a message."""
    fields = {"pack_id": message.pack_id, "revision": message.revision, "digest": message.digest}
    return json.dumps(fields, separators=(",", ":"))


def parse_message(body: str) -> ImageToPrepare:
    """Return the message of a body that `message_body` has returned.

    Raises:
        ValueError: It is not such a body.
    """
    try:
        fields = json.loads(body)
        message = ImageToPrepare(**fields | {"digest": parse_digest(fields["digest"])})
    except (KeyError, TypeError) as error:
        raise ValueError("not a message about an image") from error
    if not is_pack_id(message.pack_id) or not isinstance(message.revision, int):
        raise ValueError("not a message about an image of a pack")
    return message
