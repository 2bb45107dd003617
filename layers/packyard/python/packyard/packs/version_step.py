"""The step of the version that a change needs (SemVer 2.0.0, sections 6 to 8; API contract, section 7)."""

from enum import StrEnum


class Bump(StrEnum):
    """A step from one version to the next."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    NONE = "none"


def least_step(*, widened: bool, removed: bool, added: bool, changed: bool) -> Bump:
    """Return the least step that fits.

    Args:
        widened: Whether a request is allowed that was not: who uses the pack has to consent.
        removed: Whether a file is gone, which something may refer to.
        added: Whether there is a new file.
        changed: Whether anything else differs, such as a file's content or what is said of the pack.
    """
    if widened or removed:
        return Bump.MAJOR
    if added:
        return Bump.MINOR
    return Bump.PATCH if changed else Bump.NONE
