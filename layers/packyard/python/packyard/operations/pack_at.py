"""A pack at some of its revisions, for whoever may see them."""

from collections.abc import Mapping
from dataclasses import dataclass

from packyard.errors import InvalidRequest, PackNotFound, RevisionNotFound
from packyard.operations.read import is_visible, no_such_pack
from packyard.packs.pack import Pack, PackStatus, is_pack_id
from packyard.packs.revision import Revision, RevisionStatus, status_of
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
    status: RevisionStatus


def pack_at(pack_id: str, revision: int | None, *, caller: Caller, packs: PackRevisions) -> Pack:
    """Return a pack at a revision; None for the present one. One read.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        RevisionNotFound: It has no such revision that the caller can see.
        InvalidRequest: On `revision`: it was written before revisions had their whole pack.
        ServiceUnavailable: DynamoDB did not answer.
    """
    return packs_at(pack_id, {"revision": revision}, caller=caller, packs=packs)["revision"]


def packs_at(
    pack_id: str, revisions: Mapping[str, int | None], *, caller: Caller, packs: PackRevisions
) -> dict[str, Pack]:
    """Return a pack at several revisions. One read.

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
    return found


def revision_at(pack_id: str, number: int, *, caller: Caller, packs: PackRevisions) -> PackRevision:
    """Return a revision of a pack. One read.

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
    # No image has another state yet.
    return PackRevision(pack=pack, entry=read.entry, status=status_of(pack.image_digest, {}))


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
