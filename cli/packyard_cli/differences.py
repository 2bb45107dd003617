"""What differs between two sets of files."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from packyard_cli.archive import HashedFile
from packyard_cli.result import size_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What has to happen to one set of files to make it the other.

    Attributes:
        added: Files that only the new set has.
        removed: Files that only the old set has.
        changed: Pairs of the old and the new file, where content or mode differs.
    """

    added: tuple[HashedFile, ...]
    removed: tuple[HashedFile, ...]
    changed: tuple[tuple[HashedFile, HashedFile], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def view(self) -> dict[str, Any]:
        """Return the difference as JSON, in the shape of `GET /packs/{id}/diff`."""
        return {
            "added": [file_view(file) for file in self.added],
            "removed": [file_view(file) for file in self.removed],
            "changed": [
                {"path": new.path, "from": _content_view(old), "to": _content_view(new)}
                for old, new in self.changed
            ],
        }

    def lines(self) -> list[str]:
        """Return the difference as lines for people."""
        return [
            *(f"+ {file.path} ({size_text(file.size)})" for file in self.added),
            *(f"- {file.path}" for file in self.removed),
            *(f"~ {new.path} ({_how(old, new)})" for old, new in self.changed),
        ]


def compare(old: Iterable[HashedFile], new: Iterable[HashedFile]) -> Difference:
    """Return what differs between two sets of files."""
    before = {file.path: file for file in old}
    after = {file.path: file for file in new}
    return Difference(
        added=tuple(file for path, file in sorted(after.items()) if path not in before),
        removed=tuple(file for path, file in sorted(before.items()) if path not in after),
        changed=tuple(
            (before[path], file)
            for path, file in sorted(after.items())
            if path in before and (before[path].sha256, before[path].mode) != (file.sha256, file.mode)
        ),
    )


def file_view(file: HashedFile) -> dict[str, Any]:
    """Return a file as JSON, as the service lists it."""
    return {"path": file.path, **_content_view(file)}


def _content_view(file: HashedFile) -> dict[str, Any]:
    return {"size": file.size, "mode": f"{file.mode:04o}", "digest": f"sha256:{file.sha256}"}


def _how(old: HashedFile, new: HashedFile) -> str:
    mode = "" if old.mode == new.mode else "now executable" if new.mode & 0o111 else "no longer executable"
    if old.sha256 == new.sha256:
        return mode
    size = f"{size_text(old.size)} to {size_text(new.size)}"
    return f"{size}, {mode}" if mode else size
