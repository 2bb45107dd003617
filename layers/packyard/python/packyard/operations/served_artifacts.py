"""Pulling skill artifacts at our distribution door: what was prepared of a pinned image, under a tag of its own.

An artifact is in no registry. Its manifest and config are in the image's document, its layer is beside that in the
bucket, and the job that prepares images has made them (decisions 138 and 145). Only messages are sent that have images
prepared, so a crash, a repeat and two readers at once all have the same outcome.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from packyard.doors.document import parse_document
from packyard.doors.door import Door
from packyard.doors.skill_artifact import NoArtifact, SkillArtifact, tag_of
from packyard.errors import ServiceUnavailable
from packyard.messaging.preparation_queue import ImageToPrepare, PreparationQueue
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.operations.served_images import PinnedImage
from packyard.storage.door_files import DoorFiles, document_key, layer_key

# As of images.
_KEPT: Final = 64


class _Prepared(NamedTuple):
    """What is prepared of an image: its artifact, or why there is none."""

    artifact: SkillArtifact | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedArtifacts:
    """Serves the skill artifacts of pinned images.

    Attributes:
        files: What has been prepared.
        queue: Takes messages for images that are not prepared.
        prepared: What was read before: what is prepared of an image does not change.
    """

    files: DoorFiles
    queue: PreparationQueue
    prepared: dict[PinnedImage, _Prepared] = field(default_factory=dict)

    def tagged(self, image: PinnedImage, tag: str) -> Document | None:
        """Return the manifest under a tag; None if the image has no such tag.

        Raises:
            NoArtifact: The tag is right, and there is no artifact.
            ServiceUnavailable: It is being prepared, or AWS did not answer.
        """
        if tag != tag_of(image.reference.tag):
            return None
        document = self._read(image)
        if document is None:
            self._ask_for(image)
            raise ServiceUnavailable("This pack is being prepared; repeat the request in some seconds.")
        if document.artifact is None:
            raise NoArtifact(document.reason)
        return document.artifact.manifest

    def manifest(self, image: PinnedImage, digest: Digest) -> Document | None:
        """Return the manifest of this digest, or None if it is not known to be that of the image's artifact.

        Raises:
            ServiceUnavailable: AWS did not answer.
        """
        document = self._read(image)
        if document is None:
            # Who knows the artifact's digest finds it later.
            self._ask_for(image)
            return None
        found = document.artifact
        return found.manifest if found is not None and found.manifest.digest == digest else None

    def blob(self, image: PinnedImage, digest: Digest) -> Document | str | None:
        """Return the config itself, a URL from which anyone can read the layer for some minutes, or None.

        Raises:
            ServiceUnavailable: AWS did not answer.
        """
        document = self._read(image)
        found = None if document is None else document.artifact
        if found is None:
            return None
        if digest == found.config.digest:
            return found.config
        if digest != found.layer.digest:
            return None
        return self.files.layer_url(layer_key(org_id=image.org_id, pack_id=image.pack_id, image=image.digest))

    def _ask_for(self, image: PinnedImage) -> None:
        message = ImageToPrepare(pack_id=image.pack_id, revision=image.revision, digest=image.digest)
        self.queue.send([message])

    def _read(self, image: PinnedImage) -> _Prepared | None:
        known = self.prepared.get(image)
        if known is not None:
            return known
        key = document_key(org_id=image.org_id, pack_id=image.pack_id, image=image.digest)
        content = self.files.document(key)
        try:
            document = None if content is None else parse_document(content)
        except ValueError:
            document = None
        if document is None:
            return None
        while len(self.prepared) >= _KEPT:
            del self.prepared[next(iter(self.prepared))]
        found = _Prepared(document.artifact, document.unfit.get(Door.SKILL_ARTIFACT, "none is made of it"))
        self.prepared[image] = found
        return found
