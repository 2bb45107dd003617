"""`packyard diff`: a folder beside the pack that stands or beside another folder, and two revisions of a pack."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from packyard.errors import InvalidRequest
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.packs.manifest.unstated_version import with_version
from packyard.packs.manifest.version import Version
from packyard.packs.version_step import least_step
from packyard_cli.archive import HashedFile, hash_files
from packyard_cli.capability_words import capability_difference, capability_lines
from packyard_cli.context import Context
from packyard_cli.differences import Difference, compare
from packyard_cli.failure import Exit, Failure
from packyard_cli.folder import PackFolder, read_folder
from packyard_cli.packing import valid_folder
from packyard_cli.result import Result
from packyard_cli.revisions import names_revision
from packyard_cli.standing import StandingPack, files_of, find_own_pack, find_pack

_KEYS = ("display_name", "description", "category", "suggested_packs")


def diff(options: argparse.Namespace, context: Context) -> Result:
    """Compare. The exit code is 0 whether or not something differs; `--json` says it.

    Raises:
        Failure: The folder is not a pack, or there is none to compare it with; or there is no such revision.
    """
    root = Path(options.folder)
    if options.to is not None or _names_a_pack(root, options.other):
        from packyard_cli.revision_diff import revision_diff  # noqa: PLC0415 - folders do without it

        return revision_diff(options, context)
    if options.other is not None:
        return _between(root, Path(options.other), options.exclude, context)
    found, manifest = valid_folder(root, options.exclude, context, as_archive=False)
    service = context.service()
    pack = find_pack(service, options.pack) if options.pack else find_own_pack(service, manifest.name)
    if pack is None:
        raise Failure(
            Exit.NOT_FOUND,
            f"Your organisation has no pack {manifest.name!r} to compare with.",
            "packyard push makes it; --pack names another one.",
        )
    manifest = with_version(manifest, given=None, otherwise=Version(str(pack.view["version"])))
    standing = files_of(service, pack)
    files = hash_files(found.files)
    difference = compare(standing, with_standing_modes(files, standing) if context.windows else files)
    capabilities = capability_difference(pack.view.get("capabilities"), manifest.capabilities_text)
    return _result(difference, manifest_lines(pack, manifest), capabilities)


def _names_a_pack(root: Path, other: str | None) -> bool:
    """Return whether two words are a pack and a revision: they are no folders, and the second can be a revision."""
    return other is not None and not root.is_dir() and not Path(other).is_dir() and names_revision(other)


def manifest_lines(pack: StandingPack, manifest: Manifest) -> list[str]:
    """Return what a folder's manifest changes: the version, and capabilities."""
    before = str(pack.view["version"])
    version = [] if before == manifest.version else [f"~ version {before} to {manifest.version}"]
    return version + capability_lines(pack.view.get("capabilities"), manifest.capabilities_text)


def with_standing_modes(
    files: tuple[HashedFile, ...], standing: tuple[HashedFile, ...]
) -> tuple[HashedFile, ...]:
    """Return files with the modes that those at the service have, for a system that keeps no modes (Windows)."""
    modes = {file.path: file.mode for file in standing}
    return tuple(replace(file, mode=modes.get(file.path, file.mode)) for file in files)


def _between(old: Path, new: Path, exclude: list[str], context: Context) -> Result:
    """Compare two folders: their files, and what their manifests say where both are valid."""
    before, after = (read_folder(folder, exclude=exclude, windows=context.windows) for folder in (old, new))
    difference = compare(hash_files(before.files), hash_files(after.files))
    was, is_now = _manifest(before), _manifest(after)
    if was is None or is_now is None:
        return _result(difference, [], None)
    version = [] if was.version == is_now.version else [f"~ version {was.version} to {is_now.version}"]
    keys = [f"~ {key}" for key in _KEYS if getattr(was, key) != getattr(is_now, key)]
    fragments = was.capabilities_text, is_now.capabilities_text
    return _result(
        difference, [*version, *keys, *capability_lines(*fragments)], capability_difference(*fragments)
    )


def _manifest(found: PackFolder) -> Manifest | None:
    try:
        return found.manifest(limits=ArchiveLimits())
    except InvalidRequest:
        # packyard check says what is wrong with it. Its content is compared as that of any other file.
        return None


def _result(difference: Difference, manifest: list[str], capabilities: Mapping[str, Any] | None) -> Result:
    lines = [*manifest, *difference.lines()]
    document: dict[str, Any] = {"equal": not difference, "files": difference.view(), "manifest": manifest}
    if capabilities is not None:
        step = least_step(
            widened=capabilities["widened"],
            removed=bool(difference.removed),
            added=bool(difference.added),
            changed=bool(difference.changed or manifest),
        )
        document |= {"capabilities": capabilities, "bump": step}
    return Result(document=document, lines=lines or ["Nothing differs."], essence=lines)
