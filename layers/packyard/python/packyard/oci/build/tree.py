"""The files and directories of a layer, in canonical order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from packyard.oci.content import Content

# What says what a pack is. No pack has both at its root.
_FIRST: Final = frozenset({"pack.yaml", "SKILL.md"})


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory; `path` is relative to the image's root, without a slash at its end."""

    path: str


class File(NamedTuple):
    """A regular file; `path` is relative to the image's root."""

    path: str
    executable: bool
    content: Content

    @property
    def mode(self) -> int:
        """Permission bits."""
        return 0o755 if self.executable else 0o644


Entry = Directory | File


def canonical_order(*, directories: Iterable[str], files: Iterable[File]) -> list[Entry]:
    """Return the entries of a layer in canonical order (API contract, section 4).

    `pack.yaml`, or the `SKILL.md` of an Agent Skill, comes first, so that a reader that needs only this file can stop
    after it. The rest is sorted by
    path, compared segment by segment as UTF-8 bytes. So a directory comes directly before its contents. Every parent
    directory has an entry, even if the archive has none for it, so two archives of the same files give the same layer.

    Args:
        directories: Relative paths without a slash at the end. Parents may be missing, and paths may be repeated.
        files: In any order. Each path occurs once and is not a directory's.
    """
    regular = list(files)
    wanted = set(directories)
    wanted.update(parents_of([*wanted, *(file.path for file in regular)]))
    return sorted([*map(Directory, wanted), *regular], key=_rank)


def leaves_in_order(*, directories: Iterable[str], files: Iterable[File]) -> list[Entry]:
    """Return files and empty directories in canonical order.

    Args:
        directories: As for `canonical_order`; those that hold something are left out.
        files: As for `canonical_order`.
    """
    return list(without_parents(sorted([*map(Directory, set(directories)), *files], key=_rank)))


def with_parents(leaves: Iterable[Entry]) -> list[Entry]:
    """Return files and empty directories with an entry for each directory that they lie in.

    Args:
        leaves: In canonical order, as is what comes of them.
    """
    entries: list[Entry] = []
    seen = {""}
    for leaf in leaves:
        if leaf.path.rpartition("/")[0] not in seen:
            missing = sorted(parents_of([leaf.path]) - seen)
            seen.update(missing)
            # What a directory holds follows it without a break, so that this is its place.
            entries += map(Directory, missing)
        entries.append(leaf)
    return entries


def without_parents(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the files and the empty directories among entries in canonical order."""
    last: Directory | None = None
    for entry in entries:
        # What a directory holds follows it without a break.
        if last is not None and not entry.path.startswith(f"{last.path}/"):
            yield last
        last = entry if isinstance(entry, Directory) else None
        if last is None:
            yield entry
    if last is not None:
        yield last


def parents_of(paths: Iterable[str]) -> set[str]:
    """Return the directories that some paths lie in, those that these lie in included."""
    found: set[str] = set()
    for parent in {path.rpartition("/")[0] for path in paths}:
        missing = parent
        while missing and missing not in found:
            found.add(missing)
            missing = missing.rpartition("/")[0]
    return found


def _rank(entry: Entry) -> str:
    """Return what compares as the path does segment by segment: no path holds a zero, which is less than all others.

    Code points compare as their UTF-8 does.
    """
    return "" if entry.path in _FIRST else entry.path.replace("/", "\0")
