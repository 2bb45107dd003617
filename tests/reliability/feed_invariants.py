"""What has to be true of feeds and of trusted publishers, whose numbers are items: each is counted and told once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from packyard.packs.event import EventType
from packyard.store.event_items import from_item
from packyard.store.wire import Item

Fact = tuple[str, str, int, str]

OF_FEEDS: Final = frozenset({EventType.FEED_CREATED, EventType.FEED_REMOVED, EventType.FEED_SHARED})
_SHARED_BY: Final = "feeds"


def feeds_told(items: Sequence[Item]) -> Iterator[Fact]:
    """Yield what events say of feeds that are still there."""
    there = {item["id"] for item in counted(items, "FEEDS#")}
    for item in items:
        if item["PK"].startswith("EVENTS#"):
            event = from_item(item)
            if event.type in OF_FEEDS and event.data["feed_id"] in there:
                yield _of_feed(event.type, event.org_id, event.data["feed_id"], event.actor)


def feeds_written(items: Sequence[Item]) -> Iterator[tuple[Fact, str | None]]:
    """Yield the feeds that are there, with when they were made, and the days on which they seemed to be shared."""
    days = Counter(item["PK"] for item in items if item["SK"].startswith("USE#") and "told" in item)
    for item in counted(items, "FEEDS#"):
        made = _of_feed(EventType.FEED_CREATED, item["org_id"], item["id"], item["created_by"])
        yield made, item["created_at"]
        shared = _of_feed(EventType.FEED_SHARED, item["org_id"], item["id"], _SHARED_BY)
        yield from [(shared, None)] * days[f"FEED#{item['secret_hash']}"]


def counted(items: Sequence[Item], start: str) -> list[Item]:
    """Return the items of which there is a number, in partitions of a kind."""
    return [item for item in items if item["PK"].startswith(start) and item["SK"] != "COUNT"]


def miscounted(items: Sequence[Item]) -> Iterator[str]:
    """Yield where the number of trusted publishers or of feeds is not what there is, or a feed is in one place only."""
    feeds = counted(items, "FEEDS#")
    there = Counter(f"{item['PK']}#count" for item in [*feeds, *counted(items, "PUBLISHERS#")])
    stated = {
        item["PK"]: int(item.get("publishers", item.get("feeds", 0)))
        for item in items
        if item["SK"] == "COUNT"
    }
    for partition in there.keys() | stated.keys():
        if there[partition] != stated.get(partition, 0):
            yield f"{partition} says {stated.get(partition)}, and there are {there[partition]}"
    addresses = {item["secret_hash"] for item in items if item["SK"] == "FEED"}
    for secret_hash in addresses ^ {item["secret_hash"] for item in feeds}:
        yield f"the feed of {secret_hash} is in one place only"


def _of_feed(kind: str, org_id: str, feed_id: str, actor: str) -> Fact:
    return str(kind), f"{org_id} {feed_id}", 0, actor
