"""An archive that somebody else has made, unpacked into a folder: a repository's tarball, or a skill's zip.

It is untrusted. The service's own reader reads tars, so two readers do not see two archives. What no pack can hold
(links, devices, names that lead outside) is not written, and is reported: it may lie beside what is wanted.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive.gzip_stream import GzipStream
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path, shown
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.archive.tar import TarReader
from packyard.packs.archive.tar_member import MemberKind
from packyard_cli.failure import Exit, Failure

# A repository holds more than its skills.
LIMITS: Final = ArchiveLimits(members=200_000)
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_PIECE: Final = 256 << 10
_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNIX: Final = 3


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
            _untar(archive, writer)
        elif start == _ZIP:
            _unzip(archive, writer)
        else:
            raise _unfit(what, "it is neither a .tar.gz nor a .zip")
    except InvalidRequest as refusal:
        raise _unfit(what, "; ".join(f"{name} {why}" for name, why in refusal.fields.items())) from None
    except PayloadTooLarge:
        raise _unfit(what, f"it is over {LIMITS.compressed_bytes} bytes") from None
    except _TwoReadings as error:
        raise _unfit(what, str(error)) from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise _unfit(what, f"the zip cannot be read ({error})") from None
    return writer.refused


class _TwoReadings(Exception):
    """Two readers could see two archives, or the archive is over a limit."""


class _Writer:
    def __init__(self, into: Path) -> None:
        self.refused: dict[str, str] = {}
        self._into = into
        self._tree = PathTree()
        self._left = LIMITS.unpacked_bytes

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
                self._left -= len(piece)
                if self._left < 0:
                    raise _TwoReadings(f"it unpacks to more than {LIMITS.unpacked_bytes} bytes")
                file.write(piece)


def _untar(archive: IO[bytes], writer: _Writer) -> None:
    stream = GzipStream(archive, limits=LIMITS)
    try:
        tar = TarReader(stream, limits=LIMITS)
        for member in tar:
            if member.kind is MemberKind.REFUSED:
                writer.refused[shown(member.name)] = str(member.refusal)
            elif member.kind is MemberKind.HARD_LINK:
                writer.refused[shown(member.name)] = "is a hard link"
            else:
                directory = member.kind is MemberKind.DIRECTORY
                place = writer.admit(member.name, directory=directory)
                if place is not None and not directory:
                    writer.write(place, tar.content(), executable=member.executable)
    finally:
        stream.close()


def _unzip(archive: IO[bytes], writer: _Writer) -> None:
    # Names in the headers before the contents are compared with the list at the end by the module itself.
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        if len(members) > LIMITS.members:
            raise _TwoReadings(f"it has more than {LIMITS.members} members")
        names = [member.orig_filename for member in members]
        if len(set(names)) < len(names):
            raise _TwoReadings("it has a name twice")
        for member in members:
            fault = _fault_of(member)
            if fault is not None:
                writer.refused[member.filename] = fault
                continue
            place = writer.admit(member.orig_filename.encode(), directory=member.is_dir())
            if place is not None and not member.is_dir():
                with file.open(member) as content:
                    executable = member.create_system == _UNIX and bool(member.external_attr >> 16 & 0o111)
                    writer.write(place, iter(lambda: content.read(_PIECE), b""), executable=executable)


def _fault_of(member: zipfile.ZipInfo) -> str | None:
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.compress_type not in _METHODS:
        return "is compressed by a method that not every reader knows"
    kind = stat.S_IFMT(member.external_attr >> 16) if member.create_system == _UNIX else 0
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (kind == stat.S_IFDIR) > member.is_dir():
        return "is neither a file nor a folder"
    return None


def _unfit(what: str, why: str) -> Failure:
    return Failure(Exit.INVALID, f"{what} cannot be taken: {why}.", "Ask whoever made it for another one.")
