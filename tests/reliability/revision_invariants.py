"""What must hold between the states of images, retention policies, and their events.

An image that is withdrawn has one withdrawal more than restorations, one that is deleted has one deletion, and the last
policy that was set is the one that the pack has.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.reliability.once_per_item import once_per_item

from packyard.packs.event import Event, EventType
from packyard.store.event_items import from_item
from packyard.store.wire import Item

OF_REVISIONS: Final = frozenset(
    {EventType.REVISION_WITHDRAWN, EventType.REVISION_RESTORED, EventType.REVISION_DELETED}
)
event_of: Final = once_per_item(from_item)
_WEIGHTS: Final[dict[str, int]] = {EventType.REVISION_WITHDRAWN: 1, EventType.REVISION_RESTORED: -1}


def is_retention(event: Event) -> bool:
    """Return whether an event tells of a pack's retention policy."""
    return event.type == EventType.POLICY_UPDATED and event.data.get("policy") == "retention"


def revision_faults(items: Sequence[Item]) -> Iterator[str]:
    """Yield, in words, where events of revisions and policies differ from what is so.

    Args:
        items: The table, whole.
    """
    events = [event_of(item) for item in items if item["PK"].startswith("EVENTS#")]
    events.sort(key=lambda event: event.id)
    yield from _image_faults(items, events)
    yield from _policy_faults(items, events)


def _image_faults(items: Sequence[Item], events: Sequence[Event]) -> Iterator[str]:
    told, ended = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for event in events:
        if event.type in OF_REVISIONS:
            image = event.pack_id or "", str(event.data["image_digest"])
            told[image] += _WEIGHTS.get(event.type, 0)
            ended[image] += event.type == EventType.REVISION_DELETED
    for item in items:
        if item["SK"].startswith("IMAGE#"):
            image = item["pack_id"], item["digest"]
            if told.pop(image, 0) != ("withdrawal" in item):
                yield f"the withdrawals of {image} are other ones than its events tell"
            if ended.pop(image, 0) != (item["image_status"] == "deleted"):
                yield f"the deletion of {image} is not what its events tell"
    yield from (f"{image} is told of and has no state" for image, count in (told + ended).items() if count)


def _policy_faults(items: Sequence[Item], events: Sequence[Event]) -> Iterator[str]:
    last = {event.pack_id: event.data["keep"] for event in events if is_retention(event)}
    for item in items:
        if item["SK"] == "PACK":
            keep = item.get("keep_revisions")
            if last.get(item["id"]) != (None if keep is None else int(keep)):
                yield f"the policy of {item['id']} is not the last one that was told"
