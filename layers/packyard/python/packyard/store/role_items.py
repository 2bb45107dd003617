"""Roles as items of the table: the role, its pins, and the entries of its history."""

from collections.abc import Mapping
from typing import Any

from packyard.oci.digest import Digest
from packyard.packs.image_state import ImageStatus
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.role import Mark, Pin, Role
from packyard.store.keys import role_revision_key
from packyard.store.pack_items import digest_attribute
from packyard.store.wire import Item

# What a role's item has once the role is deleted, until it expires.
DELETED = "deleted"
# One attribute for each pack, so that marking a role and writing its pins do not overwrite each other.
MARK_PREFIX = "image_of#"


def role_of(item: Item) -> Role:
    """Return the role of an item; attributes that this version does not know are ignored."""
    pack_ids = tuple(item["pack_ids"])
    pins = item.get("pins", {})
    return Role(
        org_id=item["org_id"],
        role_id=item["role_id"],
        pack_ids=pack_ids,
        # An earlier release detaches packs and leaves their pins.
        pins={pack_id: _pin(pack_id, pins[pack_id]) for pack_id in pack_ids if pack_id in pins},
        revision=int(item["revision"]),
        is_there=DELETED not in item,
        marks={
            name.removeprefix(MARK_PREFIX): Mark(Digest(mark["digest"]), ImageStatus(mark["status"]))
            for name, mark in item.items()
            if name.startswith(MARK_PREFIX)
        },
    )


def mark_name(pack_id: str) -> str:
    """Return the attribute of a role's item that has what the role was told of an image of a pack."""
    return f"{MARK_PREFIX}{pack_id}"


def pins_to_item(role: Role) -> dict[str, Item]:
    """Return a role's pins by pack, without what their keys say."""
    return {pack_id: _pin_to_item(pin) for pack_id, pin in role.pins.items()}


def role_history_entry(
    role: Role, *, actor: str, operation: str, at: str, accepted: Mapping[str, int]
) -> Item:
    """Return the entry in a role's history for its present revision.

    Args:
        role: The role at that revision.
        actor: Who made the change.
        operation: What made it: `set`, `refresh`, `follow` or `delete`.
        at: When, as the table has it.
        accepted: By pack, the revision to whose wider capabilities the actor has consented.
    """
    entry: dict[str, Any] = {
        **role_revision_key(role.org_id, role.role_id, role.revision),
        "revision": role.revision,
        "operation": operation,
        "pack_ids": list(role.pack_ids),
        "pins": [
            _present(
                {
                    "id": pin.pack_id,
                    "revision": pin.revision,
                    "version": pin.version,
                    "image_digest": pin.image_digest,
                    "follow": pin.follow or None,
                    "alias": pin.alias,
                }
            )
            for pin in role.pins.values()
        ],
        "actor": actor,
        "at": at,
    }
    return entry | ({"accepted": dict(accepted)} if accepted else {})


def _pin_to_item(pin: Pin) -> Item:
    return _present(
        {
            "org_id": pin.org_id,
            "owner": pin.owner,
            "name": pin.name,
            "version": pin.version,
            "revision": pin.revision,
            "image_ref": pin.image_ref,
            "image_digest": pin.image_digest,
            "files_digest": pin.content_digest,
            "follow": pin.follow or None,
            "alias": pin.alias,
        }
    )


def _pin(pack_id: str, item: Item) -> Pin:
    return Pin(
        pack_id=pack_id,
        org_id=item["org_id"],
        owner=item["owner"],
        name=PackName(item["name"]),
        version=Version(item["version"]),
        revision=int(item["revision"]),
        image_ref=item["image_ref"],
        image_digest=Digest(item["image_digest"]),
        content_digest=digest_attribute(item.get("files_digest")),
        follow=item.get("follow", False),
        alias=item.get("alias"),
    )


def _present(item: Item) -> Item:
    return {name: value for name, value in item.items() if value is not None}
