"""What a dry run found that a request would do, as a document for its client (decision 93)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.top_level import MANIFEST_PATH
from packyard.packs.capabilities import compare
from packyard.packs.pack import Pack

# Of all lists of files in a document, as text. An item of the table, where a staged upload keeps it, has 400 KB.
_LISTED_CHARACTERS: Final = 48 << 10
_BLOCK: Final = 512
# What a pack has from its `pack.yaml`, by key there.
_FROM_MANIFEST: Final = (
    "version",
    "display_name",
    "description",
    "category",
    "capabilities",
    "suggested_packs",
)


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
    """

    pack: Pack
    before: Pack | None
    changed: bool
    index: FileIndex | None
    standing: FileIndex | None
    archive_bytes: int | None
    limits: ArchiveLimits

    def document(self) -> Mapping[str, Any]:
        """Return it as JSON; fields that do not apply are absent."""
        kind = "unchanged" if not self.changed else "created" if self.before is None else "changed"
        compared = self.before is not None
        document = {
            "dry_run": True,
            "outcome": kind,
            "pack": _pack(self.pack, stands=compared),
            "from": _pack(self.before, stands=True) if self.before is not None and self.changed else None,
            "files": self._files(),
            "manifest": self._manifest() if compared else None,
            "capabilities": self._capabilities(),
            "limits": self._used(),
        }
        return {name: value for name, value in document.items() if value is not None}

    def _capabilities(self) -> Mapping[str, Any] | None:
        """Return whether their text changes, and how what they allow differs (API contract, sections 7 and 11)."""
        if self.before is None:
            return None
        difference = compare(self.before.capabilities, self.pack.capabilities)
        return {"changed": self._differs("capabilities"), **difference.shown()}

    def _differs(self, name: str) -> bool:
        return self.before is not None and getattr(self.before, name) != getattr(self.pack, name)

    def _manifest(self) -> Sequence[str]:
        return [name for name in _FROM_MANIFEST if self._differs(name)]

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
        old = {file.path: file for file in (self.standing.files if self.standing is not None else ())}
        new = {file.path: file for file in self.index.files}
        added = [path for path in new if path not in old]
        removed = [path for path in old if path not in new]
        changed = [
            (old[path], file) for path, file in new.items() if path in old and _differ(old[path], file)
        ]
        room = _Room(_LISTED_CHARACTERS)
        return {
            "counts": {"added": len(added), "removed": len(removed), "changed": len(changed)},
            "added": room.listed(added),
            "removed": room.listed(removed),
            "changed": room.listed([_change(*pair) for pair in changed]),
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


def _differ(old: IndexedFile, new: IndexedFile) -> bool:
    return (old.sha256, old.mode) != (new.sha256, new.mode)


def _change(old: IndexedFile, new: IndexedFile) -> Mapping[str, Any]:
    return {"path": new.path, "from": _file(old), "to": _file(new)}


def _file(file: IndexedFile) -> Mapping[str, Any]:
    return {"size": file.size, "digest": f"sha256:{file.sha256}", "mode": f"{file.mode:04o}"}


def _directories(paths: Sequence[str], empty: Sequence[str]) -> set[str]:
    """Return every directory that some paths are in, and the empty ones."""
    found = set(empty)
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found
