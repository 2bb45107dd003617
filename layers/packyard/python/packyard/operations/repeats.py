"""Requests that would make what is already there (API contract, section 2, "Repeats").

A request for a new pack finds its name held. When the holder is what the request would have made, the holder is the
answer: a client that lost the first answer and sends its request again succeeds. Otherwise the name is taken.
"""

from collections.abc import Callable

from packyard.errors import PackNameTaken
from packyard.operations.published import Published
from packyard.operations.unusable_images import current_is_withdrawn
from packyard.packs.pack import ImageOrigin, Pack, PackStatus
from packyard.store.packs import PackStore

# Compares the pack that is there with the pack that a request would make.
SameContent = Callable[[Pack, Pack], bool]


def same_archive(there: Pack, wanted: Pack) -> bool:
    """Return whether a pack has the content of another one's archive, `pack.yaml` included.

    Content is compared by its ChainID, since a later release of the service may compress the same content to other
    bytes. A pack that was moved to an image that its history does not know has no ChainID; its image
    is compared instead.
    """
    same_content = there.chain_id == wanted.chain_id or there.image_digest == wanted.image_digest
    return there.version == wanted.version and same_content


def same_reference(there: Pack, wanted: Pack) -> bool:
    """Return whether two packs have the same image, by the same reference."""
    return same_copy(there, wanted) and there.image_ref == wanted.image_ref


def same_copy(there: Pack, wanted: Pack) -> bool:
    """Return whether two packs have the same image, which came about in the same way."""
    return (there.version, there.image_digest, there.image_origin) == (
        wanted.version,
        wanted.image_digest,
        wanted.image_origin,
    )


def settle_repeat(
    holder_id: str,
    wanted: Pack,
    *,
    same: SameContent,
    packs: PackStore,
    refusal: PackNameTaken | None = None,
) -> Published:
    """Return the pack that holds a name, when it is the one that a request would have made. One read.

    Args:
        holder_id: The pack that holds the name.
        wanted: The pack that the request would have made.
        same: Compares their contents.
        packs: Where packs are kept.
        refusal: Raised when the holder is another pack. The default says how the holder gets its next version.

    Raises:
        PackNameTaken: The holder is another pack, or is being deleted.
        RevisionWithdrawn: The holder is the pack, and its image is withdrawn.
        ServiceUnavailable: DynamoDB did not answer.
    """
    holder = packs.get(holder_id)
    if (
        holder is None
        or holder.status is not PackStatus.ACTIVE
        or holder.visibility is not wanted.visibility
        or not same(holder, wanted)
    ):
        raise refusal or _name_taken(wanted, holder, holder_id)
    if holder.withdrawn:
        raise current_is_withdrawn(holder)
    return Published(pack=holder, changed=False)


def _name_taken(wanted: Pack, holder: Pack | None, holder_id: str) -> PackNameTaken:
    if holder is None or holder.status is not PackStatus.ACTIVE:
        return PackNameTaken(
            wanted.name, holder_id, advice="That pack is being deleted; repeat the request when it is gone."
        )
    next_version = {
        ImageOrigin.UPLOAD: (
            f"Send its next version to POST /packs/{holder_id}/upload, or one over 4.5 MiB by POST /packs/uploads with "
            f'{{"pack_id": "{holder_id}"}}'
        ),
        ImageOrigin.IMAGE_REF: f"Move it to another tag or digest of its image with PUT /packs/{holder_id}",
        ImageOrigin.CLONE: f"It is a clone, which takes no archive: DELETE /packs/{holder_id} first",
    }[holder.image_origin]
    return PackNameTaken(wanted.name, holder_id, advice=f"{next_version}, or give the new pack another name.")
