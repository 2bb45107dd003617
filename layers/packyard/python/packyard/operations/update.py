"""Changing who may see a pack.

    read the pack → commit the next revision

A crash before the commit leaves nothing; one after it leaves a change that a repeat finds done and answers with. Of two
changes at once one is refused. Whether another organisation's role holds the pack is asked by the commit itself, on the
row whose counter an attachment raises in its own transaction: one of the two comes first, and the other is refused.
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
    """Return an owned pack at the visibility asked for; one that has it already stays at its revision.

    Args:
        pack_id: The pack, as the client names it.
        visibility: Who may see it from now on.
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
