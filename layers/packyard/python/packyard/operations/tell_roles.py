"""Tells roles and their owners that a pin is stale, or that its image was withdrawn, restored or deleted.

The table's stream says where to look, as it does for pins that follow (decision 87). What is told is what is so now. So
a record that comes late or twice does no harm, and a crash loses nothing. A role that pins a withdrawn image is found,
because its reference was committed before: a transaction that pins an image has the condition that the image is in use.

An event says what the role's organisation can see anyway: the pack's name, the revisions and their versions (API
contract, section 9). It never has the text that the pack's owner wrote.

    the pack's row → a page of pins → the revisions that they pin → tell as many as a transaction takes → …
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.digest import Digest
from packyard.packs.event import EventDraft, EventType
from packyard.packs.image_state import ImageId, ImageState
from packyard.packs.pack import Pack, PackStatus
from packyard.store.image_states import ImageStates
from packyard.store.pack_revisions import PackRevisions, RevisionId
from packyard.store.told_roles import Reference, Told, ToldRoles, told_mark

# Who tells, in events.
ACTOR: Final = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTeller:
    """Tells roles and their owners.

    Attributes:
        packs: Where packs and their histories are.
        states: The states of images.
        told: Where pins are, and what was told of them.
    """

    packs: PackRevisions
    states: ImageStates
    told: ToldRoles

    def pack_changed(self, pack_id: str) -> int:
        """Tell the owners of the roles whose pin of a pack is stale now, once for each image that the pack gets.

        Pins that follow and may follow have been moved before. A read for each page of pins, a write for 50 roles.

        Returns:
            How many were told.

        Raises:
            ServiceUnavailable: DynamoDB did not answer. What was told so far is not told again.
        """
        pack = self.packs.read([pack_id]).now.get(pack_id)
        if pack is None or pack.status is not PackStatus.ACTIVE:
            return 0

        now = {"revision": pack.revision, "version": pack.version}
        # Zero-padded, so that the greater revision is the greater text.
        mark = f"{pack.revision:010d}"
        count = 0
        for page in self._pins(pack, lambda reference: reference.told.get(Told.STALE, "") < mark):
            drafts = [
                (reference, _event(EventType.ROLE_STALE, reference, pinned, current=now))
                for reference, pinned in page
                if pinned.image_digest != pack.image_digest
            ]
            count += self.told.tell_stale(drafts, mark)
        return count

    def image_changed(self, pack_id: str, digest: str) -> int:
        """Tell the roles that pin an image that it is withdrawn or deleted, and their owners, once for each time.

        If the image is in use again, what its roles were told is taken back; their owners are not told of that. A read
        for each page of pins, a write for 33 roles, or for 49 to take it back.

        Returns:
            How many were told, or have it taken back.

        Raises:
            ServiceUnavailable: As for `pack_changed`.
        """
        image = ImageId(pack_id, Digest(digest))
        state = self.states.get(image)
        pack = self.packs.read([pack_id]).now.get(pack_id)
        if state is None or pack is None:
            return 0
        mark = told_mark(state)

        def wanted(reference: Reference) -> bool:
            told = reference.told.get(Told.WITHDRAWN)
            due = told is not None if mark is None else (told or "") < mark
            return due and reference.image_digest in (None, image.digest)

        count = 0
        for page in self._pins(pack, wanted):
            of_image = [each for each in page if each[1].image_digest == image.digest]
            if mark is None:
                count += self.told.take_back([reference for reference, _ in of_image], state)
            else:
                drafts = [(reference, _withdrawn(reference, pinned, state)) for reference, pinned in of_image]
                count += self.told.tell_state(drafts, state)
        return count

    def _pins(
        self, pack: Pack, wanted: Callable[[Reference], bool]
    ) -> Iterator[list[tuple[Reference, Pack]]]:
        """Yield pins of a pack, a page at a time, each with the pack as it was at the pinned revision."""
        revisions: dict[int, Pack | None] = {pack.revision: pack}
        for page in self.told.references(pack.id):
            chosen = [reference for reference in page if wanted(reference)]
            self._read(pack.id, {reference.revision for reference in chosen}, revisions)
            pins = ((reference, revisions.get(reference.revision)) for reference in chosen)
            yield [(reference, pinned) for reference, pinned in pins if pinned is not None]

    def _read(self, pack_id: str, wanted: set[int], known: dict[int, Pack | None]) -> None:
        missing = [RevisionId(pack_id, revision) for revision in sorted(wanted - known.keys())]
        if missing:
            read = self.packs.read([pack_id], missing)
            known.update({each.revision: read.at(*each) for each in missing})


def _withdrawn(reference: Reference, pinned: Pack, state: ImageState) -> EventDraft:
    return _event(EventType.ROLE_WITHDRAWN_PIN, reference, pinned, status=state.shown.value)


def _event(type_: EventType, reference: Reference, pinned: Pack, **more: Any) -> EventDraft:
    data: Mapping[str, Any] = {
        "pack": pinned.name,
        "pinned": {"revision": reference.revision, "version": pinned.version},
        **more,
    }
    return EventDraft(
        type=type_,
        org_id=reference.org_id,
        actor=ACTOR,
        pack_id=reference.pack_id,
        role_id=reference.role_id,
        data=data,
    )
