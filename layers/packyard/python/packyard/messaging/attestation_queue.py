"""The queue of images about which statements are to be made (decision 121)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from packyard.messaging.batch_queue import BatchQueue
from packyard.oci.digest import Digest, parse_digest
from packyard.packs.pack import is_pack_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageToAttest:
    """An image that a pack has got.

    Attributes:
        pack_id: The pack.
        revision: The revision that has it.
        digest: The image's.
        request_id: The request that published it; None if that is not known.
        ci: Of the CI run that published it, what its identity token said; empty without one.
        source: Where its sender said that the content comes from; empty if it did not say.
    """

    pack_id: str
    revision: int
    digest: Digest
    request_id: str | None = None
    ci: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


class AttestationQueue(BatchQueue):
    """The queue that `attest_image` reads."""

    def send(self, messages: Sequence[ImageToAttest]) -> None:
        """Send messages; see `send_bodies`. A message that comes twice does no harm.

        Raises:
            ServiceUnavailable: SQS did not take all of them.
        """
        self.send_bodies([message_body(message) for message in messages])


def message_body(message: ImageToAttest) -> str:
    """Return the body of a message."""
    fields = {
        "pack_id": message.pack_id,
        "revision": message.revision,
        "digest": message.digest,
        "request_id": message.request_id,
        "ci": dict(message.ci),
        **({"source": message.source} if message.source else {}),
    }
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def parse_message(body: str) -> ImageToAttest:
    """Return the message of a body that `message_body` has returned.

    Raises:
        ValueError: It is not such a body.
    """
    try:
        fields = json.loads(body)
        message = ImageToAttest(**fields | {"digest": parse_digest(fields["digest"])})
    except (KeyError, TypeError) as error:
        raise ValueError("not a message about an image") from error
    if not is_pack_id(message.pack_id) or not isinstance(message.revision, int):
        raise ValueError("not a message about an image of a pack")
    return message
