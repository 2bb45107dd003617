"""Which content each version of a name has: one small item for each version that was published, kept for good.

Each write that publishes an image also writes the item of its version, in the same transaction. Under the policy
`immutable` that write has a condition, so that of two publishers of one version with different contents, one is
refused. The items stay when a pack is deleted: the policy is about the name (API contract, section 7).

Contents are compared by `content_digest` where both have one, and by the image's digest otherwise. Where a version was
published with several contents, before there was a policy, the last one counts.
"""

from dataclasses import dataclass
from typing import Any

from packyard.oci.digest import Digest
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import version_key, versions_partition
from packyard.store.table import Item, Query, Table, Update
from packyard.tenants.version_policy import VersionPolicy


class VersionHeld(Exception):
    """The version was published under this name with another content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    """A version that was published.

    Attributes:
        version: The version.
        pack_id: The pack that it was published as; that pack may be deleted.
        image_digest: Of its image.
        content_digest: What names its files; None if they were not read.
    """

    version: Version
    pack_id: str
    image_digest: Digest
    content_digest: Digest | None


def same_content(there: "Pack | PublishedVersion", wanted: Pack) -> bool:
    """Return whether a pack has the content of another one, or of what was published."""
    same_files = there.content_digest is not None and there.content_digest == wanted.content_digest
    return same_files or there.image_digest == wanted.image_digest


class PublishedVersions:
    """The versions that were published.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def find(self, pack: Pack) -> PublishedVersion | None:
        """Return what was published under a pack's name as its version; None if nothing was. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(version_key(pack.org_id, pack.name, pack.version))
        return None if item is None else _from_item(item)

    def highest(self, *, org_id: str, name: str) -> PublishedVersion | None:
        """Return the highest version that was published under a name; None if none was. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        page = self._table.query(
            Query(
                condition="PK = :partition",
                values={":partition": versions_partition(org_id, name)},
                limit=1,
                backwards=True,
            )
        )
        return _from_item(page.items[0]) if page.items else None


def publication(pack: Pack, policy: VersionPolicy) -> Update:
    """Return the action that records a pack's version, for the transaction that writes the pack.

    Args:
        pack: The pack as it is written.
        policy: The policy. Under `immutable`, the action fails if the version was published with another content.
    """
    values: dict[str, Any] = {
        ":version": pack.version,
        ":pack_id": pack.id,
        ":image": pack.image_digest,
        ":at": format_timestamp(pack.updated_at),
    }
    change = "SET version = :version, pack_id = :pack_id, image_digest = :image, published_at = :at"
    same = "image_digest = :image"
    if pack.content_digest is None:
        change += " REMOVE files_digest"
    else:
        values[":files"] = pack.content_digest
        change += ", files_digest = :files"
        same += " OR files_digest = :files"
    immutable = policy is VersionPolicy.IMMUTABLE
    return Update(
        key=version_key(pack.org_id, pack.name, pack.version),
        change=change,
        condition=f"attribute_not_exists(PK) OR {same if immutable else 'attribute_exists(PK)'}",
        values=values,
    )


def _from_item(item: Item) -> PublishedVersion:
    files = item.get("files_digest")
    return PublishedVersion(
        version=Version(item["version"]),
        pack_id=item["pack_id"],
        image_digest=Digest(item["image_digest"]),
        content_digest=None if files is None else Digest(files),
    )
