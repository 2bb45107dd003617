"""Changing who may see a pack.

    read the pack → commit the next revision

A crash before the commit leaves nothing. After the commit, a repeat finds the change made and answers with the pack.
One of two changes at once is refused. The commit itself checks, on the row, that no role of another organisation has
the pack. Attaching a pack raises a counter on the same row: whichever of the two comes second is refused.
"""

from datetime import datetime

from packyard.errors import PackInUse
from packyard.operations.owned_pack import changing, editable_pack, require_changeable
from packyard.packs.pack import Pack, Visibility
from packyard.packs.precondition import IfMatch
from packyard.store.packs import PackStore, Referenced
from packyard.tenants.caller import Caller


def set_visibility(  # noqa: PLR0913 - what was asked, by whom, and where it is kept
    pack_id: str,
    visibility: Visibility,
    *,
    caller: Caller,
    if_match: IfMatch | None,
    packs: PackStore,
    now: datetime,
) -> Pack:
    """Give an owned pack a visibility, and return the pack. One that has it already stays at its revision.

    Args:
        pack_id: The pack, as the client names it.
        visibility: The new visibility.
        caller: Who asks.
        if_match: What the client has seen of it.
        packs: Where it is kept.
        now: The present instant, UTC.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        PermissionDenied: It is another organisation's.
        PackDeleting: It is being deleted.
        PreconditionFailed: It is at another revision than the client has seen.
        PackModified: Another change came in between.
        PackInUse: Roles of other organisations reference it, so it cannot be withdrawn from the community.
        ServiceUnavailable: DynamoDB did not answer.
    """
    pack = editable_pack(pack_id, caller=caller, packs=packs)
    require_changeable(pack, if_match)
    if pack.visibility is visibility:
        return pack
    after = pack.revised(at=now, visibility=visibility)
    try:
        with changing(if_match):
            packs.change(pack, after, actor=caller.principal, operation="update")
    except Referenced as referenced:
        raise PackInUse(others=referenced.foreign) from None
    return after
