"""`packyard check`: all of the service's rules for a pack, without the service."""

import argparse
from pathlib import Path
from typing import Any

from packyard.packs.archive.limits import ArchiveLimits
from packyard_cli.context import Context
from packyard_cli.failure import Exit
from packyard_cli.folder import Fault, PackFolder, check_manifest, read_folder
from packyard_cli.result import Result, counted, size_text


def check(options: argparse.Namespace, context: Context) -> Result:
    """Check a folder; every fault has its file and line.

    Raises:
        Failure: There is no such folder.
    """
    found = checked_folder(Path(options.folder), options.exclude, context)
    faults = [str(fault) for fault in found.faults]
    warnings = [f"{fault} (a warning)" for fault in found.warnings]
    summary = (
        f"{counted(len(faults), 'fault')}: the service would refuse this pack."
        if faults
        else f"The pack is valid: {counted(len(found.files), 'file')}, {size_text(found.size)}."
    )
    return Result(
        document=_document(found),
        lines=[*faults, *warnings, summary],
        essence=faults,
        exit_code=Exit.INVALID if faults else Exit.DONE,
    )


def checked_folder(
    root: Path, exclude: list[str], context: Context, *, as_archive: bool = True
) -> PackFolder:
    """Return a folder with every fault of its files, its manifest and its size.

    Args:
        root: The folder.
        exclude: Patterns of what to leave out.
        context: The surroundings.
        as_archive: Whether the size of its archive counts, for which a large pack has to be compressed.

    Raises:
        Failure: There is no such folder.
    """
    limits = ArchiveLimits()
    found = read_folder(root, exclude=exclude, limits=limits, windows=context.windows)
    check_manifest(found, limits=limits)
    # A smaller pack is within the limit however badly it compresses.
    if as_archive and not found.faults and found.size > limits.compressed_bytes:
        _check_archive_size(found, limits)
    return found


def _check_archive_size(found: PackFolder, limits: ArchiveLimits) -> None:
    from packyard_cli.archive import write_archive  # noqa: PLC0415 - large packs only

    written = write_archive(_Nowhere(), found.files)
    if written.size > limits.compressed_bytes:
        most = limits.compressed_bytes
        message = f"the archive has {written.size} bytes, and {most} is the most; make several packs of it"
        found.faults.append(Fault(".", message, "archive"))


def _document(found: PackFolder) -> dict[str, Any]:
    return {
        "valid": not found.faults,
        "files": len(found.files),
        "size_bytes": found.size,
        "left_out": found.left_out,
        "faults": [fault.view() for fault in found.faults],
        "warnings": [fault.view() for fault in found.warnings],
    }


class _Nowhere:
    """Takes bytes and keeps none."""

    def write(self, piece: bytes, /) -> int:
        return len(piece)
