"""Listing what a registered image brings, for whoever may see the pack (API contract, section 11)."""

from dataclasses import dataclass
from typing import Any

from packyard.operations.signature_policy import brings_signatures
from packyard.packs.image_state import ImageId
from packyard.packs.pack import Pack
from packyard.store.brought_signatures import BroughtStore


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtSignatures:
    """Reads what images bring.

    Attributes:
        store: Where it is kept.
    """

    store: BroughtStore

    def listed(self, pack: Pack) -> dict[str, Any] | None:
        """Return what a pack's image brings, as JSON; None for an image that was built here. One read.

        Nothing of it is verified: it is what the registry held beside the image when it was registered, with what each
        signature says of itself. `complete` is false if something was left off or could not be read, and `at` is absent
        if the image was registered before this was kept.

        Args:
            pack: The pack at the revision in question.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        if not brings_signatures(pack):
            return None
        signatures = self.store.get(ImageId(pack.id, pack.image_digest))
        if signatures is None:
            return {"complete": False, "signatures": []}
        from packyard.packs.timestamp import format_timestamp  # noqa: PLC0415 - few packs are registered
        from packyard.signatures.judging import described  # noqa: PLC0415 - as above

        return {
            "repository": signatures.repository,
            "at": format_timestamp(signatures.at),
            "complete": signatures.complete,
            "signatures": list(described(signatures)),
        }
