"""A pack at one of its revisions, for whoever may see that revision."""

from packyard.errors import InvalidRequest, PackNotFound, RevisionNotFound
from packyard.operations.read import is_visible, no_such_pack
from packyard.packs.pack import Pack, PackStatus, is_pack_id
from packyard.store.pack_revisions import PackRevisions, RevisionId
from packyard.tenants.caller import Caller


def pack_at(pack_id: str, revision: int | None, *, caller: Caller, packs: PackRevisions) -> Pack:
    """Return a pack at a revision; None for the present one. One read.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        RevisionNotFound: It has no such revision that the caller can see.
        InvalidRequest: On `revision`: it was written before revisions had their whole pack.
        ServiceUnavailable: DynamoDB did not answer.
    """
    if not is_pack_id(pack_id):
        raise no_such_pack(pack_id)
    earlier = [] if revision is None else [RevisionId(pack_id, revision)]
    read = packs.read([pack_id], earlier)
    pack = read.now.get(pack_id)
    if pack is None or pack.status is PackStatus.DELETED or not is_visible(pack, caller):
        raise PackNotFound
    if revision is None or revision == pack.revision:
        return pack
    if earlier[0] not in read.earlier or not pack.shows(revision, org_id=caller.org_id):
        raise RevisionNotFound(pack_id, revision)
    then = read.at(pack_id, revision)
    if then is None:
        raise InvalidRequest(
            {
                "revision": f"revision {revision} was written before revisions could be read; "
                f"take {pack.revision}, or a later one"
            }
        )
    return then
