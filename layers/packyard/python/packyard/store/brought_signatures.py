"""What images bring, an item for each image of a pack. It belongs to the pack's history, and stays as that does."""

from collections.abc import Iterable, Mapping

from packyard.packs.image_state import ImageId
from packyard.signatures.brought import ImageSignatures, from_text, to_text
from packyard.store.keys import brought_key
from packyard.store.table import Put, Table

# Whoever reads an image's signatures later knows better. What is written has no other condition.
_ALWAYS = "attribute_exists(PK) OR attribute_not_exists(PK)"


class BroughtStore:
    """What the images of all packs bring.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def get(self, image: ImageId) -> ImageSignatures | None:
        """Return what an image brings, or None if that is not known. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(brought_key(*image))
        return None if item is None else from_text(item["brought"])

    def get_many(self, images: Iterable[ImageId]) -> Mapping[ImageId, ImageSignatures]:
        """Return what images bring, of those of which it is known. One consistent read for each 100.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
        """
        items = self._table.get_many([brought_key(*image) for image in dict.fromkeys(images)])
        return {ImageId(item["pack_id"], item["digest"]): from_text(item["brought"]) for item in items}

    def write(self, pack_id: str, signatures: ImageSignatures) -> None:
        """Write what an image brings now. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        self._table.put(brought_item(pack_id, signatures))


def brought_item(pack_id: str, signatures: ImageSignatures) -> Put:
    """Return the action that writes what an image brings, for the transaction that writes the pack.

    Args:
        pack_id: The pack whose image it is.
        signatures: What it brings.
    """
    item = {
        **brought_key(pack_id, signatures.digest),
        "pack_id": pack_id,
        "digest": signatures.digest,
        "brought": to_text(signatures),
    }
    return Put(item=item, condition=_ALWAYS)
