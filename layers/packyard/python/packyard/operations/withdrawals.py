"""Withdrawing a revision, and taking that back (API contract, section 7).

    read the pack and the revision → commit the state of the image, and the row if the image is current

One transaction writes everything, on condition that the pack is as it was read. A crash before it leaves nothing; after
it, a repeat finds the image withdrawn and answers with the revision. It acts on every revision that has the image.
Of two withdrawals at once, the first one's reason stays.

- A visibility change, a new revision or a rollback at the same time: both have conditions on the row's revision and on
  what the row says of a withdrawal, so one of them is refused, or reads again.
- A role that pins the image, or a clone of it, at the same time: its transaction has a condition on the image's state.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from packyard.errors import PackModified, RevisionDeleted, RevisionNotFound
from packyard.operations.owned_pack import changing, require_changeable, require_editable
from packyard.operations.read import require_visible
from packyard.packs.image_state import ImageState, ImageStatus, Withdrawal
from packyard.packs.pack import Pack, is_pack_id
from packyard.packs.precondition import IfMatch
from packyard.packs.revision import Revision
from packyard.store.image_states import AlreadySo, ImageStates
from packyard.store.pack_revisions import PackRevisions
from packyard.tenants.caller import Caller

# An attempt fails when the pack has got another revision in the meantime.
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawer:
    """Withdraws and restores revisions.

    Attributes:
        revisions: Where packs and their histories are.
        states: The states of images.
        clock: The present instant, UTC.
    """

    revisions: PackRevisions
    states: ImageStates
    clock: Callable[[], datetime]

    def withdraw(
        self, pack_id: str, revision: int, reason: str, *, caller: Caller, if_match: IfMatch | None
    ) -> Revision:
        """Withdraw the image of a revision of an owned pack. One that is withdrawn stays as it is.

        Args:
            pack_id: The pack, as the client names it.
            revision: The revision.
            reason: Why, 1 to 1,000 characters.
            caller: Who asks.
            if_match: What the client has seen of the pack.

        Returns:
            The revision, with the state of its image.

        Raises:
            PackNotFound: There is no such pack that the caller can see.
            RevisionNotFound: It has no such revision, or the revision's content is deleted.
            PermissionDenied: It is another organisation's.
            PackDeleting: It is being deleted.
            PreconditionFailed: It is at another revision than the client has seen.
            PackModified: Other requests keep changing it.
            ServiceUnavailable: DynamoDB did not answer.
        """
        withdrawal = Withdrawal(revision=revision, reason=reason, by=caller.principal, at=self.clock())

        def write(pack: Pack, found: Revision) -> ImageState:
            self.states.withdraw(pack, found.image_digest, withdrawal)
            return ImageState(
                pack_id=pack.id,
                digest=found.image_digest,
                status=ImageStatus.WITHDRAWN,
                withdrawal=withdrawal,
            )

        return self._change(pack_id, revision, write, caller=caller, if_match=if_match)

    def restore(self, pack_id: str, revision: int, *, caller: Caller, if_match: IfMatch | None) -> Revision:
        """Let the image of a revision of an owned pack be used again. One that is in use stays as it is.

        Args:
            pack_id: As for `withdraw`.
            revision: As for `withdraw`.
            caller: As for `withdraw`.
            if_match: As for `withdraw`.

        Returns:
            As for `withdraw`.

        Raises:
            PackNotFound, RevisionNotFound, PermissionDenied, PackDeleting, PreconditionFailed, PackModified,
            ServiceUnavailable: As for `withdraw`.
        """

        def write(pack: Pack, found: Revision) -> None:
            self.states.restore(pack, found.image_digest, revision=revision, actor=caller.principal)

        return self._change(pack_id, revision, write, caller=caller, if_match=if_match)

    def _change(
        self,
        pack_id: str,
        revision: int,
        write: Callable[[Pack, Revision], ImageState | None],
        *,
        caller: Caller,
        if_match: IfMatch | None,
    ) -> Revision:
        for _ in range(_ATTEMPTS):
            pack, found = editable_revision(pack_id, revision, caller=caller, revisions=self.revisions)
            require_changeable(pack, if_match)
            try:
                with changing(if_match):
                    return replace(found, state=write(pack, found))
            except PackModified:
                continue
            except AlreadySo as already:
                if already.state is not None and already.state.is_gone:
                    raise RevisionDeleted(pack.id, revision) from None
                # One that is being looked at for its deletion is soon deleted, or as it was.
                if already.state is None or already.state.status is not ImageStatus.DELETING:
                    return replace(found, state=already.state)
        raise PackModified


def editable_revision(
    pack_id: str, revision: int, *, caller: Caller, revisions: PackRevisions
) -> tuple[Pack, Revision]:
    """Return a pack of the caller's organisation and one of its revisions. One read.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        PermissionDenied: It is another organisation's.
        RevisionNotFound: It has no such revision.
        ServiceUnavailable: DynamoDB did not answer.
    """
    read = revisions.read_one(pack_id, revision) if is_pack_id(pack_id) else None
    pack = require_visible(None if read is None else read.now, pack_id, caller=caller)
    require_editable(pack, caller=caller)
    if read is None or read.entry is None:
        raise RevisionNotFound(pack.id, revision)
    return pack, read.entry
