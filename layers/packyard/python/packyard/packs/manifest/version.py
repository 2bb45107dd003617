"""Pack versions (SemVer 2.0.0) and their image tags (API contract, sections 1 and 4)."""

from typing import NewType

Version = NewType("Version", str)


def tag_of(version: Version) -> str:
    """Return the image tag for a version, with `_` in place of `+`, which tags cannot contain.

    SemVer does not allow `_`, so two versions never have the same tag.
    """
    return version.replace("+", "_")
