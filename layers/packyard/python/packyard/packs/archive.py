"""An uploaded pack archive: what is let in, and what it means as a pack (API contract, section 3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Generic, Protocol, TypeVar

from packyard.errors import InvalidRequest
from packyard.packs.archive_faults import ArchiveFaults
from packyard.packs.gzip_stream import GzipStream
from packyard.packs.limits import ArchiveLimits
from packyard.packs.manifest import Manifest, parse_manifest
from packyard.packs.member_path import is_litter, parse_member_path
from packyard.packs.path_tree import PathTree
from packyard.packs.tar import TarReader
from packyard.packs.tar_member import Member, MemberKind
from packyard.packs.top_level import MANIFEST_PATH, top_level_fault

T = TypeVar("T")
StoredT_co = TypeVar("StoredT_co", covariant=True)


class ContentStore(Protocol[StoredT_co]):
    """Where files' contents go while the archive is read."""

    def store(self, chunks: Iterable[bytes]) -> StoredT_co:
        """Keep one file's content and return what stands for it.

        Args:
            chunks: The content in pieces of at most 256 KiB; none for an empty file. Reading them may raise
                what `read_archive` raises, which must pass through.
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
        reading.faults.merge(error.fields)
        raise reading.faults.error() from error


class _Reading(Generic[T]):
    """One archive while it is read: whether it has a wrapping directory shows only at the end."""

    def __init__(self, stream: BinaryIO, *, limits: ArchiveLimits, contents: ContentStore[T]) -> None:
        self.faults = ArchiveFaults()
        self._limits = limits
        self._contents = contents
        self._stream = GzipStream(stream, limits=limits)
        self._tar = TarReader(self._stream, limits=limits)
        self._tree = PathTree()
        self._files: dict[str, PackFile[T]] = {}
        self._manifests: dict[str, bytes] = {}
        self._manifest_paths: tuple[str, ...] = ()

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
                continue
            if path is None:
                continue
            if member.kind is MemberKind.FILE:
                self._store(path, member)
            elif member.kind is MemberKind.HARD_LINK and not self.faults:
                self._copy(path, member)

    def finish(self) -> PackContents[T]:
        """Find the pack's root, check what stands there, and return the contents.

        Raises:
            InvalidRequest: Something is wrong with the archive or its manifest.
        """
        root = self._root()
        self._check_top_level(root)
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
        directory = member.kind is MemberKind.DIRECTORY
        path = parse_member_path(member.name, directory=directory, limits=self._limits)
        if member.kind is MemberKind.REFUSED:
            raise ValueError(member.refusal)
        if is_litter(path):
            return None
        if member.kind is MemberKind.HARD_LINK and not self._tree.is_file(self._link_target(member)):
            raise ValueError("a hard link must name an earlier file of the archive")
        self._tree.add(path, directory=directory)
        return path

    def _link_target(self, member: Member) -> str:
        try:
            return parse_member_path(member.link_name, directory=False, limits=self._limits)
        except ValueError as error:
            raise ValueError(f"what the hard link names is not valid: {error}") from None

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
                member.name, "a hard link must be executable if the file is that it names, and only then"
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
        if len(top_level) == 1:
            name, directory = top_level[0]
            return f"{name}/" if directory else ""
        return ""

    def _check_top_level(self, root: str) -> None:
        for name, directory in self._tree.children(root.removesuffix("/")):
            fault = top_level_fault(name, directory=directory)
            if fault is not None:
                self.faults.add((root + name).encode(), fault)

    def _parse_manifest(self, root: str) -> Manifest:
        """Return the manifest, if there is one.

        Raises:
            InvalidRequest: On `pack.yaml`: there is none, or it is not valid.
        """
        content = self._manifests.get(root + MANIFEST_PATH)
        if content is not None:
            return parse_manifest(content, max_bytes=self._limits.manifest_bytes)
        if self._tree.is_file(root + MANIFEST_PATH):
            raise InvalidRequest({MANIFEST_PATH: "must not be a hard link"})
        raise InvalidRequest({MANIFEST_PATH: "is required at the root or in the only top-level directory"})
