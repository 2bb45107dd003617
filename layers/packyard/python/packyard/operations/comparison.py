"""What differs between two revisions of a pack (API contract, section 7).

Two rows of the history and two file indexes are read, and no content. Only caches are written, as by any read of files.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from packyard.errors import InvalidRequest
from packyard.oci.read.index_lines import (
    FileDifference,
    StatedFile,
    line_difference,
    lines_of,
)
from packyard.operations.image_files import ImageFiles
from packyard.operations.pack_at import packs_at
from packyard.operations.pack_content import changed_keys
from packyard.packs.capabilities import Difference, compare
from packyard.packs.pack import Pack
from packyard.packs.version_step import Bump, least_step
from packyard.store.pack_revisions import PackRevisions
from packyard.tenants.caller import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two revisions of a pack.

    Attributes:
        before: The pack at the one revision.
        after: The pack at the other one.
        files: What differs between their files; None if these are not known.
        unknown: Why the files are not known; empty if they are.
        capabilities: What differs between the requests that they allow.
    """

    before: Pack
    after: Pack
    files: FileDifference[StatedFile] | None
    unknown: str
    capabilities: Difference

    @property
    def manifest(self) -> list[str]:
        """The keys of `pack.yaml` whose values differ."""
        return changed_keys(self.before, self.after)

    @property
    def bump(self) -> Bump | None:
        """The least step of the version that fits; None if that depends on files that are not known."""
        widened = self.capabilities.widened
        if self.files is None:
            return Bump.MAJOR if widened else None
        return least_step(
            widened=widened,
            removed=bool(self.files.removed),
            added=bool(self.files.added),
            changed=bool(self.files.changed or self.manifest),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackComparer:
    """Compares revisions of packs.

    Attributes:
        packs: The packs, with their histories.
        images: Their images.
    """

    packs: PackRevisions
    images: ImageFiles

    def compare(self, pack_id: str, before: int, after: int | None, *, caller: Caller) -> Comparison:
        """Compare two revisions of a pack that the caller can see.

        Args:
            pack_id: The pack, as the client names it.
            before: The one revision.
            after: The other one, earlier or later; None for the present one.
            caller: Who asks.

        Raises:
            PackNotFound: There is no such pack that the caller can see.
            RevisionNotFound: It has no such revision that the caller can see.
            InvalidRequest: On `from` or `to`: the revision was written before revisions had their whole pack.
            RegistryUnavailable: An index has to be made again, and the image's registry did not answer in time.
            ServiceUnavailable: A backing service did not answer.
        """
        found = packs_at(pack_id, {"from": before, "to": after}, caller=caller, packs=self.packs)
        old, new = found["from"], found["to"]
        files, unknown = None, ""
        try:
            files = self._files(old, new, org_id=caller.org_id)
        except _Unreadable as unreadable:
            unknown = str(unreadable)
        return Comparison(
            before=old,
            after=new,
            files=files,
            unknown=unknown,
            capabilities=compare(old.capabilities, new.capabilities),
        )

    def _files(self, old: Pack, new: Pack, *, org_id: str) -> FileDifference[StatedFile]:
        if _has_same_files(old, new):
            return FileDifference()
        with ThreadPoolExecutor(2) as pool:
            before, after = pool.map(lambda pack: self.images.kept_lines(pack, org_id=org_id), (old, new))
        if before is not None and after is not None:
            try:
                return line_difference(before, after)
            except ValueError:
                before = after = None
        # One after the other, since each may need much memory.
        before = before or lines_of(self._index(old, org_id))
        after = after or lines_of(self._index(new, org_id))
        return line_difference(before, after)

    def _index(self, pack: Pack, org_id: str) -> Any:
        try:
            return self.images.read_index(pack, org_id=org_id)
        except InvalidRequest as refusal:
            raise _Unreadable(pack.revision, refusal.fields["id"]) from refusal


class _Unreadable(Exception):
    """The files of a revision cannot be listed.

    Args:
        revision: The revision.
        reason: What is wrong with its image.
    """

    def __init__(self, revision: int, reason: str) -> None:
        super().__init__(f"The files of revision {revision} cannot be listed: {reason}.")


def _has_same_files(old: Pack, new: Pack) -> bool:
    if old.image_digest == new.image_digest:
        return True
    return old.content_digest is not None and old.content_digest == new.content_digest
