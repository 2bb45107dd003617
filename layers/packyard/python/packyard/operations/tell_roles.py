"""Tells the owners of roles that a pin is stale, or that its image was withdrawn or deleted (API contract, section 9).

The table's stream says where to look, as it does for pins that follow. What is told is what is so now. An event says
what the role's organisation can see anyway: the pack's name, the revisions and their versions. It never has the text
that the pack's owner wrote.

    the pack's row → a page of pins → the revisions that they pin → mark 48 pins and write their events → …
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.digest import Digest
from packyard.packs.event import EventDraft, EventType
from packyard.packs.image_state import ImageId
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.timestamp import format_timestamp
from packyard.store.image_states import ImageStates
from packyard.store.pack_revisions import PackRevisions, RevisionId
from packyard.store.told_roles import Reference, Told, ToldRoles

# Who tells, in events.
ACTOR: Final = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTeller:
    """Tells the owners of roles.

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

        Pins that follow and may follow have been moved before. A read for each page of pins, a write for 48 roles.

        Returns:
            How many were told.

        Raises:
            ServiceUnavailable: DynamoDB did not answer. What was told so far is not told again.
        """
        pack = self.packs.read([pack_id]).now.get(pack_id)
        if pack is None or pack.status is not PackStatus.ACTIVE:
            return 0

        def event(reference: Reference, pinned: Pack) -> EventDraft | None:
            if pinned.image_digest == pack.image_digest:
                return None
            now = {"revision": pack.revision, "version": pack.version}
            return _event(EventType.ROLE_STALE, reference, pinned, current=now)

        # Zero-padded, so that the greater revision is the greater text.
        return self._tell(pack, event, Told.STALE, f"{pack.revision:010d}")

    def image_changed(self, pack_id: str, digest: str) -> int:
        """Tell the owners of the roles that pin an image if it is withdrawn or deleted, once for each time that it is.

        Returns:
            How many were told.

        Raises:
            ServiceUnavailable: As for `pack_changed`.
        """
        state = self.states.get(ImageId(pack_id, Digest(digest)))
        decision = None if state is None else state.decision
        pack = None if decision is None else self.packs.read([pack_id]).now.get(pack_id)
        if state is None or decision is None or pack is None:
            return 0

        def event(reference: Reference, pinned: Pack) -> EventDraft | None:
            if pinned.image_digest != digest:
                return None
            return _event(EventType.ROLE_WITHDRAWN_PIN, reference, pinned, status=state.shown.value)

        return self._tell(pack, event, Told.WITHDRAWN, format_timestamp(decision.at))

    def _tell(
        self, pack: Pack, event: Callable[[Reference, Pack], EventDraft | None], kind: Told, mark: str
    ) -> int:
        count = 0
        revisions: dict[int, Pack | None] = {pack.revision: pack}
        for page in self.told.references(pack.id):
            untold = [each for each in page if each.told.get(kind, "") < mark]
            self._read(pack.id, {each.revision for each in untold}, revisions)
            drafts = []
            for reference in untold:
                pinned = revisions.get(reference.revision)
                draft = None if pinned is None else event(reference, pinned)
                if draft is not None:
                    drafts.append((reference, draft))
            count += self.told.tell(drafts, kind, mark)
        return count

    def _read(self, pack_id: str, wanted: set[int], known: dict[int, Pack | None]) -> None:
        missing = [RevisionId(pack_id, revision) for revision in sorted(wanted - known.keys())]
        if missing:
            read = self.packs.read([pack_id], missing)
            known.update({each.revision: read.at(*each) for each in missing})


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
