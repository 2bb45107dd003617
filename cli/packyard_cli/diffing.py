"""`packyard diff`: a folder beside the pack that stands, or beside another folder."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from packyard.packs.manifest.pack_manifest import Manifest
from packyard_cli.archive import HashedFile, hash_files
from packyard_cli.capability_words import capability_difference, capability_lines
from packyard_cli.context import Context
from packyard_cli.differences import Difference, compare
from packyard_cli.failure import Exit, Failure
from packyard_cli.folder import read_folder
from packyard_cli.packing import valid_folder
from packyard_cli.result import Result
from packyard_cli.standing import StandingPack, files_of, find_own_pack, find_pack


def diff(options: argparse.Namespace, context: Context) -> Result:
    """Compare. The exit code is 0 whether or not something differs; `--json` says it.

    Raises:
        Failure: The folder is not a pack, or there is none to compare it with.
    """
    root = Path(options.folder)
    if options.other is not None:
        return _result(_between(root, Path(options.other), options.exclude, context), [], {})
    found, manifest = valid_folder(root, options.exclude, context, as_archive=False)
    service = context.service()
    pack = find_pack(service, options.pack) if options.pack else find_own_pack(service, manifest.name)
    if pack is None:
        raise Failure(
            Exit.NOT_FOUND,
            f"Your organisation has no pack {manifest.name!r} to compare with.",
            "packyard push makes it; --pack names another one.",
        )
    standing = files_of(service, pack)
    files = hash_files(found.files)
    difference = compare(standing, with_standing_modes(files, standing) if context.windows else files)
    capabilities = capability_difference(pack.view.get("capabilities"), manifest.capabilities_text)
    return _result(difference, manifest_lines(pack, manifest), {"capabilities": capabilities})


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


def _between(old: Path, new: Path, exclude: list[str], context: Context) -> Difference:
    sets = []
    for folder in (old, new):
        found = read_folder(folder, exclude=exclude, windows=context.windows)
        sets.append(hash_files(found.files))
    return compare(*sets)


def _result(difference: Difference, manifest: list[str], more: Mapping[str, Any]) -> Result:
    lines = [*manifest, *difference.lines()]
    return Result(
        document={"equal": not difference, "files": difference.view(), "manifest": manifest, **more},
        lines=lines or ["Nothing differs."],
        essence=lines,
    )
