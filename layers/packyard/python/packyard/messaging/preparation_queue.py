"""The queue of images whose zip and document for the doors are to be made (decision 138)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from packyard.messaging.batch_queue import BatchQueue
from packyard.oci.digest import Digest, parse_digest
from packyard.packs.pack import is_pack_id

_BUNDLE: Final = "bundle"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleToMake:
    """A bundle that a door was asked for.

    Attributes:
        org_id: The organisation whose role it is.
        org_slug: Its slug.
        role_id: The role.
        tag: What decided the role's lock when it was asked for.
    """

    org_id: str
    org_slug: str
    role_id: str
    tag: str


class PreparationQueue(BatchQueue):
    """The queue that `prepare_artifacts` reads."""

    def send(self, messages: Sequence[ImageToPrepare]) -> None:
        """Send messages; see `send_bodies`. A message that comes twice does no harm.

        Raises:
            ServiceUnavailable: SQS did not take all of them.
        """
        self.send_bodies([message_body(message) for message in messages])

    def send_bundle(self, message: BundleToMake) -> None:
        """Ask for a bundle. One call. A message that comes twice does no harm.

        Raises:
            ServiceUnavailable: SQS did not take it.
        """
        self.send_bodies([bundle_body(message)])


def message_body(message: ImageToPrepare) -> str:
    """Return the body of a message."""
    fields = {"pack_id": message.pack_id, "revision": message.revision, "digest": message.digest}
    return json.dumps(fields, separators=(",", ":"))


def bundle_body(message: BundleToMake) -> str:
    """Return the body of a message."""
    return json.dumps({_BUNDLE: asdict(message)}, separators=(",", ":"))


def parse_message(body: str) -> ImageToPrepare | BundleToMake:
    """Return the message of a body that `message_body` or `bundle_body` has returned.

    Raises:
        ValueError: It is not such a body.
    """
    try:
        fields = json.loads(body)
        if _BUNDLE in fields:
            return BundleToMake(**fields[_BUNDLE])
        message = ImageToPrepare(**fields | {"digest": parse_digest(fields["digest"])})
    except (KeyError, TypeError) as error:
        raise ValueError("not a message about an image") from error
    if not is_pack_id(message.pack_id) or not isinstance(message.revision, int):
        raise ValueError("not a message about an image of a pack")
    return message
