"""Finding one file of an image through its layers (OCI image-spec, layer.md, "Whiteouts").

What a layer says of the file, the topmost layer that says something decides: it is there, it is deleted, or
all that lower layers hold is hidden. Where it is a hard link, what it names is looked for in the same way, among the
members before the link and then in the layers below: that is what is there when a runtime makes the link.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.third_party_tar import LayerMember, ThirdPartyTar, inner_path, path_of

_WHITEOUT: Final = b".wh."
_OPAQUE: Final = b".wh..wh..opq"
# Of files that may be the one that is meant.
_MAX_SIMILAR: Final = 3
_MAX_SHOWN: Final = 200


class Absence(Enum):
    """A layer does not hold the file: it says nothing, hides what is below, or has something else in its place."""

    SILENT = auto()
    HIDDEN = auto()
    NO_FILE = auto()


@dataclass(frozen=True, slots=True)
class HardLink:
    """A layer holds a hard link of that path.

    Attributes:
        target: The path that it names.
        number: How many members stand before it.
    """

    target: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLimits:
    """Bounds on reading one layer.

    Attributes:
        unpacked_bytes: Of the tar, as far as it is read.
        members: Of the tar.
        file_bytes: Of the file looked for; of a larger one, one byte more than this is returned.
    """

    unpacked_bytes: int = 1 << 30
    members: int = 200_000
    file_bytes: int = 256 << 10


class FileSearch:
    """Looks for one file, layer by layer from the top.

    Args:
        name: The file at the image's root.
        limits: Bounds on each layer.

    Attributes:
        path: What is looked for now: the file, or what a hard link names.
        similar: Up to three files elsewhere of the same name, or with another ending, as far as they were seen.
    """

    def __init__(self, name: str, *, limits: LayerLimits) -> None:
        self.path = name
        self.similar: list[str] = []
        self._stem = posixpath.splitext(name.encode())[0].lower()
        self._limits = limits
        self._before: int | None = None

    def follow(self, link: HardLink) -> None:
        """Look for what a link names from now on, first in the layer that holds the link."""
        self.path, self._before = link.target, link.number

    def look(self, chunks: Iterable[bytes]) -> bytes | HardLink | Absence:
        """Return the file's content in a layer, or in what way it is absent.

        Whiteouts hide what lower layers hold, never what stands beside them, so the whole layer is read. Of two
        members of one path the later one wins, as when they are unpacked.

        Args:
            chunks: The layer blob; what raises there passes through.

        Raises:
            ImageFault: The layer cannot be read.
        """
        limits, before = self._limits, self._before
        self._before = None
        tar = ThirdPartyTar(
            inflate_layer(chunks), max_bytes=limits.unpacked_bytes, max_members=limits.members
        )
        wanted = self.path.encode()
        first = wanted.partition(b"/")[0]
        found: bytes | HardLink | Absence = Absence.SILENT
        for number, member in enumerate(tar):
            if number == before:
                break
            # Most members cannot concern the file, and to tell that costs less than to read their path.
            if (
                first not in member.name
                and _OPAQUE not in member.name
                and self._stem not in member.name.lower()
            ):
                continue
            path = inner_path(member.name)
            if path == wanted:
                found = self._held(tar, member, number)
            elif not member.is_directory and wanted.startswith(path + b"/"):
                # It stands where the file's path needs a directory.
                found = Absence.HIDDEN
            elif found is Absence.SILENT and _whites_out(path, wanted):
                found = Absence.HIDDEN
            elif member.is_file:
                self._note(path)
        return found

    def _held(self, tar: ThirdPartyTar, member: LayerMember, number: int) -> bytes | HardLink | Absence:
        if member.hard_link is not None:
            target = path_of(member.hard_link)
            return Absence.NO_FILE if target is None else HardLink(target, number)
        return tar.read(self._limits.file_bytes + 1) if member.is_file else Absence.NO_FILE

    def _note(self, path: bytes) -> None:
        name = posixpath.basename(path).lower()
        if len(self.similar) < _MAX_SIMILAR and posixpath.splitext(name)[0] == self._stem:
            shown = path.decode(errors="replace")
            if shown.isprintable() and len(shown) <= _MAX_SHOWN and shown not in self.similar:
                self.similar.append(shown)


def _whites_out(path: bytes, wanted: bytes) -> bool:
    parent, _, name = path.rpartition(b"/")
    if name == _OPAQUE:
        return not parent or wanted.startswith(parent + b"/")
    if not name.startswith(_WHITEOUT):
        return False
    gone = posixpath.join(parent, name.removeprefix(_WHITEOUT))
    return gone == wanted or wanted.startswith(gone + b"/")
