"""An uploaded pack archive: what is let in, and what it means as a pack (API contract, section 3)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Generic, Protocol, TypeVar

from packyard.errors import InvalidRequest
from packyard.packs.archive.faults import ArchiveFaults
from packyard.packs.archive.gzip_stream import GzipStream
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import folders_of, is_litter, parse_member_path
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.tar import TarReader
from packyard.packs.archive.tar_member import Member, MemberKind
from packyard.packs.archive.top_level import (
    MANIFEST_PATH,
    folders_with_manifest,
    missing_manifest,
    top_level_fault,
)
from packyard.packs.manifest.pack_manifest import Manifest, parse_manifest

_AS_FILES: Final = "pack links as files (GNU tar: --hard-dereference)"

T = TypeVar("T")


class ContentStore(Protocol[T]):
    """Where files' contents go while the archive is read."""

    def store(self, chunks: Iterable[bytes]) -> T:
        """Keep one file's content and return what stands for it.

        Args:
            chunks: The content in pieces of at most 256 KiB; none for an empty file. Reading them may raise
                what `read_archive` raises, which must pass through.
        """

    def fetch(self, stored: T) -> bytes:
        """Return one file's content again; asked once at most, for a small file, when all are stored.

        Args:
            stored: What `store` has returned.
        """


@dataclass(frozen=True, slots=True)
class PackFile(Generic[T]):
    """One file of a pack.

    Attributes:
        path: Relative to the pack's root.
        size: Bytes.
        executable: Whether any execute bit was set.
        content: What the content store returned; files that were hard links of each other share it.
    """

    path: str
    size: int
    executable: bool
    content: T


@dataclass(frozen=True, slots=True)
class PackContents(Generic[T]):
    """What an accepted archive holds.

    Attributes:
        manifest: `pack.yaml`, checked.
        directories: Every parent of a file and every empty directory, sorted.
        files: Sorted by path.
    """

    manifest: Manifest
    directories: tuple[str, ...]
    files: tuple[PackFile[T], ...]


def read_archive(stream: BinaryIO, *, limits: ArchiveLimits, contents: ContentStore[T]) -> PackContents[T]:
    """Read and check a `.tar.gz` in one pass, in bounded memory.

    Args:
        stream: The compressed archive, read sequentially.
        limits: Bounds on it.
        contents: Gets each regular file's content once, in the archive's order, until a fault is found.

    Returns:
        The pack's contents, any single wrapping directory and archivers' litter left out.

    Raises:
        InvalidRequest: Everything that is wrong with it, on `archive`, `archive:<path>`, `pack.yaml` and
            `pack.yaml:<key>`, as far as it could be read; 100 faults at most.
        PayloadTooLarge: It is over `limits.compressed_bytes`.
    """
    reading = _Reading(stream, limits=limits, contents=contents)
    try:
        reading.read_members()
        return reading.finish()
    except InvalidRequest as error:
        reading.faults.gather()
        reading.faults.lead_with(error.fields)
        raise reading.faults.error() from error


