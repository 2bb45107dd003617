"""The roles of all organisations that pin a pack."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from packyard.packs.image_state import ImageId
from packyard.store.keys import pack_partition, revision_key
from packyard.store.table import Query, Table

_REFERENCES: Final = "REF#"


class PinningRole(NamedTuple):
    """A role that pins a pack.

    Attributes:
        org_id: The organisation whose role it is.
        role_id: The role.
        image_digest: Of the image that it pins; None if it was pinned before references said so.
        revision: The revision that it pins.
    """

    org_id: str
    role_id: str
    image_digest: str | None
    revision: int = 0


class PinningRoles:
    """The roles of all organisations, by the packs that they pin.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def of(self, pack_id: str) -> Iterable[PinningRole]:
        """Yield the roles of all organisations that pin a pack, at any of its revisions.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        references = Query(
            condition="PK = :pack AND begins_with(SK, :prefix)",
            filter="attribute_exists(revision)",
            values={":pack": pack_partition(pack_id), ":prefix": _REFERENCES},
        )
        page = self._table.query(references)
        while True:
            for item in page.items:
                yield PinningRole(
                    item["org_id"], item["role_id"], item.get("image_digest"), int(item["revision"])
                )
            if page.last_key is None:
                return
            page = self._table.query(references, start=page.last_key)

    def of_image(self, image: ImageId) -> Iterable[PinningRole]:
        """Yield the roles of all organisations that pin an image. References of before are looked up in the history.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        unsaid: list[PinningRole] = []
        for role in self.of(image.pack_id):
            if role.image_digest == image.digest:
                yield role
            elif role.image_digest is None:
                unsaid.append(role)
        revisions = sorted({role.revision for role in unsaid})
        entries = self._table.get_many([revision_key(image.pack_id, revision) for revision in revisions])
        same = {int(entry["revision"]) for entry in entries if entry["image_digest"] == image.digest}
        yield from (role for role in unsaid if role.revision in same)
