"""Reading an uploaded pack archive: what is accepted, and which pack it contains (API contract, section 3)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final, Generic, TypeVar

from packyard.errors import InvalidRequest
from packyard.packs.archive.archive_root import ArchiveRoot
from packyard.packs.archive.contents import ArchivedFiles, ContentStore, PackContents, PackFile
from packyard.packs.archive.faults import ArchiveFaults
from packyard.packs.archive.gzip_stream import Readable
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path
from packyard.packs.archive.member_source import MemberSource, TarSource, source_of
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.tar_member import Member, MemberKind
from packyard.packs.archive.top_level import missing_manifest, root_file
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.packs.manifest.root_file import MANIFEST_PATH, ROOT_FILES, parse_root_file

_AS_FILES: Final = "pack links as files (GNU tar: --hard-dereference)"

_HOLDS_NOTHING: Final = (
    "holds no file: leave it out to delete only, or make it with tar -C FOLDER -czf changes.tar.gz PATHS"
)

T = TypeVar("T")


def read_archive(stream: Readable, *, limits: ArchiveLimits, contents: ContentStore[T]) -> PackContents[T]:
    """Read and check a `.tar.gz` in one pass, in bounded memory; or a `.zip`, which is copied first.

    Args:
        stream: The compressed archive, read sequentially.
        limits: The limits to enforce.
        contents: Receives each regular file's content once, in the archive's order, until a fault is found.

    Returns:
        The pack's contents, without a single wrapping directory and without files that desktops add (`is_litter`).

    Raises:
        InvalidRequest: Everything that is wrong with the part that could be read, on `archive`, `archive:<path>`,
            `pack.yaml`, `pack.yaml:<key>`, `SKILL.md` and `SKILL.md:<key>`; at most 100 faults.
        PayloadTooLarge: The archive is over `limits.compressed_bytes`.
    """
    source = source_of(stream, limits=limits)
    reading = _Reading(source, limits=limits, contents=contents)
    with reading.reporting_all_faults():
        reading.read_members()
        return reading.finish()


def read_files(stream: Readable, *, limits: ArchiveLimits, contents: ContentStore[T]) -> ArchivedFiles[T]:
    """Read and check a `.tar.gz` of files that are to be written into a pack, as `read_archive` reads a whole pack.

    The names of members are paths in the pack, so there is no wrapping directory (decision 78). `pack.yaml` may be
    missing. Which entries may be at the root depends on the pack: the contents say which may not be in one that is no
    Agent Skill.

    Args:
        stream: As for `read_archive`.
        limits: As for `read_archive`.
        contents: As for `read_archive`.

    Raises:
        InvalidRequest: As for `read_archive`; or the archive holds neither a file nor a directory.
        PayloadTooLarge: The archive is over `limits.compressed_bytes`.
    """
    source = TarSource(stream, limits=limits)
    reading = _Reading(source, limits=limits, contents=contents, may_be_wrapped=False)
    with reading.reporting_all_faults():
        reading.read_members()
        return reading.finish_files()


class _Reading(Generic[T]):
    """The state of reading one archive. Only at the end is it known whether there is a wrapping directory."""

    def __init__(
        self,
        source: MemberSource,
        *,
        limits: ArchiveLimits,
        contents: ContentStore[T],
        may_be_wrapped: bool = True,
    ) -> None:
        self._tree = PathTree()
        self._root = ArchiveRoot(self._tree, may_be_wrapped=may_be_wrapped)
        self.faults = ArchiveFaults(self._root.misplaced)
        self._limits = limits
        self._contents = contents
        self._source = source
        self._litter: set[str] = set()
        self._files: dict[str, PackFile[T]] = {}
        self._manifests: dict[str, bytes] = {}
        self._manifest_paths: tuple[str, ...] = ()

    @contextmanager
    def reporting_all_faults(self) -> Iterator[None]:
        """Add the earlier faults to the refusal that ends the reading, and end it.

        Raises:
            InvalidRequest: The refusal, with all faults.
        """
        try:
            yield
        except InvalidRequest as error:
            # Without the file that says what the pack is, nobody knows what may be at its root.
            if self._root.complete or root_file(self._tree, self._root.path()) is not None:
                self.faults.merge_misplaced()
            self.faults.lead_with(error.fields)
            raise self.faults.error() from error
        finally:
            self._source.close()

    def read_members(self) -> None:
        """Read every member of the archive.

        Raises:
            InvalidRequest: The archive cannot be read to its end, or has too many faults.
            PayloadTooLarge: The archive is over the compressed limit.
        """
        for member in self._source:
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
        self._root.complete = True

    def finish(self) -> PackContents[T]:
        """Find the pack's root, check its entries and the manifest, and return the contents.

        Raises:
            InvalidRequest: Something is wrong with the archive or its manifest.
        """
        self.faults.merge_misplaced()
        root = self._root.path()
        manifest = self._parse_manifest(root)
        if self.faults:
            raise self.faults.error()
        return PackContents(manifest, self._directories(root), self._sorted_files(root))

    def finish_files(self) -> ArchivedFiles[T]:
        """Check the manifest if there is one, and return the contents.

        Raises:
            InvalidRequest: Something is wrong with the archive or its manifest.
        """
        found = root_file(self._tree, "")
        manifest = None if found is None else self._parse_manifest("")
        if self.faults:
            self.faults.merge_misplaced()
            raise self.faults.error()
        contents = ArchivedFiles(
            manifest, self._directories(""), self._sorted_files(""), misplaced=self.faults.misplaced()
        )
        if not contents.files and not contents.directories:
            raise InvalidRequest({"archive": _HOLDS_NOTHING})
        return contents

    def _directories(self, root: str) -> tuple[str, ...]:
        below_root = (path.removeprefix(root) for path in self._tree.directories() if path + "/" != root)
        return tuple(sorted(below_root))

    def _sorted_files(self, root: str) -> tuple[PackFile[T], ...]:
        return tuple(
            PackFile(path.removeprefix(root), file.size, file.executable, file.content)
            for path, file in sorted(self._files.items())
        )

    def _admit(self, member: Member) -> str | None:
        """Return the path of a member that is part of the pack, or None for one to drop.

        Raises:
            ValueError: The member is not allowed in an archive. The message is for people.
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
        """Remember a refused member at the top level, because a folder beside it is no wrapping directory."""
        with suppress(ValueError):
            path = parse_member_path(member.name, directory=True, limits=self._limits)
            if path and "/" not in path and not is_litter(path):
                self._root.refused.add(path)

    def _link_target(self, member: Member) -> str:
        try:
            return parse_member_path(member.link_name, directory=False, limits=self._limits)
        except ValueError as error:
            raise ValueError(f"is a hard link to a path that is not valid: {error}") from None

    def _store(self, path: str, member: Member) -> None:
        content = self._keeping_manifest(path, self._source.content())
        if not self.faults:
            self._files[path] = PackFile(path, member.size, member.executable, self._contents.store(content))
        # After a fault, only the manifest is still needed, because its faults are reported too.
        for _ in content:
            pass

    def _copy(self, path: str, member: Member) -> None:
        original = self._files[self._link_target(member)]
        # Both names are one file. Some tar readers give it the first member's mode, others the last member's.
        if member.executable != original.executable:
            self.faults.add(
                member.name,
                f"is a hard link that is executable and its file is not, or the reverse; {_AS_FILES}",
            )
        self._source.charge(original.size)
        self._files[path] = replace(original, path=path)

    def _keeping_manifest(self, path: str, content: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the content, and keep a copy if it may be the manifest, up to one byte over its limit."""
        if not self._manifest_paths:
            top, _, _ = path.partition("/")
            # Only the first file's top-level directory can be the wrapping directory, because that one must be alone.
            self._manifest_paths = (*ROOT_FILES, *(f"{top}/{name}" for name in ROOT_FILES))
        if path not in self._manifest_paths:
            yield from content
            return
        kept = bytearray()
        for piece in content:
            kept += piece[: self._limits.manifest_bytes + 1 - len(kept)]
            yield piece
        self._manifests[path] = bytes(kept)

    def _parse_manifest(self, root: str) -> Manifest:
        """Return the manifest.

        Raises:
            InvalidRequest: On `pack.yaml` or `SKILL.md`: it is missing or not valid. If an earlier fault is the reason
                for that, only the earlier faults are raised.
        """
        found = root_file(self._tree, root)
        if found is None:
            # If the manifest, or every file, was refused, the reasons for that say more than "is required".
            was_refused = any(root + name in self._root.refused for name in ROOT_FILES)
            if was_refused or (self.faults and not any(self._tree.files())):
                raise self.faults.error()
            raise InvalidRequest({MANIFEST_PATH: missing_manifest(self._tree, root)})
        path = root + found
        limit = self._limits.manifest_bytes
        content = self._manifests.get(path)
        if content is None:
            # The manifest is a hard link, so its content is that of its target.
            if path not in self._files:
                raise self.faults.error()
            file = self._files[path]
            content = self._contents.fetch(file.content) if file.size <= limit else bytes(limit + 1)
        return parse_root_file(found, content, max_bytes=limit, folder=root.removesuffix("/") or None)
