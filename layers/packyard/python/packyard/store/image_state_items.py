"""The states of images as items of the table, and the condition that lets an image be used.

An image without an item is in use. The item stays when the image is restored.
"""

from typing import Any, Final

from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageState, ImageStatus, Removal, Withdrawal
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.actions import Check, Update
from packyard.store.keys import clones_key, image_key
from packyard.store.wire import Item

# `status` is a word that DynamoDB reserves.
STATUS: Final = "image_status"
IN_USE: Final = f"attribute_not_exists(PK) OR {STATUS} = :active"


class ImageNotUsable(Exception):
    """The image is withdrawn or deleted, or is being deleted.

    Args:
        state: Its state.
    """

    def __init__(self, state: ImageState) -> None:
        super().__init__(f"An image of {state.pack_id} is {state.status}.")
        self.state = state


def usable(pack_id: str, digest: Digest) -> Check:
    """Return the condition that an image is neither withdrawn nor deleted, for the transaction that begins to use it.

    Args:
        pack_id: The pack in whose history the image is.
        digest: The image's.
    """
    return Check(
        key=image_key(pack_id, digest), condition=IN_USE, values={":active": ImageStatus.ACTIVE.value}
    )


def unchanged(state: ImageState) -> Check:
    """Return the condition that the state of an image is as it was read."""
    conditions = [f"{STATUS} = :status"]
    values: dict[str, Any] = {":status": state.status.value}
    names: dict[str, str] = {}
    if state.withdrawal is None:
        conditions.append("attribute_not_exists(withdrawal)")
    else:
        conditions.append("withdrawal.#at = :withdrawn_at")
        names["#at"] = "at"
        values[":withdrawn_at"] = format_timestamp(state.withdrawal.at)
    if state.removal is None:
        conditions.append("attribute_not_exists(removal)")
    else:
        conditions.append("removal.#token = :token AND removal.decided = :decided")
        names["#token"] = "token"
        values |= {":token": state.removal.token, ":decided": state.removal.decided}
    return Check(
        key=image_key(state.pack_id, state.digest),
        condition=" AND ".join(conditions),
        values=values,
        names=names,
    )


def one_more_clone(pack_id: str, digest: Digest) -> Update:
    """Return the action that counts a clone, for the transaction that writes the clone.

    Args:
        pack_id: The pack that is cloned.
        digest: The image's.
    """
    return Update(
        key=clones_key(pack_id, digest),
        change="ADD clones :one",
        condition="attribute_not_exists(clones) OR clones >= :one",
        values={":one": 1},
    )


def state_of(item: Item) -> ImageState:
    """Return the state of an item."""
    withdrawal, removal = item.get("withdrawal"), item.get("removal")
    return ImageState(
        pack_id=item["pack_id"],
        digest=Digest(item["digest"]),
        status=ImageStatus(item[STATUS]),
        withdrawal=None if withdrawal is None else _withdrawal(withdrawal),
        removal=None if removal is None else _removal(removal),
    )


def withdrawal_item(withdrawal: Withdrawal) -> Item:
    """Return a withdrawal as an attribute of the item."""
    return {
        "revision": withdrawal.revision,
        "reason": withdrawal.reason,
        "by": withdrawal.by,
        "at": format_timestamp(withdrawal.at),
    }


def removal_item(removal: Removal) -> Item:
    """Return a deletion as an attribute of the item."""
    item: dict[str, Any] = {
        "revision": removal.revision,
        "by": removal.by,
        "at": format_timestamp(removal.at),
        "force": removal.force,
        "token": removal.token,
        "decided": removal.decided,
        "also_in": list(removal.also_in),
        "not_compared": removal.not_compared,
        "clones": removal.clones,
        "request_id": removal.request_id,
        "documents": list(removal.documents),
        "caches": list(removal.caches),
    }
    return item


def _withdrawal(item: Item) -> Withdrawal:
    return Withdrawal(
        revision=int(item["revision"]),
        reason=item["reason"],
        by=item["by"],
        at=parse_timestamp(item["at"]),
    )


def _removal(item: Item) -> Removal:
    return Removal(
        revision=int(item["revision"]),
        by=item["by"],
        at=parse_timestamp(item["at"]),
        force=item["force"],
        token=item["token"],
        decided=item["decided"],
        also_in=tuple(int(number) for number in item["also_in"]),
        not_compared=int(item["not_compared"]),
        clones=int(item["clones"]),
        request_id=item["request_id"],
        documents=tuple(map(Digest, item["documents"])),
        caches=tuple(item["caches"]),
    )
