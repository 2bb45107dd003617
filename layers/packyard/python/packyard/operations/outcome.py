"""What a dry run found that a request would do, as a document for its client (decision 93)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.read.file_index import FileIndex
from packyard.oci.read.index_lines import file_difference
from packyard.operations.file_views import change_view
from packyard.operations.pack_content import changed_keys
from packyard.operations.scan_views import result_view
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.capabilities import compare
from packyard.packs.manifest.root_file import MANIFEST_PATH
from packyard.packs.pack import Pack
from packyard.scanning.result import ScanResult

# Of all lists of files in a document, as text. An item of the table, where a staged upload keeps it, has 400 KB.
_LISTED_CHARACTERS: Final = 48 << 10
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a request would do.

    Attributes:
        pack: The pack as it would be.
        before: The pack that stands; None if there is none.
        changed: Whether anything would be written.
        index: The files that the pack would have; None if they are not known.
        standing: The files of the pack that stands; None if they are not known, or no pack stands.
        archive_bytes: The size of the archive; None if the request has none.
        limits: Bounds on a pack.
        scan: The result of scanning its new files; None if nothing was scanned.
        warnings: What breaks the specification of Agent Skills in what was sent.
    """

    pack: Pack
    before: Pack | None
    changed: bool
    index: FileIndex | None
    standing: FileIndex | None
    archive_bytes: int | None
    limits: ArchiveLimits
    scan: ScanResult | None = None
    warnings: Sequence[str] = ()

    def document(self) -> Mapping[str, Any]:
        """Return it as JSON; fields that do not apply are absent."""
        kind = "unchanged" if not self.changed else "created" if self.before is None else "changed"
        document = {
            "dry_run": True,
            "outcome": kind,
            "pack": _pack(self.pack, stands=self.before is not None),
            "from": _pack(self.before, stands=True) if self.before is not None and self.changed else None,
            "files": self._files(),
            "manifest": changed_keys(self.before, self.pack) if self.before is not None else None,
            "capabilities": self._capabilities(),
            "limits": self._used(),
            "scan": self._scanned(),
            "warnings": list(self.warnings) or None,
        }
        return {name: value for name, value in document.items() if value is not None}

    def _scanned(self) -> Mapping[str, Any] | None:
        """Return the result of the scan, with as many findings as there is room for."""
        if self.scan is None:
            return None
        view = result_view(self.scan)
        listed = _Room(_LISTED_CHARACTERS).listed(view["findings"])
        left_off = self.scan.left_off + len(self.scan.findings) - len(listed)
        return {**view, "findings": listed} | ({"left_off": left_off} if left_off else {})

    def _capabilities(self) -> Mapping[str, Any] | None:
        """Return whether their text changes, and how what they allow differs (API contract, sections 7 and 11)."""
        if self.before is None:
            return None
        difference = compare(self.before.capabilities, self.pack.capabilities)
        return {"changed": self.before.capabilities != self.pack.capabilities, **difference.shown()}

    def _files(self) -> Mapping[str, Any] | None:
        if not self.changed:
            return {
                "counts": {"added": 0, "removed": 0, "changed": 0},
                "added": [],
                "removed": [],
                "changed": [],
            }
        if self.index is None or (self.before is not None and self.standing is None):
            return None
        found = file_difference(self.standing.files if self.standing is not None else (), self.index.files)
        counted = {"added": found.added, "removed": found.removed, "changed": found.changed}
        room = _Room(_LISTED_CHARACTERS)
        return {
            "counts": {name: len(files) for name, files in counted.items()},
            "added": room.listed([file.path for file in found.added]),
            "removed": room.listed([file.path for file in found.removed]),
            "changed": room.listed([change_view(*pair) for pair in found.changed]),
        }

    def _used(self) -> Mapping[str, Any] | None:
        """Return each limit and what of it the pack would use."""
        if self.index is None:
            return None
        files, limits = self.index.files, self.limits
        paths = [*(file.path for file in files), *self.index.directories]
        members = len(files) + len(_directories(paths, self.index.directories))
        used = {
            "compressed_bytes": self.archive_bytes,
            # As a tar: a header for each member, contents in whole blocks, and the end.
            "unpacked_bytes": _BLOCK * (members + 2)
            + sum(-(-file.size // _BLOCK) * _BLOCK for file in files),
            "members": members,
            "path_bytes": max(len(path.encode()) for path in paths),
            "path_depth": max(path.count("/") + 1 for path in paths),
            # Of a SKILL.md, only the frontmatter is limited.
            "manifest_bytes": next((file.size for file in files if file.path == MANIFEST_PATH), None),
        }
        return {
            name: {"used": value, "limit": getattr(limits, name)}
            for name, value in used.items()
            if value is not None
        }


class _Room:
    """What is left for lists."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def listed(self, entries: Sequence[Any]) -> Sequence[Any]:
        """Return as many entries, from the first on, as there is room for."""
        listed = []
        for entry in entries:
            self._left -= len(str(entry))
            if self._left < 0:
                break
            listed.append(entry)
        return listed


def _pack(pack: Pack, *, stands: bool) -> Mapping[str, Any]:
    described = {
        # A pack that would be made has neither yet.
        "id": pack.id if stands else None,
        "revision": pack.revision if stands else None,
        "name": pack.name,
        "version": pack.version,
        "visibility": pack.visibility.value,
        "image_ref": pack.image_ref,
        "image_digest": pack.image_digest,
        "content_digest": pack.content_digest,
        "size_bytes": pack.size_bytes,
    }
    return {name: value for name, value in described.items() if value is not None}


def _directories(paths: Sequence[str], empty: Sequence[str]) -> set[str]:
    """Return every directory that some paths are in, and the empty ones."""
    found = set(empty)
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found
