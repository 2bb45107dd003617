"""Finding one file of an image through its layers (OCI image-spec, layer.md, "Whiteouts").

The topmost layer that mentions the file decides: it contains the file, deletes it, or hides everything of lower layers.
If the file is a hard link, its target is searched for in the same way, among the members before the link and then in
the layers below, because that is what exists when a runtime creates the link.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.read.third_party_tar import LayerMember, ThirdPartyTar, inner_path, path_of

_WHITEOUT: Final = b".wh."
_OPAQUE: Final = b".wh..wh..opq"
# The most files of similar names to mention in a refusal.
_MAX_SIMILAR: Final = 3
_MAX_SHOWN: Final = 200


class Absence(Enum):
    """Why a layer does not contain the file.

    SILENT: it does not mention the file. HIDDEN: it deletes the file or hides what lower layers have. NO_FILE: it has
    something other than a file at the path.
    """

    SILENT = auto()
    HIDDEN = auto()
    NO_FILE = auto()


@dataclass(frozen=True, slots=True)
class HardLink:
    """A layer contains a hard link at the path.

    Attributes:
        target: The path that the link names.
        number: The number of members before the link.
    """

    target: str
    number: int


class FileSearch:
    """Searches for one file, layer by layer from the top.

    Args:
        name: The name of a file at the image's root.
        limits: The limits of each layer.

    Attributes:
        path: The path that is searched for now: the file, or the target of a hard link.
        similar: Up to three paths that were seen with the same file name, or the same name with another extension.
    """

    def __init__(self, name: str, *, limits: LayerLimits) -> None:
        self.path = name
        self.similar: list[str] = []
        self._stem = posixpath.splitext(name.encode())[0].lower()
        self._limits = limits
        self._before: int | None = None

    def follow(self, link: HardLink) -> None:
        """Search for a link's target from now on. The next `look` must get the layer of the link again."""
        self.path, self._before = link.target, link.number

    def look(self, chunks: Iterable[bytes]) -> bytes | HardLink | Absence:
        """Return the file's content in a layer, or why the layer does not contain it.

        The whole layer is read: a whiteout hides only what lower layers have, so the file may still follow it. If a
        path occurs twice, the later member counts, as when unpacking.

        Args:
            chunks: The layer blob. Exceptions from the iteration are passed on.

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
            # Most members are irrelevant. This check is cheaper than parsing their path.
            if (
                first not in member.name
                and _OPAQUE not in member.name
                and self._stem not in member.name.lower()
            ):
                continue
            path = inner_path(member.name)
            if path == wanted:
                found = self._content(tar, member, number)
            elif not member.is_directory and wanted.startswith(path + b"/"):
                # It is no directory, but its path is that of a parent of the file.
                found = Absence.HIDDEN
            elif found is Absence.SILENT and _whites_out(path, wanted):
                found = Absence.HIDDEN
            elif member.is_file:
                self._note_if_similar(path)
        return found

    def _content(self, tar: ThirdPartyTar, member: LayerMember, number: int) -> bytes | HardLink | Absence:
        if member.hard_link is not None:
            target = path_of(member.hard_link)
            return Absence.NO_FILE if target is None else HardLink(target, number)
        return tar.read(self._limits.file_bytes + 1) if member.is_file else Absence.NO_FILE

    def _note_if_similar(self, path: bytes) -> None:
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