class _Reading(Generic[T]):
    """One archive while it is read: whether it has a wrapping directory shows only at the end."""

    def __init__(self, stream: BinaryIO, *, limits: ArchiveLimits, contents: ContentStore[T]) -> None:
        self.faults = ArchiveFaults(self._misplaced)
        self._limits = limits
        self._contents = contents
        self._stream = GzipStream(stream, limits=limits)
        self._tar = TarReader(self._stream, limits=limits)
        self._tree = PathTree()
        self._litter: set[str] = set()
        self._refused_at_top: set[str] = set()
        self._files: dict[str, PackFile[T]] = {}
        self._manifests: dict[str, bytes] = {}
        self._manifest_paths: tuple[str, ...] = ()
        self._complete = False

    def read_members(self) -> None:
        """Take in every member of the archive.

        Raises:
            InvalidRequest: It cannot be read to its end, or has too many faults.
            PayloadTooLarge: It is over the compressed limit.
        """
        for member in self._tar:
            try:
                path = self._admit(member)
            except ValueError as error:
                self.faults.add(member.name, str(error))
                self._note_refused(member)
                continue
            if path is None:
                continue
            if member.kind is MemberKind.FILE:
                self._store(path, member)
            elif member.kind is MemberKind.HARD_LINK and not self.faults:
                self._copy(path, member)
        self._complete = True

    def finish(self) -> PackContents[T]:
        """Find the pack's root, check what stands there, and return the contents.

        Raises:
            InvalidRequest: Something is wrong with the archive or its manifest.
        """
        self.faults.gather()
        root = self._root()
        manifest = self._parse_manifest(root)
        if self.faults:
            raise self.faults.error()
        below_root = (path.removeprefix(root) for path in self._tree.directories() if path + "/" != root)
        return PackContents(
            manifest=manifest,
            directories=tuple(sorted(below_root)),
            files=tuple(
                PackFile(path.removeprefix(root), file.size, file.executable, file.content)
                for path, file in sorted(self._files.items())
            ),
        )

    def _admit(self, member: Member) -> str | None:
        """Return the path of a member that is part of the pack, or None for one to drop.

        Raises:
            ValueError: It may not be in an archive.
        """
        if member.kind is MemberKind.REFUSED:
            raise ValueError(member.refusal)
        directory = member.kind is MemberKind.DIRECTORY
        path = parse_member_path(member.name, directory=directory, limits=self._limits)
        litter = is_litter(path)
        if member.kind is MemberKind.HARD_LINK:
            target = self._link_target(member)
            if not (self._tree.is_file(target) or (litter and target in self._litter and target != path)):
                raise ValueError(
                    f"is a hard link, but its target is not an earlier file in the archive; {_AS_FILES}"
                )
        if litter:
            self._litter.add(path)
            return None
        self._tree.add(path, directory=directory)
        return path

    def _note_refused(self, member: Member) -> None:
        """Remember what stands at the top though it is refused: a folder beside it wraps no pack."""
        with suppress(ValueError):
            path = parse_member_path(member.name, directory=True, limits=self._limits)
            if path and "/" not in path and not is_litter(path):
                self._refused_at_top.add(path)

    def _link_target(self, member: Member) -> str:
        try:
            return parse_member_path(member.link_name, directory=False, limits=self._limits)
        except ValueError as error:
            raise ValueError(f"is a hard link to a path that is not valid: {error}") from None

    def _store(self, path: str, member: Member) -> None:
        content = self._keeping_manifest(path, self._tar.content())
        if not self.faults:
            self._files[path] = PackFile(path, member.size, member.executable, self._contents.store(content))
        # After a fault only the manifest is still of interest: what is wrong with it is said as well.
        for _ in content:
            pass

    def _copy(self, path: str, member: Member) -> None:
        original = self._files[self._link_target(member)]
        # They are one file: some readers give it the first one's mode, others the last one's.
        if member.executable != original.executable:
            self.faults.add(
                member.name,
                f"is a hard link that is executable and its file is not, or the reverse; {_AS_FILES}",
            )
        self._stream.charge(original.size)
        self._files[path] = replace(original, path=path)

    def _keeping_manifest(self, path: str, content: Iterator[bytes]) -> Iterator[bytes]:
        """Pass content on, keeping a bounded part of what may turn out to be the manifest."""
        if not self._manifest_paths:
            top, _, _ = path.partition("/")
            # Only a directory that is alone at the top wraps a pack, so one that comes later cannot.
            self._manifest_paths = (MANIFEST_PATH, f"{top}/{MANIFEST_PATH}")
        if path not in self._manifest_paths:
            yield from content
            return
        kept = bytearray()
        for piece in content:
            kept += piece[: self._limits.manifest_bytes + 1 - len(kept)]
            yield piece
        self._manifests[path] = bytes(kept)

    def _root(self) -> str:
        """Return where the pack's root is: nothing, or the only top-level directory and a slash."""
        top_level = list(self._tree.children(""))
        if len(top_level) == 1 and not self._refused_at_top - {top_level[0][0]}:
            name, directory = top_level[0]
            return f"{name}/" if directory else ""
        return ""

    def _misplaced(self, refused_names: Iterable[bytes]) -> Mapping[str, str]:
        """Return what may not stand at the root, as far as that is certain: what comes later decides where it is."""
        root = self._root()
        top = root.removesuffix("/")
        wraps = self._complete or not top or self._tree.is_file(root + MANIFEST_PATH)
        if not wraps and top_level_fault(top, directory=True) is None:
            return {}
        entries = {
            *self._tree.children(top),
            *((name, True) for name in folders_of(refused_names, below=root)),
        }
        faults = {
            root + name: top_level_fault(name, directory=directory) for name, directory in sorted(entries)
        }
        wrappers = self._wrappers(root)
        return {path: fault for path, fault in faults.items() if fault is not None and path not in wrappers}

    def _wrappers(self, root: str) -> set[str]:
        """Return what stands at the root because a pack in it was packed from too far up, which another fault says."""
        if not self._complete or self._tree.is_file(root + MANIFEST_PATH):
            return set()
        below_root = (path.removeprefix(root) for path in folders_with_manifest(self._tree, root))
        return {root + path.partition("/")[0] for path in below_root}

    def _parse_manifest(self, root: str) -> Manifest:
        """Return the manifest, if there is one.

        Raises:
            InvalidRequest: On `pack.yaml`: there is none, or it is not valid; or on what else is wrong, if that is why
                it was not kept.
        """
        path = root + MANIFEST_PATH
        if not self._tree.is_file(path):
            # Where no file is let in, why that is says more.
            if path in self._refused_at_top or (self.faults and not any(self._tree.files())):
                raise self.faults.error()
            raise InvalidRequest({MANIFEST_PATH: missing_manifest(self._tree, root)})
        limit = self._limits.manifest_bytes
        content = self._manifests.get(path)
        if content is None:
            # A hard link, which has no content of its own.
            if path not in self._files:
                raise self.faults.error()
            file = self._files[path]
            content = self._contents.fetch(file.content) if file.size <= limit else bytes(limit + 1)
        return parse_manifest(content, max_bytes=limit)
