"""What bounds the reading of a layer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLimits:
    """Limits of reading one layer.

    Attributes:
        unpacked_bytes: The most bytes of the tar that are read.
        members: The most members of the tar.
        file_bytes: The largest size of the file to find. For a larger file, this many bytes and one more are returned.
    """

    unpacked_bytes: int = 1 << 30
    members: int = 200_000
    file_bytes: int = 256 << 10
