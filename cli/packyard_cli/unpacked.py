"""An archive that somebody else has made, unpacked into a folder: a repository's tarball, or a skill's zip.

It is untrusted. The service's own readers read it, so two readers do not see two archives. What no pack can hold
(links, devices, names that lead outside) is not written, and is reported: it may lie beside what is wanted.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path, shown
from packyard.packs.archive.member_source import MemberSource, TarSource
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.tar_member import MemberKind
from packyard.packs.archive.zip_reader import ZipReader
from packyard_cli.failure import Exit, Failure

# A repository holds more than its skills.
LIMITS: Final = ArchiveLimits(members=200_000)
_GZIP, _ZIP = b"\x1f\x8b", b"PK"


def unpack(archive: IO[bytes], into: Path, *, what: str) -> dict[str, str]:
    """Write an archive's files, and return why others were not written, by their names.

    Args:
        archive: A `.tar.gz` or a `.zip`, at its beginning; it can be read from any place.
        into: An empty folder.
        what: What the archive is, for people.

    Raises:
        Failure: It is neither, cannot be read to its end, is too large, or readers would not agree on it.
        OSError: The folder cannot be written.
    """
    start = archive.read(len(_GZIP))
    archive.seek(0)
    writer = _Writer(into)
    try:
        if start == _GZIP:
            _write_members(TarSource(archive, limits=LIMITS), writer)
        elif start == _ZIP:
            _write_members(ZipReader(archive, limits=LIMITS), writer)
        else:
            raise _unfit(what, "it is neither a .tar.gz nor a .zip")
    except InvalidRequest as refusal:
        raise _unfit(what, "; ".join(f"{name} {why}" for name, why in refusal.fields.items())) from None
    except PayloadTooLarge:
        raise _unfit(what, f"it is over {LIMITS.compressed_bytes} bytes") from None
    return writer.refused


class _Writer:
    def __init__(self, into: Path) -> None:
        self.refused: dict[str, str] = {}
        self._into = into
        self._tree = PathTree()

    def admit(self, name: bytes, *, directory: bool) -> Path | None:
        """Return where a member goes; None for one that is left out."""
        try:
            path = parse_member_path(name, directory=directory, limits=LIMITS)
            if is_litter(path):
                return None
            self._tree.add(path, directory=directory)
        except ValueError as error:
            self.refused[shown(name)] = str(error)
            return None
        return self._into / path

    def write(self, place: Path, pieces: Iterable[bytes], *, executable: bool) -> None:
        """Write a file."""
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if executable else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)


def _write_members(archive: MemberSource, writer: _Writer) -> None:
    try:
        for member in archive:
            if member.kind is MemberKind.REFUSED:
                writer.refused[shown(member.name)] = str(member.refusal)
            elif member.kind is MemberKind.HARD_LINK:
                writer.refused[shown(member.name)] = "is a hard link"
            else:
                directory = member.kind is MemberKind.DIRECTORY
                place = writer.admit(member.name, directory=directory)
                if place is not None and not directory:
                    writer.write(place, archive.content(), executable=member.executable)
    finally:
        archive.close()


def _unfit(what: str, why: str) -> Failure:
    return Failure(Exit.INVALID, f"{what} cannot be taken: {why}.", "Ask whoever made it for another one.")
