"""The bundle of a role: asked for at a door, made by the job that prepares images, and then read from the bucket.

    read the role → read the documents of its images and statements → write the bundle to local disk → put it

- A crash before it is put: the message comes again, and the same bytes are made.
- Two at once: both put the same bytes.
- The role changes meanwhile: its tag is another one, so that nobody asks for this bundle any more, and it expires.
- An image is deleted while it is read: the role is marked, so its tag changes, and the message is dropped when it comes
  again. What was put before that stays under the old tag until it expires, and no door leads to it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Final

from aws_lambda_powertools import Logger

from packyard.attestations.record import RecordStatus
from packyard.doors.bundle import BundledImage, bundle_bytes, write_bundle
from packyard.doors.flat_name import NoFlatName, flat_name
from packyard.errors import InvalidRequest, PayloadTooLarge, RoleNotFound
from packyard.messaging.preparation_queue import BundleToMake, PreparationQueue
from packyard.operations.lock import LockReader
from packyard.operations.served_images import PinnedImage, ServedImages, image_of_pin
from packyard.packs.image_state import ImageId, ImageStatus
from packyard.packs.lock import lock_tag
from packyard.packs.role import Pin, Role
from packyard.storage.bundles import Bundles, asked_key, bundle_key
from packyard.store.attestations import AttestationStore
from packyard.tenants.caller import Caller

logger = Logger(child=True)

# What fits local disk and the job's time.
MAX_BYTES: Final = 2 << 30
# Clients ask every few seconds until it is there. It is made in a minute or two.
_ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
_BACKGROUND: Final = "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFinder:
    """Finds the bundles of roles.

    Attributes:
        bundles: Where they are kept.
        queue: Takes messages for those that are to be made.
        clock: The present instant, UTC.
    """

    bundles: Bundles
    queue: PreparationQueue
    clock: Callable[[], datetime]

    def url(self, role: Role, *, caller: Caller) -> str | None:
        """Return a short-lived URL of a role's bundle; None if it is being made.

        Raises:
            InvalidRequest: On `role_id`: the role has packs without a pin.
            PayloadTooLarge: It would be too large.
            ServiceUnavailable: S3 or SQS did not answer.
        """
        tag = lock_tag(role, with_files=True)
        if tag is None:
            raise InvalidRequest({"role_id": "has packs without a pin; POST its packs/refresh pins them"})
        key = bundle_key(org_id=role.org_id, role_id=role.role_id, tag=tag)
        kept = self.bundles.find(key)
        if kept is None:
            asked = self.bundles.find(asked_key(key))
            if asked is None or asked.at + _ASKED_AGAIN_AFTER < self.clock():
                message = BundleToMake(
                    org_id=role.org_id, org_slug=caller.org_slug, role_id=role.role_id, tag=tag
                )
                self.queue.send_bundle(message)
                # Last, so that a bundle that is noted has been asked for. Without the note it is asked for again.
                self.bundles.note(asked_key(key))
            return None
        if kept.refused is not None:
            raise PayloadTooLarge(kept.refused)
        return self.bundles.url(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleMaker:
    """Makes bundles.

    Attributes:
        locks: Reads roles and their locks.
        images: Reads images.
        attestations: What the ledger says of statements about images.
        bundles: Takes what is made.
        own_host: The start of references to our registry.
        max_bytes: The largest bundle, in bytes.
    """

    locks: LockReader
    images: ServedImages
    attestations: AttestationStore
    bundles: Bundles
    own_host: str
    max_bytes: int = MAX_BYTES

    def make(self, message: BundleToMake) -> None:
        """Make a bundle, unless it is there or nobody asks for it any more.

        Raises:
            RegistryUnavailable, ServiceUnavailable: It failed; the message should come again.
        """
        caller = Caller(
            org_id=message.org_id,
            org_slug=message.org_slug,
            principal=_BACKGROUND,
            scopes=frozenset(),
            may_create=False,
        )
        try:
            role = self.locks.role(message.role_id, caller=caller)
        except RoleNotFound:
            return
        key = bundle_key(org_id=role.org_id, role_id=role.role_id, tag=message.tag)
        if lock_tag(role, with_files=True) != message.tag or self.bundles.find(key) is not None:
            return
        lock = self.locks.read(role, with_files=True, caller=caller)
        found = list(self._bundled(role, caller))
        images = [image for image, _ in found]
        size = bundle_bytes(images, lock)
        if size > self.max_bytes:
            self.bundles.refuse(
                key,
                f"The bundle would be {size} bytes, and {self.max_bytes} is the most; divide the role into several.",
            )
            return
        sources = {blob.digest: (source, blob) for image, source in found for blob in image.blobs}
        with TemporaryFile() as target:
            write_bundle(target, images, lock, lambda digest: self.images.pieces(*sources[digest]))
            target.seek(0)
            self.bundles.put(key, target)
        logger.info("bundle made", extra={"role_id": role.role_id, "tag": message.tag})

    def _bundled(self, role: Role, caller: Caller) -> Iterator[tuple[BundledImage, PinnedImage]]:
        """Yield the images of a role that are in our registry, each followed by the statements about it."""
        for pack_id in role.pack_ids:
            pin = role.pins[pack_id]
            source = image_of_pin(pin, own_host=self.own_host)
            if source is None or role.marked(pin) is ImageStatus.DELETED:
                continue
            yield self._read(source, _name(pin, caller)), source
            record = self.attestations.find(ImageId(pin.pack_id, pin.image_digest))
            if record is None or record.status is not RecordStatus.ATTACHED:
                continue
            for statement in record.statements:
                attached = replace(
                    source,
                    digest=statement.manifest,
                    reference=replace(source.reference, digest=statement.manifest),
                )
                yield self._read(attached, None), attached

    def _read(self, source: PinnedImage, name: str | None) -> BundledImage:
        tree = self.images.tree(source)
        return BundledImage(name=name, top=tree.top, documents=tree.documents, blobs=tree.blobs)


def _name(pin: Pin, caller: Caller) -> str:
    try:
        return flat_name(pin.owner, pin.name, own=caller.org_slug)
    except NoFlatName:
        # The layout's names may be longer, and have slashes.
        return f"{pin.owner}/{pin.name}"
