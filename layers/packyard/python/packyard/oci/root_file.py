"""Finding one file at an image's root through its layers (OCI image-spec, layer.md, "Whiteouts").

What a layer says of the file, the topmost layer that says something decides: it is there, it is deleted, or
all that lower layers hold is hidden.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from packyard.oci.foreign_tar import ForeignTar, LayerMember
from packyard.oci.image_fault import ImageFault
from packyard.oci.inflation import inflate_layer

_WHITEOUT: Final = b".wh."
_OPAQUE: Final = b".wh..wh..opq"


class Absence(Enum):
    """A layer does not hold the file."""

    SILENT = auto()
    HIDDEN = auto()


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


def look_in_layer(chunks: Iterable[bytes], name: str, *, limits: LayerLimits) -> bytes | Absence:
    """Return the content of a file at the layer's root, or in what way it is absent.

    Whiteouts hide what lower layers hold, never what stands beside them, so the whole layer is read. Of two
    members of one path the later one wins, as when they are unpacked.

    Args:
        chunks: The layer blob; what raises there passes through.
        name: The file, without a slash.
        limits: Bounds on the layer.

    Raises:
        ImageFault: The layer cannot be read, or has something of that name that is not a regular file.
    """
    tar = ForeignTar(inflate_layer(chunks), max_bytes=limits.unpacked_bytes, max_members=limits.members)
    wanted = name.encode()
    found: bytes | Absence = Absence.SILENT
    fault: str | None = None
    for member in tar:
        path = _root_path(member, wanted)
        if path == wanted:
            fault = None if member.is_file else f"has a {name} that is not a regular file"
            found = tar.read(limits.file_bytes + 1) if member.is_file else Absence.HIDDEN
        elif path in (_OPAQUE, _WHITEOUT + wanted) and found is Absence.SILENT:
            found = Absence.HIDDEN
    if fault is not None:
        raise ImageFault(fault)
    return found


def _root_path(member: LayerMember, wanted: bytes) -> bytes | None:
    """Return where a member that may concern the file lies; `./x`, `/x` and `a/../x` are all `x`."""
    if wanted not in member.name and _OPAQUE not in member.name:
        return None
    return posixpath.normpath(b"/" + member.name).lstrip(b"/")
