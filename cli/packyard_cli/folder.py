"""A pack's folder on this machine, checked by the service's rules (API contract, section 3).

The service checks archives. A folder has what an archive has not: links, and files that are only there for the author.
So this module walks the folder, and asks the service's own modules about each name, the root's entries, `pack.yaml` or
`SKILL.md`, and the limits.
"""

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packyard.errors import InvalidRequest
from packyard.oci.build.header_writer import end_of_archive, file_member_size
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path, shown
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.top_level import top_level_fault
from packyard.packs.manifest.root_file import MANIFEST_PATH, ROOT_FILES, SKILL_PATH, root_file_among
from packyard_cli.failure import Exit, Failure
from packyard_cli.windows_names import windows_fault

if TYPE_CHECKING:
    from packyard.packs.manifest.pack_manifest import Manifest

IGNORE_FILE: Final = ".packyardignore"
# What belongs to version control at the root; `tar --exclude-vcs` leaves it out as well.
_VERSION_CONTROL: Final = frozenset(
    {".git", ".gitignore", ".gitattributes", ".gitmodules", ".hg", ".hgignore", ".svn", ".bzr", IGNORE_FILE}
)
_PLACE: Final = re.compile(r"line (?P<line>\d+)(?:, column (?P<column>\d+))?: ")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a folder that the service would refuse.

    Attributes:
        path: Of the file, relative to the pack's root; `.` for the pack as a whole.
        message: What is wrong, and what helps.
        field: The field that the service's refusal would name.
        line: In the file, from 1; None where it is about the file as a whole.
        column: Likewise.
    """

    path: str
    message: str
    field: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = "".join(f":{number}" for number in (self.line, self.column) if number is not None)
        return f"{self.path}{place}: {self.message}"

    def view(self) -> dict[str, str | int]:
        """Return the fault as JSON."""
        fields = {"path": self.path, "line": self.line, "column": self.column}
        fields |= {"field": self.field, "message": self.message}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file of the pack.

    Attributes:
        path: Relative to the pack's root, with slashes.
        location: Where it is; no Path, since there may be thousands.
        size: Bytes.
        executable: Whether it is executable; on Windows, whether it begins with `#!`.
    """

    path: str
    location: str
    size: int
    executable: bool

    @property
    def mode(self) -> int:
        """The mode that it has in the pack."""
        return 0o755 if self.executable else 0o644


