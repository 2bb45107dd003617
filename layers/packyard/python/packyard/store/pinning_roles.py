"""The roles of all organisations that pin a pack, and what they are told of the images that they pin."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from packyard.packs.image_state import ImageId, ImageStatus
from packyard.store.keys import pack_partition, revision_key, role_key
from packyard.store.role_items import mark_name
from packyard.store.table import ConditionFailed, Query, Table, Update

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

    def mark(self, role: PinningRole, image: ImageId, status: ImageStatus) -> None:
        """Tell a role the status of an image, if the role pins it. One write; the role stays at its revision.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        names = {"#mark": mark_name(image.pack_id)}
        values: dict[str, Any] = {":digest": image.digest}
        if status is ImageStatus.ACTIVE:
            change, condition = "REMOVE #mark", "#mark.digest = :digest"
        else:
            change, condition = "SET #mark = :mark", "pins.#pack.image_digest = :digest"
            names["#pack"] = image.pack_id
            values[":mark"] = {"digest": image.digest, "status": status.value}
        try:
            self._table.update(
                Update(
                    key=role_key(role.org_id, role.role_id),
                    change=change,
                    condition=condition,
                    values=values,
                    names=names,
                )
            )
        except ConditionFailed:
            # It pins another image by now, or was told already.
            return
