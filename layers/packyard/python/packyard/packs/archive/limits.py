"""The bounds on an archive, stated once; the template's parameters override them (API contract, section 3)."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How large an archive and what is in it may be.

    Attributes:
        compressed_bytes: The `.tar.gz` itself.
        unpacked_bytes: Everything the gzip stream inflates to, tar headers and padding included.
        members: Tar members of any kind, those dropped silently included.
        path_bytes: One member's path in UTF-8 bytes.
        path_depth: One member's path in segments.
        manifest_bytes: `pack.yaml`.
    """

    compressed_bytes: int = 256 * MIB
    unpacked_bytes: int = GIB
    members: int = 20_000
    path_bytes: int = 1024
    path_depth: int = 32
    manifest_bytes: int = 256 * KIB
