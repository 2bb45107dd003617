"""Changing many files of a pack at once: which paths a change may name, and which the pack has after it.

A change names each path once (decision 78). What it would do to a path that it both deletes and writes would depend on
the order, which a request does not have.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.archive.faults import MAX_REPORTED
from packyard.packs.archive.member_path import shown
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.manifest.root_file import MANIFEST_PATH

# More files are deleted by their folder.
MAX_DELETIONS: Final = 1000
# No path of an image that can be unpacked on Linux is longer (PATH_MAX).
_MAX_PATH_BYTES: Final = 4096
_TOO_LONG: Final = f"is over {_MAX_PATH_BYTES} bytes, which no path in a pack is"

_NO_PATH: Final = (
    "names no path; write one as GET /packs/{id}/files lists it, and a slash at the end of a folder"
)
_MANIFEST: Final = "a pack must have it; to replace it, put another one into the archive"
_TWICE: Final = "is given more than once; give it once"
_NOT_THERE: Final = "is not in the pack; GET /packs/{id}/files lists its files"


@dataclass(frozen=True, slots=True)
class ChangedPaths:
    """What a change does to the paths of a pack, apart from the files that it writes.

    Attributes:
        deleted: The files that it deletes.
        directories: The directories of the pack after it. Those that contain files may be missing.
    """

    deleted: frozenset[str]
    directories: tuple[str, ...]


def check_deletions(deletions: Sequence[str]) -> None:
    """Check paths to delete by themselves, whatever the pack has.

    Args:
        deletions: The paths. One that ends in a slash is a folder, with everything in it.

    Raises:
        InvalidRequest: On `delete:<path>`: a path is given twice, is in a folder that is given too, is empty, or is
            that of the manifest, or is over 4,096 bytes. At most 100 faults.
    """
    _require_none({_field(path): _TOO_LONG for path in deletions if len(path.encode()) > _MAX_PATH_BYTES})
    folders = _folders(deletions)
    seen: set[str] = set()
    faults = {}
    for path in deletions:
        if path in seen:
            faults[_field(path)] = _TWICE
        elif not path.removesuffix("/"):
            faults[_field(path)] = _NO_PATH
        elif path == MANIFEST_PATH:
            faults[_field(path)] = _MANIFEST
        elif (folder := _folder_of(path, folders)) is not None:
            faults[_field(path)] = f"is in {_shown(folder)}/, which the change deletes too; name one of them"
        seen.add(path)
    _require_none(faults)


def changed_paths(  # noqa: PLR0913 - by name: what the pack has, and what the change names
    *,
    files: Collection[str],
    directories: Collection[str],
    deletions: Sequence[str],
    written: Sequence[str],
    new_directories: Sequence[str],
    field: Callable[[str], str],
) -> ChangedPaths:
    """Check the paths of a change, and return what it does to those of the pack.

    Args:
        files: The paths of the pack's files.
        directories: The paths of its empty directories.
        deletions: The paths to delete, as `check_deletions` accepts them.
        written: The paths of the files to add or replace, each once.
        new_directories: The directories to add, without those that contain files of `written`.
        field: Returns the name of the request's field for a path of `written` or `new_directories`.

    Raises:
        InvalidRequest: On `delete:<path>` or on what `field` returns: a path is named twice, or is not in the pack, or
            cannot be beside the pack's other paths. At most 100 faults.
    """
    named = frozenset(deletions)
    folders = _folders(deletions)
    deleted = frozenset(file for file in files if file in named or _is_in(folders, file))
    kept_directories = [path for path in directories if path not in folders and not _is_in(folders, path)]
    faults = {
        **_absent_paths(deletions, files=files, directories=directories),
        **_overlaps(named, folders, written, new_directories, field),
    }
    if not faults:
        gone = {*deleted, *written}
        faults = _misplaced(
            files=(file for file in files if file not in gone),
            directories=kept_directories,
            written=written,
            new_directories=new_directories,
            field=field,
        )
    _require_none(faults)
    return ChangedPaths(deleted, tuple({*kept_directories, *new_directories}))


def _absent_paths(
    deletions: Sequence[str], *, files: Collection[str], directories: Collection[str]
) -> dict[str, str]:
    known_files = set(files)
    folders = {*directories, *(parent for path in (*files, *directories) for parent in _ancestors(path))}
    absent = [
        path
        for path in deletions
        if (path.removesuffix("/") not in folders if path.endswith("/") else path not in known_files)
    ]
    if not absent:
        return {}
    normal = {unicodedata.normalize("NFC", file) for file in files if not file.isascii()}
    return {_field(path): _absent(path, known_files, folders, normal) for path in absent[:MAX_REPORTED]}


def _absent(
    path: str, files: Collection[str], directories: Collection[str], normal_files: Collection[str]
) -> str:
    """Return why a path cannot be deleted: what the pack has instead, if a mistake explains it."""
    plain = path.removesuffix("/")
    if path.endswith("/") and plain in files:
        return f"is a file; write {_shown(plain)}, without the slash at its end"
    if plain in directories:
        return f"is a folder; write {_shown(plain)}/ to delete it with everything in it"
    clean = "/".join(segment for segment in plain.split("/") if segment not in ("", "."))
    if clean != plain and clean in (directories if path.endswith("/") else files):
        return f"has an empty or '.' segment; write {_shown(clean)}{path[len(plain) :]}"
    if unicodedata.normalize("NFC", plain) in normal_files:
        return "is in the pack in another Unicode spelling; take the path from GET /packs/{id}/files"
    return _NOT_THERE


def _overlaps(
    named: Collection[str],
    folders: Collection[str],
    written: Sequence[str],
    new_directories: Sequence[str],
    field: Callable[[str], str],
) -> dict[str, str]:
    faults = {}
    for path in new_directories:
        if path in folders:
            faults[field(path)] = "is deleted by the same change; name it once"
        elif (folder := _folder_of(path, folders)) is not None:
            faults[field(path)] = f"is in {_shown(folder)}/, which the same change deletes; name one of them"
    for path in written:
        if path in named:
            faults[field(path)] = "is deleted by the same change; leave it out there to replace the file"
        elif (folder := _folder_of(path, folders)) is not None:
            faults[field(path)] = (
                f"is in {_shown(folder)}/, which the same change deletes; delete that folder's other files by path"
            )
    return faults


def _misplaced(
    *,
    files: Iterable[str],
    directories: Iterable[str],
    written: Iterable[str],
    new_directories: Iterable[str],
    field: Callable[[str], str],
) -> dict[str, str]:
    tree = PathTree()
    there = [*((path, True) for path in directories), *((path, False) for path in files)]
    for path, is_directory in there:
        # An image that others have built may have paths that exclude each other.
        with suppress(ValueError):
            tree.add(path, directory=is_directory)
    faults = {}
    new = [*((path, True) for path in new_directories), *((path, False) for path in written)]
    for path, is_directory in new:
        try:
            tree.add(path, directory=is_directory)
        except ValueError as error:
            faults[field(path)] = str(error)
    return faults


def _is_in(folders: Collection[str], path: str) -> bool:
    return _folder_of(path, folders) is not None


def _folder_of(path: str, folders: Collection[str]) -> str | None:
    """Return the folder that a path is in, if it is one of `folders`; a folder is not in itself."""
    return next((parent for parent in _ancestors(path.removesuffix("/")) if parent in folders), None)


def _ancestors(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _folders(deletions: Sequence[str]) -> set[str]:
    return {path.removesuffix("/") for path in deletions if path.endswith("/")}


def _require_none(faults: Mapping[str, str]) -> None:
    if faults:
        raise InvalidRequest(dict(list(faults.items())[:MAX_REPORTED]))


def _field(path: str) -> str:
    return f"delete:{_shown(path)}"


def _shown(path: str) -> str:
    return shown(path.encode())