@dataclass(slots=True)
class PackFolder:
    """What was found in a folder.

    Attributes:
        root: The folder.
        files: In the order of their paths.
        faults: What the service would refuse.
        warnings: What it would take, and what may surprise.
        left_out: How many entries the author asked to leave out, or are litter.
    """

    root: Path
    files: list[LocalFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    left_out: int = 0

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def root_file(self) -> str | None:
        """The path of the file that says what the pack is, `pack.yaml` or `SKILL.md`; None if there is none."""
        paths = {file.path for file in self.files if "/" not in file.path}
        return root_file_among(paths.__contains__)

    def manifest_content(self) -> bytes | None:
        """Return the bytes of that file; None if there is none."""
        return next(
            (Path(file.location).read_bytes() for file in self.files if file.path == self.root_file), None
        )

    def manifest(self, *, limits: ArchiveLimits) -> "Manifest | None":
        """Return what that file says; None if there is none.

        Raises:
            InvalidRequest: It is not valid.
        """
        # Imported here because YAML takes long to load.
        from packyard.packs.manifest.root_file import parse_root_file  # noqa: PLC0415

        content, path = self.manifest_content(), self.root_file
        if content is None or path is None:
            return None
        folder = self.root.resolve().name or None
        return parse_root_file(path, content, max_bytes=limits.manifest_bytes, folder=folder)


def read_folder(
    root: Path,
    *,
    exclude: Sequence[str] = (),
    limits: ArchiveLimits | None = None,
    windows: bool = os.name == "nt",
) -> PackFolder:
    """Return the files of a pack's folder, and what is wrong with them, `pack.yaml`'s content aside.

    Args:
        root: The folder.
        exclude: Patterns of what to leave out, beside those in `.packyardignore`.
        limits: The limits of an archive; the contract's by default.
        windows: Whether the file system keeps no execute bits.

    Raises:
        Failure: There is no such folder.
        OSError: Something cannot be read.
    """
    if not root.is_dir():
        raise Failure(
            Exit.USAGE,
            f"There is no folder {root}.",
            f"Name the folder that has the pack.yaml or {SKILL_PATH}.",
        )
    walk = _Walk(root, limits or ArchiveLimits(), (*_patterns_of(root), *exclude), windows=windows)
    walk.enter("", os.fspath(root))
    walk.finish()
    return walk.found


class _Walk:
    def __init__(self, root: Path, limits: ArchiveLimits, patterns: Sequence[str], *, windows: bool) -> None:
        self.found = PackFolder(root)
        self._limits = limits
        self._patterns = patterns
        self._windows = windows
        self._tree = PathTree()
        # What decides which entries may be at the root.
        self._root_file = root_file_among(self._kept_at_root(root).__contains__) or MANIFEST_PATH

    def _kept_at_root(self, root: Path) -> set[str]:
        # By the names that are there, because a file system may find SKILL.md by skill.md.
        return {entry.name for entry in os.scandir(root) if not self._is_left_out(entry.name, entry)}

    def enter(self, prefix: str, folder: str) -> None:
        """Look at everything in a folder, in the order of names."""
        for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
            path = prefix + entry.name
            if self._is_left_out(path, entry):
                self.found.left_out += 1
            elif fault := (None if prefix else self._fault_at_root(entry)) or self._fault_of(path, entry):
                self._refuse(path, fault)
            else:
                self._take(path, entry)

    def finish(self) -> None:
        """Check what depends on all files."""
        found, limits = self.found, self._limits
        found.files.sort(key=lambda file: (file.path not in ROOT_FILES, file.path.split("/")))
        if found.root_file is None and not any(fault.path == self._root_file for fault in found.faults):
            message = "is required at the root of the pack; packyard init makes one"
            found.faults.append(Fault(MANIFEST_PATH, message, MANIFEST_PATH))
        unpacked = len(end_of_archive()) + sum(file_member_size(file.path, file.size) for file in found.files)
        for what, there, most in (
            ("bytes with tar's headers", unpacked, limits.unpacked_bytes),
            ("files", len(found.files), limits.members),
        ):
            if there > most:
                message = f"the pack has {there} {what}, and {most} is the most; make several packs of it"
                found.faults.append(Fault(".", message, "archive"))

    def _is_left_out(self, path: str, entry: os.DirEntry[str]) -> bool:
        if is_litter(path) or path in _VERSION_CONTROL:
            return True
        for pattern in self._patterns:
            plain = pattern.rstrip("/")
            if plain != pattern and not entry.is_dir(follow_symlinks=False):
                continue
            subject = path if "/" in plain else path.rpartition("/")[2]
            if fnmatch.fnmatchcase(subject, plain.removeprefix("/")):
                return True
        return False

    def _fault_at_root(self, entry: os.DirEntry[str]) -> str | None:
        if self._root_file == SKILL_PATH:
            return None
        fault = top_level_fault(entry.name, directory=entry.is_dir(), archived=False)
        if fault is None or "leave it out" not in fault:
            return fault
        return f"{fault} (a line {shown(os.fsencode(entry.name))} in {IGNORE_FILE}, or --exclude)"

    def _fault_of(self, path: str, entry: os.DirEntry[str]) -> str | None:
        if entry.is_symlink():
            return (
                "is a symbolic link, which a pack cannot hold; put a copy of the file or folder in its place"
            )
        directory = entry.is_dir(follow_symlinks=False)
        if not directory and not entry.is_file(follow_symlinks=False):
            return "is neither a file nor a folder (a device, a pipe or a socket); remove it"
        try:
            parse_member_path(os.fsencode(path), directory=directory, limits=self._limits)
            self._tree.add(path, directory=directory)
        except ValueError as error:
            return str(error)
        if not directory and path == MANIFEST_PATH and entry.stat().st_size > self._limits.manifest_bytes:
            return f"must be at most {self._limits.manifest_bytes} bytes; move long texts into guides/"
        return None

    def _take(self, path: str, entry: os.DirEntry[str]) -> None:
        if entry.is_dir(follow_symlinks=False):
            self.enter(f"{path}/", entry.path)
            return
        if fault := windows_fault(path):
            self.found.warnings.append(Fault(path, fault, f"archive:{path}"))
        status = entry.stat(follow_symlinks=False)
        executable = _begins_as_script(entry.path) if self._windows else bool(status.st_mode & 0o111)
        self.found.files.append(
            LocalFile(path=path, location=entry.path, size=status.st_size, executable=executable)
        )

    def _refuse(self, path: str, reason: str) -> None:
        name = shown(os.fsencode(path))
        self.found.faults.append(Fault(name, reason, path if path == self._root_file else f"archive:{name}"))


def check_manifest(found: PackFolder, *, limits: ArchiveLimits | None = None) -> None:
    """Check `pack.yaml` or `SKILL.md` by the service's rules, and add its faults and warnings with their lines."""
    path = found.root_file
    if path is None:
        return
    try:
        manifest = found.manifest(limits=limits or ArchiveLimits())
    except InvalidRequest as refusal:
        found.faults += _with_places(found, path, refusal.fields)
    else:
        warnings = manifest.warnings if manifest is not None else ()
        found.warnings += _with_places(found, path, dict(_field_of(text) for text in warnings))


def _field_of(warning: str) -> tuple[str, str]:
    """Return the field that a warning begins with, and the rest."""
    field_path, _, reason = warning.partition(" ")
    return field_path, reason


def _with_places(found: PackFolder, path: str, fields: Mapping[str, str]) -> list[Fault]:
    """Return faults of the file at the root with their lines, in the order of these.

    Args:
        found: The folder.
        path: The file.
        fields: The faults by field path.
    """
    from packyard_cli.manifest_lines import places_of  # noqa: PLC0415 - YAML takes long to load

    places = places_of(path, found.manifest_content() or b"", fields)
    faults = []
    for field_path, given in fields.items():
        stated, reason = _PLACE.match(given), given
        place: tuple[int | None, int | None] = places.get(field_path) or (None, None)
        if stated is not None:
            column = stated["column"] and int(stated["column"])
            place = (int(stated["line"]), column or None)
            # The place is shown before it.
            reason = given[stated.end() :]
        _, _, key = field_path.partition(":")
        faults.append(Fault(path, f"{key} {reason}" if key else reason, field_path, *place))
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))


def require_no_faults(found: PackFolder) -> None:
    """Check that the service would take the folder.

    Raises:
        Failure: It would not; every fault is named.
    """
    if found.faults:
        fields: dict[str, str] = {}
        for fault in found.faults:
            place = f"{fault.path}{f':{fault.line}' if fault.line else ''}"
            fields[place] = f"{fields[place]}; {fault.message}" if place in fields else fault.message
        count = len(found.faults)
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise Failure(
            Exit.INVALID,
            f"The folder is not a pack: {found.faults[0]}{more}.",
            "packyard check lists every fault.",
            code="validation_error",
            details={"fields": fields},
        )


def _patterns_of(root: Path) -> Iterator[str]:
    try:
        text = (root / IGNORE_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        raise Failure(Exit.INVALID, f"{IGNORE_FILE} is not UTF-8.", "Save it as UTF-8.") from None
    for line in text.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            yield pattern


def _begins_as_script(location: str) -> bool:
    with Path(location).open("rb") as file:
        return file.read(2) == b"#!"
