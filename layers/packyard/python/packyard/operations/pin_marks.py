"""Telling roles that an image which they pin was withdrawn, restored or deleted (API contract, sections 7 and 8).

The table's stream tells of every image whose state changes (decision 87). What it tells is only where to look: each
role is told the state as it is now, on condition that it pins the image. So a record that comes late or twice does no
harm, and a crash loses nothing. A role that pins the image is found, because its reference was committed before the
state changed: a transaction that pins an image has the condition that the image is in use.

A mark is not a revision of the role. It decides the role's lock document, so that a poll stays one read.
"""

from dataclasses import dataclass

from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageId, shown_status
from packyard.store.image_states import ImageStates
from packyard.store.pinning_roles import PinningRoles


@dataclass(frozen=True, slots=True, kw_only=True)
class PinMarker:
    """Tells roles of the images that they pin."""

    roles: PinningRoles
    states: ImageStates

    def image_changed(self, pack_id: str, digest: str) -> None:
        """Tell all roles that pin an image what its state is: one write for each.

        Args:
            pack_id: The pack in whose history the image is.
            digest: The image's.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        image = ImageId(pack_id, Digest(digest))
        status = shown_status(self.states.get(image))
        for role in self.roles.of(image.pack_id):
            if role.image_digest in (None, image.digest):
                self.roles.mark(role, image, status)
