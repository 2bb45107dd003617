"""Pack versions (SemVer 2.0.0) and their image tags (API contract, sections 1 and 4)."""

from typing import Final, NewType

Version = NewType("Version", str)

# A version becomes a tag, and a tag has at most 128 characters (OCI distribution-spec, "Pulling manifests").
MAX_LENGTH: Final = 128
# SemVer 2.0.0, question "Is there a suggested regular expression", as JSON Schema knows regular expressions.
_NUMBER: Final = "(0|[1-9][0-9]*)"
_PRE: Final = "(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
VERSION_PATTERN: Final = (
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE}(\.{_PRE})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)


def tag_of(version: Version) -> str:
    """Return the image tag for a version, with `_` in place of `+`, which tags cannot contain.

    SemVer does not allow `_`, so two versions never have the same tag.
    """
    return version.replace("+", "_")


def precedence(version: Version) -> str:
    """Return a text by which versions sort as SemVer 2.0.0, section 11, orders them. Build metadata does not count.

    Args:
        version: The version. Its numbers have no leading zeros.
    """
    numbers, _, pre_release = version.partition("+")[0].partition("-")
    core = ".".join(map(_number, numbers.split(".")))
    if not pre_release:
        # `~` sorts after `-`: a release comes after its pre-releases.
        return f"{core}~"
    # A number sorts before a word. `!` ends an identifier, and sorts before every character of one.
    identifiers = (f"0{_number(part)}!" if part.isdigit() else f"1{part}!" for part in pre_release.split("."))
    return f"{core}-{''.join(identifiers)}"


def version_after(version: Version) -> Version:
    """Return the least release that is higher than a version."""
    numbers, _, pre_release = version.partition("+")[0].partition("-")
    if pre_release:
        return Version(numbers)
    major, minor, patch = numbers.split(".")
    return Version(f"{major}.{minor}.{int(patch) + 1}")


def _number(digits: str) -> str:
    # A version has at most 128 characters, as its tag.
    return f"{len(digits):03d}{digits}"
