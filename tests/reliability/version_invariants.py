"""What must hold of published versions (decision 111): each publication is recorded, and each record is of one."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from packyard.packs.manifest.version import Version
from packyard.packs.pack import Pack
from packyard.store.keys import VERSION_PREFIX, version_key
from packyard.store.wire import Item

# What writes an image that is new to a pack. `replace` may also go back, which publishes nothing.
_PUBLISHES: Final = frozenset({"create", "upload", "clone", "reupload", "put_file", "changes"})


def version_faults(
    by_key: Mapping[tuple[str, str], Item],
    packs: Mapping[str, Pack],
    histories: Mapping[str, Sequence[Item]],
) -> Iterator[str]:
    """Yield what does not hold, in words.

    Args:
        by_key: Every item of the table.
        packs: The packs, by id.
        histories: Their histories, by id.
    """
    published: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pack_id, pack in packs.items():
        for entry in histories.get(pack_id, ()):
            key = version_key(pack.org_id, pack.name, Version(entry["version"]))
            at = key["PK"], key["SK"]
            published[at].add(entry["image_digest"])
            if entry["operation"] in _PUBLISHES and at not in by_key:
                yield f"{pack.name} {entry['version']} was published and is not recorded"
    for at, item in by_key.items():
        if not at[0].startswith(VERSION_PREFIX):
            continue
        if item["pack_id"] in packs and item["image_digest"] not in published[at]:
            yield f"{at} is recorded with an image that {item['pack_id']} never had"
        if "expires_at" in item:
            yield f"{at} is to expire"
