"""The limits of an archive and their defaults (API contract, section 3). The template's parameters override them."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """The largest archive, and the largest content, that is accepted.

    Attributes:
        compressed_bytes: Bytes of the `.tar.gz` file.
        unpacked_bytes: Bytes of the decompressed tar, including headers and padding.
        members: Number of tar members of any kind, including those that are dropped.
        path_bytes: Bytes of a member's path in UTF-8.
        path_depth: Number of segments of a member's path.
        manifest_bytes: Bytes of `pack.yaml`.
    """

    compressed_bytes: int = 256 * MIB
    unpacked_bytes: int = GIB
    members: int = 20_000
    path_bytes: int = 1024
    path_depth: int = 32
    manifest_bytes: int = 256 * KIB
