"""What a push has to send: everything of a new pack, or what differs from the pack that stands."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packyard.errors import InvalidRequest
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.file_changes import MAX_DELETIONS
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.packs.manifest.root_file import SKILL_PATH
from packyard.packs.manifest.unstated_version import FIRST_VERSION, with_version
from packyard.packs.manifest.version import Version, version_after
from packyard.packs.pack import ImageOrigin
from packyard_cli.archive import HashedFile, hash_files
from packyard_cli.capability_words import capability_difference, capability_lines
from packyard_cli.context import Context
from packyard_cli.differences import Difference, compare
from packyard_cli.diffing import manifest_lines, with_standing_modes
from packyard_cli.failure import Exit, Failure
from packyard_cli.folder import LocalFile, PackFolder
from packyard_cli.meanwhile import Meanwhile
from packyard_cli.packing import valid_folder
from packyard_cli.result import counted, size_text
from packyard_cli.service import Service
from packyard_cli.standing import StandingPack, files_of, find_own_pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a push does.

    Attributes:
        manifest: Of the folder.
        found: The folder.
        pack: The pack that stands; None for a new one.
        difference: From the pack that stands to the folder.
        sent: The files to send.
        deletions: The paths to delete, folders with a slash at their end.
        whole: Whether the archive is a whole pack, and not changes to one.
        version: To send with it, for an Agent Skill that states none; None for what states its own.
    """

    manifest: Manifest
    found: PackFolder
    pack: StandingPack | None
    difference: Difference
    sent: tuple[LocalFile, ...]
    deletions: tuple[str, ...]
    whole: bool
    version: Version | None = None

    @property
    def changes_something(self) -> bool:
        """Whether a push would write anything."""
        if self.pack is None or self.difference:
            return True
        return self.version not in {None, self.pack.view["version"]}

    @property
    def sent_bytes(self) -> int:
        """Bytes of the files to send, before compression."""
        return sum(file.size for file in self.sent)

    @property
    def capabilities(self) -> dict[str, Any]:
        """How what the pack may do would differ from the pack that stands, as `{widened, added, removed, example?}`."""
        before = self.pack.view.get("capabilities") if self.pack is not None else None
        return capability_difference(before, self.manifest.capabilities_text)

    def lines(self) -> Iterator[str]:
        """Yield what a person wants to know before anything is sent."""
        name, version, limits = self.manifest.name, self.manifest.version, ArchiveLimits()
        if self.pack is None:
            yield f"{name} {version} is a new pack of your organisation."
            yield from capability_lines(None, self.manifest.capabilities_text)
        elif self.changes_something:
            yield f"{name} {version} changes {self.pack.id}:"
            yield from manifest_lines(self.pack, self.manifest)
            yield from self._warnings()
        else:
            yield f"{name} {version} is at the service already."
        if self.pack is not None:
            yield from self.difference.lines()
        yield from (f"! {warning}" for warning in self.manifest.warnings)
        files, most = counted(len(self.found.files), "file"), size_text(limits.unpacked_bytes)
        yield f"The pack has {files}, {size_text(self.found.size)} of {most}."
        if self.changes_something:
            yield f"To send: {counted(len(self.sent), 'file')}, {size_text(self.sent_bytes)}."

    def _warnings(self) -> Iterator[str]:
        difference = self.capabilities
        if difference["widened"]:
            example = difference.get("example")
            yield f"! Newly allowed, for example: {example}" if example else "! More is allowed than before."
            yield "! A role moves to this revision only with consent."


def make_plan(
    root: Path, exclude: list[str], context: Context, service: Service, *, version: Version | None = None
) -> Plan:
    """Return what a push of a folder has to do.

    Args:
        root: The folder.
        exclude: Patterns of what to leave out.
        context: The surroundings.
        service: Where the pack goes.
        version: Of an Agent Skill that states none; None: the first, or the next patch for other content.

    Raises:
        Failure: The service would refuse the folder, or the version; or the pack that stands takes no files.
    """
    # What is sent may be less than the pack, and the service is told the size before it is sent.
    found, read = valid_folder(root, exclude, context, as_archive=False)
    manifest = _with_version(read, version, FIRST_VERSION)
    sends_version = not read.version_is_stated
    standing = Meanwhile(lambda: _standing(service, manifest.name))
    local = hash_files(found.files)
    pack, files = standing.result()
    nothing = Difference(added=(), removed=(), changed=())
    if pack is None:
        return Plan(
            manifest=manifest,
            found=found,
            pack=None,
            difference=nothing,
            sent=tuple(found.files),
            deletions=(),
            whole=True,
            version=manifest.version if sends_version else None,
        )
    origin = pack.view["image_origin"]
    if origin == ImageOrigin.IMAGE_REF:
        raise Failure(
            Exit.CONFLICT,
            f"The pack {manifest.name!r} is an image of another registry, which takes no files.",
            "Push its new image there, or give this folder another name in pack.yaml.",
        )
    if context.windows:
        local = with_standing_modes(local, files)
    difference = compare(files, local)
    deletions = folded((file.path for file in difference.removed), kept={file.path for file in local})
    whole = len(deletions) > MAX_DELETIONS and origin == ImageOrigin.UPLOAD
    now = Version(str(pack.view["version"]))
    manifest = _with_version(read, version, version_after(now) if difference else now)
    written = _written(difference)
    if sends_version and not difference and manifest.version != now:
        # The same content under another version; a change has to write something.
        written = {SKILL_PATH}
    sent = _of(found.files, local, None if whole else written)
    return Plan(
        manifest=manifest,
        found=found,
        pack=pack,
        difference=difference,
        sent=sent,
        deletions=() if whole else deletions,
        whole=whole,
        version=manifest.version if sends_version else None,
    )


def _with_version(manifest: Manifest, given: Version | None, otherwise: Version) -> Manifest:
    try:
        return with_version(manifest, given=given, otherwise=otherwise)
    except InvalidRequest as refusal:
        raise Failure(
            Exit.INVALID,
            f"The version {given} {refusal.fields['version']}.",
            "Push without --version.",
            code="validation_error",
            details={"fields": dict(refusal.fields)},
        ) from None


def _standing(service: Service, name: str) -> tuple[StandingPack | None, tuple[HashedFile, ...]]:
    """Return the organisation's pack of a name, and its files; none of an image that takes no files.

    The files are asked for after the pack. So the files are never older than the entity tag that a write states.
    """
    pack = find_own_pack(service, name)
    if pack is None or pack.view["image_origin"] == ImageOrigin.IMAGE_REF:
        return pack, ()
    return pack, files_of(service, pack)


def folded(removed: Iterable[str], *, kept: Collection[str]) -> tuple[str, ...]:
    """Return the paths to delete: instead of files, the highest folder that keeps none.

    Args:
        removed: The files that go.
        kept: The files that stay or come.
    """
    folders = {parent for path in kept for parent in _ancestors(path)}
    deletions = set()
    for path in removed:
        empty = [parent for parent in _ancestors(path) if parent not in folders and parent not in kept]
        deletions.add(f"{empty[-1]}/" if empty else path)
    return tuple(sorted(deletions))


def _ancestors(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _written(difference: Difference) -> set[str]:
    return {file.path for file in difference.added} | {file.path for _, file in difference.changed}


def _of(
    files: Iterable[LocalFile], hashed: Iterable[HashedFile], wanted: Collection[str] | None
) -> tuple[LocalFile, ...]:
    modes = {file.path: file.mode for file in hashed}
    return tuple(
        replace(file, executable=bool(modes[file.path] & 0o111))
        for file in files
        if wanted is None or file.path in wanted
    )
