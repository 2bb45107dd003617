"""The content digest: one name for a set of files, whatever carries it (API contract, section 4)."""

import hashlib
from collections.abc import Iterable
from typing import Protocol

from packyard.oci.digest import Digest


class DigestedFile(Protocol):
    """A file as far as the content digest depends on it."""

    @property
    def path(self) -> str:
        """Relative to the root."""
        ...

    @property
    def mode(self) -> int:
        """Permission bits."""
        ...

    @property
    def sha256(self) -> str:
        """Of its content, in lower-case hex."""
        ...


def content_digest_of(files: Iterable[DigestedFile]) -> Digest:
    """Return the SHA-256 of a line for each file, sorted by path as bytes: path, NUL, SHA-256 in hex, NUL, mode, LF.

    The mode is 755 where any execute bit is set, else 644. Directories do not count. Test vectors are in
    `docs/content-digest.json`.

    Args:
        files: In any order, each path once.
    """
    lines = [
        (file.path.encode(), b"%b\0%b\n" % (file.sha256.encode(), b"755" if file.mode & 0o111 else b"644"))
        for file in files
    ]
    sha256 = hashlib.sha256(b"".join([b"%b\0%b" % line for line in sorted(lines)]))
    return Digest(f"sha256:{sha256.hexdigest()}")
