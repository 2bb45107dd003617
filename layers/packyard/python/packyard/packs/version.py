"""Pack versions: SemVer 2.0.0, and the image tag that stands for one (API contract, sections 1 and 4)."""

import re
from typing import Final, NewType

import semver

Version = NewType("Version", str)

# A version becomes a tag, and a tag has at most 128 characters (OCI distribution-spec, "Pulling manifests").
MAX_LENGTH: Final = 128
_LEADING_ZERO: Final = re.compile(r"(?:^|[.-])0[0-9]+(?:[.+-]|$)")
# What people write of one: with a v before it, with too few numbers, with leading zeros.
_LOOSE: Final = re.compile(
    r"\s*[vV]?\.?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?([-+][0-9A-Za-z.+-]*)?\s*"
)


def parse_version(text: str) -> Version:
    """Return `text` as a version.

    Raises:
        ValueError: Longer than 128 characters, or not SemVer 2.0.0; the message says what is wrong.
    """
    # First, for SemVer puts no bound on its numbers.
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must be at most {MAX_LENGTH} characters; this has {len(text)}")
    if not semver.Version.is_valid(text):
        raise ValueError(_fault_of(text))
    return Version(text)


def tag_of(version: Version) -> str:
    """Return the image tag for `version`, in which `_` stands for `+`.

    SemVer has no `_`, so two versions never share a tag.
    """
    return version.replace("+", "_")


def proposal_for(text: str) -> str | None:
    """Return the version that `text` was probably meant to be, with three numbers; None when it can be no version."""
    loose = _LOOSE.fullmatch(text)
    if loose is None:
        return None
    *numbers, rest = loose.groups(default="")
    version = ".".join(str(int(number or 0)) for number in numbers) + rest
    return version if semver.Version.is_valid(version) else None


def _fault_of(text: str) -> str:
    proposal = proposal_for(text)
    hint = f": write {proposal}" if proposal else ", such as 1.4.0 or 1.4.0-rc.1"
    if text[:1] in {"v", "V"} and semver.Version.is_valid(text[1:]):
        return f"must not begin with v{hint}"
    if _LEADING_ZERO.search(text.partition("+")[0]):
        return f"must not have numbers with leading zeros{hint} (SemVer 2.0.0)"
    return f"must be three numbers joined by dots{hint} (SemVer 2.0.0)"
