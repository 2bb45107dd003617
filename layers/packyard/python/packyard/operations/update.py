"""Changing who may see a pack, and whether it is deprecated.

    read the pack → read the replacement, if one is named → commit the next revision

A crash before the commit leaves nothing. After the commit, a repeat finds the change made and answers with the pack.
One of two changes at once is refused. The commit itself checks, on the row, that no role of another organisation has
the pack. Attaching a pack raises a counter on the same row: whichever of the two comes second is refused.

The replacement is only read. It may be deleted or hidden at any later time. Then the message still names it, and
reading it is 404 (decision 106).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.errors import InvalidRequest, PackInUse, PackNotFound
from packyard.operations.owned_pack import changing, editable_pack, require_changeable
from packyard.operations.read import get_pack
from packyard.packs.deprecation import Deprecation
from packyard.packs.pack import Pack, PackStatus, Visibility
from packyard.packs.precondition import IfMatch
from packyard.store.packs import PackStore, Referenced
from packyard.tenants.caller import Caller

_REPLACEMENT: Final = "deprecated.replacement"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackChange:
    """What is to change.

    Attributes:
        visibility: Who may see the pack; None to leave it.
        sets_deprecated: Whether `deprecated` is to be set. If not, it stays.
        deprecated: What is said of the pack; None to say nothing any more.
    """

    visibility: Visibility | None = None
    sets_deprecated: bool = False
    deprecated: Deprecation | None = None


def update_pack(  # noqa: PLR0913 - what was asked, by whom, and where it is kept
    pack_id: str,
    change: PackChange,
    *,
    caller: Caller,
    if_match: IfMatch | None,
    packs: PackStore,
    now: datetime,
) -> Pack:
    """Change an owned pack, and return it. A change that changes nothing makes no revision.

    Args:
        pack_id: The pack, as the client names it.
        change: What is to change.
        caller: Who asks.
        if_match: What the client has seen of it.
        packs: Where it is kept.
        now: The present instant, UTC.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        PermissionDenied: It is another organisation's.
        PackDeleting: It is being deleted.
        PreconditionFailed: It is at another revision than the client has seen.
        InvalidRequest: The replacement is no pack that everybody sees who sees this one.
        PackModified: Another change came in between.
        PackInUse: Roles of other organisations reference it, so it cannot be withdrawn from the community.
        ServiceUnavailable: DynamoDB did not answer.
    """
    pack = editable_pack(pack_id, caller=caller, packs=packs)
    require_changeable(pack, if_match)
    after = pack.revised(
        at=now,
        visibility=change.visibility or pack.visibility,
        deprecated=change.deprecated if change.sets_deprecated else pack.deprecated,
    )
    shares = pack.visibility is not after.visibility
    if not shares and pack.deprecated == after.deprecated:
        return pack
    _require_replacement(after, change, caller=caller, packs=packs)
    try:
        with changing(if_match):
            packs.change(pack, after, actor=caller.principal, operation=_operation(after, shares=shares))
    except Referenced as referenced:
        raise PackInUse(others=referenced.foreign) from None
    return after


def _operation(after: Pack, *, shares: bool) -> str:
    """Return what the history calls a change."""
    if shares:
        return "update"
    return "undeprecate" if after.deprecated is None else "deprecate"


def _require_replacement(after: Pack, change: PackChange, *, caller: Caller, packs: PackStore) -> None:
    """Check that whoever sees the pack can see what it names as its replacement."""
    replacement = None if after.deprecated is None else after.deprecated.replacement
    is_shared = after.visibility is Visibility.COMMUNITY
    if replacement is None or not (change.sets_deprecated or is_shared):
        return
    if replacement == after.id:
        raise InvalidRequest({_REPLACEMENT: "is this pack itself; name another one, or leave it out"})
    try:
        found = get_pack(replacement, caller=caller, packs=packs)
    except PackNotFound:
        found = None
    named = _REPLACEMENT if change.sets_deprecated else "visibility"
    if found is None or found.status is not PackStatus.ACTIVE:
        raise InvalidRequest(
            {
                named: f"the replacement {replacement} is no pack that you can see; GET /packs lists those that you can"
            }
        )
    if is_shared and found.visibility is not Visibility.COMMUNITY:
        raise InvalidRequest(
            {
                named: f"others would see this pack and not its replacement {replacement}; "
                "share that one first, or name no replacement"
            }
        )
