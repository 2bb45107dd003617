"""A pack at some of its revisions, for whoever may see them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from packyard.errors import InvalidRequest, PackNotFound, RevisionDeleted, RevisionNotFound
from packyard.operations.read import is_visible, no_such_pack
from packyard.packs.image_state import ImageId, ImageState, ImageStatus, shown_status
from packyard.packs.pack import Pack, PackStatus, is_pack_id
from packyard.packs.revision import Revision
from packyard.store.pack_revisions import PackRevisions, RevisionId
from packyard.tenants.caller import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRevision:
    """A revision of a pack.

    Attributes:
        pack: The pack as it was.
        entry: What its history says of the revision.
        status: The state of its image now.
    """

    pack: Pack
    entry: Revision
    status: ImageStatus


def pack_at(pack_id: str, revision: int | None, *, caller: Caller, packs: PackRevisions) -> Pack:
    """Return a pack at a revision; None for the present one. One read, and one more for another image.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        RevisionNotFound: It has no such revision that the caller can see, or the content of that is deleted.
        InvalidRequest: On `revision`: it was written before revisions had their whole pack.
        ServiceUnavailable: DynamoDB did not answer.
    """
    return packs_at(pack_id, {"revision": revision}, caller=caller, packs=packs)["revision"]


def packs_at(
    pack_id: str, revisions: Mapping[str, int | None], *, caller: Caller, packs: PackRevisions
) -> dict[str, Pack]:
    """Return a pack at several revisions. One read, and one more for other images than the present one.

    Args:
        pack_id: The pack, as the client names it.
        revisions: By the field that names it, a revision; None for the present one.
        caller: Who asks.
        packs: Where packs are.

    Raises:
        PackNotFound, RevisionNotFound, InvalidRequest, ServiceUnavailable: As for `pack_at`.
    """
    if not is_pack_id(pack_id):
        raise no_such_pack(pack_id)
    wanted = dict.fromkeys(RevisionId(pack_id, number) for number in revisions.values() if number is not None)
    read = packs.read([pack_id], wanted)
    now = _visible(read.now.get(pack_id), caller)
    found = {}
    for field, number in revisions.items():
        if number is None or number == now.revision:
            found[field] = now
            continue
        if RevisionId(pack_id, number) not in read.earlier or not now.shows(number, org_id=caller.org_id):
            raise RevisionNotFound(pack_id, number)
        found[field] = _whole(read.at(pack_id, number), number, now, field)
    for image, state in _states(found.values(), now, packs).items():
        if state.is_gone:
            gone = next(pack for pack in found.values() if pack.image_digest == image.digest)
            raise RevisionDeleted(pack_id, gone.revision)
    return found


def revision_at(pack_id: str, number: int, *, caller: Caller, packs: PackRevisions) -> PackRevision:
    """Return a revision of a pack, also one whose content is deleted. One read, and one more for another image.

    Raises:
        PackNotFound, RevisionNotFound, InvalidRequest, ServiceUnavailable: As for `pack_at`; the field is `n`.
    """
    if not is_pack_id(pack_id):
        raise no_such_pack(pack_id)
    read = packs.read_one(pack_id, number)
    now = _visible(None if read is None else read.now, caller)
    if read is None or read.entry is None or not now.shows(number, org_id=caller.org_id):
        raise RevisionNotFound(pack_id, number)
    pack = _whole(read.then, number, now, "n")
    image = ImageId(pack_id, pack.image_digest)
    if image.digest == now.image_digest:
        status = ImageStatus.WITHDRAWN if now.withdrawn else ImageStatus.ACTIVE
    else:
        status = shown_status(_states([pack], now, packs).get(image))
    return PackRevision(pack=pack, entry=read.entry, status=status)


def _visible(pack: Pack | None, caller: Caller) -> Pack:
    if pack is None or pack.status is PackStatus.DELETED or not is_visible(pack, caller):
        raise PackNotFound
    return pack


def _whole(then: Pack | None, number: int, now: Pack, field: str) -> Pack:
    if then is None:
        raise InvalidRequest(
            {
                field: f"revision {number} was written before revisions could be read; "
                f"take {now.revision}, or a later one"
            }
        )
    return then


def _states(then: Collection[Pack], now: Pack, packs: PackRevisions) -> Mapping[ImageId, ImageState]:
    """Return the states of the images of earlier revisions. One read, unless all have the present image."""
    images = {ImageId(pack.id, pack.image_digest) for pack in then} - {ImageId(now.id, now.image_digest)}
    return packs.read([], images=images).states if images else {}
