"""The refusals of images that are withdrawn or deleted (API contract, section 7)."""

from collections.abc import Mapping
from typing import Any

from packyard.errors import RevisionWithdrawn
from packyard.packs.image_state import ImageState, ImageStatus
from packyard.packs.pack import Pack
from packyard.packs.role import Pin


def published_before(state: ImageState) -> RevisionWithdrawn:
    """Return the refusal of a change by which a pack would get an image that is withdrawn or deleted."""
    revision = _revision_of(state)
    shown = _shown(state)
    helps = (
        f"or restore it with DELETE /packs/{{id}}/revisions/{revision}/withdrawal"
        if shown is ImageStatus.WITHDRAWN
        else "since nothing brings it back"
    )
    return RevisionWithdrawn(
        f"The pack would get the image of its revision {revision} again, which was {shown}. Publish other content, "
        f"{helps}.",
        [_named(state.pack_id, revision, shown)],
    )


def current_is_withdrawn(pack: Pack) -> RevisionWithdrawn:
    """Return the refusal of a request for the image that a pack of the caller has, and that is withdrawn."""
    return RevisionWithdrawn(
        f"{pack.id} has this content already, and it was withdrawn. Publish other content, or restore it with DELETE "
        f"/packs/{pack.id}/revisions/{pack.revision}/withdrawal.",
        [_named(pack.id, pack.revision, ImageStatus.WITHDRAWN)],
    )


def not_cloned(pack: Pack) -> RevisionWithdrawn:
    """Return the refusal to clone a pack whose image is withdrawn."""
    return RevisionWithdrawn(
        f"The owner of {pack.id} has withdrawn its revision {pack.revision}. The pack can be cloned again when it has "
        "another revision.",
        [_named(pack.id, pack.revision, ImageStatus.WITHDRAWN)],
    )


def not_pinned(pins: Mapping[str, Pin], states: Mapping[str, ImageState]) -> RevisionWithdrawn:
    """Return the refusal to pin images that are withdrawn or deleted.

    Args:
        pins: By pack: where it was to be pinned.
        states: By pack: the state of that image.
    """
    named = [
        _named(pack_id, pins[pack_id].revision, _shown(state)) for pack_id, state in sorted(states.items())
    ]
    which = ", ".join(f"revision {one['revision']} of {one['pack_id']} was {one['status']}" for one in named)
    return RevisionWithdrawn(
        f"Revisions that were withdrawn or deleted cannot be pinned: {which}. Pin another revision, as in "
        '{"packs": [{"id": "pack_…", "revision": 1}]}, or leave these packs out; pins that stay where they are keep '
        "working.",
        named,
    )


def _shown(state: ImageState) -> ImageStatus:
    """Return what a refusal calls a state. An image that is looked at for its deletion counts as withdrawn."""
    return ImageStatus.DELETED if state.is_gone else ImageStatus.WITHDRAWN


def _revision_of(state: ImageState) -> int:
    about = state.withdrawal or state.removal
    if about is None:
        raise AssertionError("an image that cannot be used was withdrawn or deleted")
    return about.revision


def _named(pack_id: str, revision: int, status: ImageStatus) -> dict[str, Any]:
    return {"pack_id": pack_id, "revision": revision, "status": status.value}
