"""`packyard pack`: a folder as a canonical archive."""

import argparse
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.manifest.pack_manifest import Manifest
from packyard_cli.archive import WrittenArchive, source_date_epoch, write_archive
from packyard_cli.checking import checked_folder
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.folder import PackFolder, require_no_faults
from packyard_cli.result import Result, counted, size_text


def pack(options: argparse.Namespace, context: Context) -> Result:
    """Write the archive of a folder, completely or not at all.

    Raises:
        Failure: The service would refuse the folder.
        OSError: The archive cannot be written.
    """
    root = Path(options.folder)
    found, manifest = valid_folder(root, options.exclude, context)
    # The service decides the version of an Agent Skill that states none.
    version = manifest.version if manifest.version_is_stated else None
    named = " ".join(filter(None, (manifest.name, version)))
    output = Path(options.output or f"{named.replace(' ', '-')}.tar.gz")
    if output.resolve().is_relative_to(root.resolve()):
        # The next archive would hold this one.
        raise Failure(
            Exit.USAGE,
            f"{output} is inside the folder that is packed.",
            "Name a place outside: -o ../pack.tar.gz",
        )
    written = write_archive_file(output, found, epoch=source_date_epoch(context.environment))
    files = counted(len(written.files), "file")
    return Result(
        document={
            "archive": str(output),
            "name": manifest.name,
            **({} if version is None else {"version": version}),
            "size_bytes": written.size,
            "sha256": written.sha256,
            "content_digest": written.content_digest,
            "files": len(written.files),
        },
        lines=[
            f"{output}: {named}, {files}, {size_text(written.size)}",
            f"content digest {written.content_digest}",
        ],
        essence=[str(output)],
    )


def valid_folder(
    root: Path, exclude: list[str], context: Context, *, as_archive: bool = True
) -> tuple[PackFolder, Manifest]:
    """Return a folder that the service would take, and its manifest.

    Args:
        root: The folder.
        exclude: Patterns of what to leave out.
        context: The surroundings.
        as_archive: As for `checked_folder`.

    Raises:
        Failure: The service would refuse it; every fault is named.
    """
    found = checked_folder(root, exclude, context, as_archive=as_archive)
    require_no_faults(found)
    manifest = found.manifest(limits=ArchiveLimits())
    assert manifest is not None  # noqa: S101 - a folder without one has a fault
    return found, manifest


def write_archive_file(output: Path, found: PackFolder, *, epoch: int) -> WrittenArchive:
    """Write an archive beside its place, and move it there when it is whole.

    Raises:
        OSError: It cannot be written; no part of it stays.
    """
    descriptor, unfinished = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            written = write_archive(file, found.files, epoch=epoch)
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(output)
    except BaseException:
        with suppress(OSError):
            Path(unfinished).unlink()
        raise
    return written
