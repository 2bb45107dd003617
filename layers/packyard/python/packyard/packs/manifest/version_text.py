"""Parsing the text of a version, and proposing one for a text that is none (API contract, section 1)."""

import re
from typing import Final

import semver

from packyard.packs.manifest.version import MAX_LENGTH, Version

_LEADING_ZERO: Final = re.compile(r"(?:^|[.-])0[0-9]+(?:[.+-]|$)")
_THREE_NUMBERS: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?!\.?[0-9])")
# Texts that people write as a version: after a word or a range operator, with too few or too many numbers, or with a
# label that has no hyphen before it, as in PEP 440 (1.0rc1, 1.0.post2).
_LOOSE: Final = re.compile(
    r"\s*[\^~<>=]*\s*(?:(?:v|ver|version|r|rel|release)[. _-]*)?"
    r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?"
    r"([-+_. ]?[0-9a-z._ +-]*)\s*",
    re.IGNORECASE,
)
# Typographic quotes of word processors. To YAML, they are part of the text.
_QUOTES: Final = "\u201c\u201d\u201e\u2018\u2019\u201a\xab\xbb\"'`"
_DATE: Final = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})")
# A label that may follow any count of numbers, and a label that may follow two or more. In 1e3, 0x10 and 1.x, the
# letters are no label.
_MARKED_LABEL: Final = re.compile(r"[-+]")
_BARE_LABEL: Final = re.compile(r"[ ._]?(?!e[-+]?[0-9]|x\b)[a-z]", re.IGNORECASE)
_POST_RELEASE: Final = re.compile(r"post[0-9]", re.IGNORECASE)
_ZEROS: Final = re.compile(r"(?<![0-9A-Za-z-])0+(?=[0-9]+(?:\.|\Z))")


def parse_version(text: str) -> Version:
    """Return `text` as a version.

    Raises:
        ValueError: Longer than 128 characters, or not SemVer 2.0.0. The message is for people.
    """
    # Checked first, because SemVer does not limit the length of numbers.
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must be at most {MAX_LENGTH} characters; this has {len(text)}")
    if not semver.Version.is_valid(text):
        raise ValueError(_fault_of(text))
    return Version(text)


def proposal_for(text: str) -> str | None:
    """Return the SemVer version that `text` was probably meant to be, or None if it resembles none."""
    text = text.strip().strip(_QUOTES)
    date = _DATE.fullmatch(text)
    if date is not None:
        return ".".join(str(int(number)) for number in date.groups())
    loose = _LOOSE.fullmatch(text)
    if loose is None:
        return None
    *numbers, fourth, rest = loose.groups()
    label = _label_of(rest, count=sum(number is not None for number in numbers))
    if label is None:
        return None
    # A fourth number becomes build metadata. As a pre-release label, it would sort before the three-number version.
    build = f"{'.' if '+' in label else '+'}{int(fourth)}" if int(fourth or 0) else ""
    version = ".".join(str(int(number or 0)) for number in numbers) + label + build
    return version if len(version) <= MAX_LENGTH and semver.Version.is_valid(version) else None


def _label_of(rest: str, *, count: int) -> str | None:
    """Return the text after the numbers as a SemVer label, or None if it cannot be one.

    Args:
        rest: The text after the numbers.
        count: How many of the first three numbers are there.
    """
    rest = rest.strip()
    if rest.startswith("_") and count == len(("major", "minor", "patch")):
        # An image tag, in which `_` stands for `+` (`tag_of`).
        return f"+{rest[1:]}"
    if rest and not _MARKED_LABEL.match(rest) and not (count > 1 and _BARE_LABEL.match(rest)):
        return None
    mark = "+" if rest.startswith("+") or _POST_RELEASE.match(rest.lstrip("-._ ")) else "-"
    label, plus, build = re.sub(r"[_ ]+", "-", rest.strip("+-._ ")).partition("+")
    label = label if mark == "+" else _ZEROS.sub("", label)
    return f"{mark}{label}{plus}{build}" if label else ""


def _fault_of(text: str) -> str:
    proposal = proposal_for(text)
    hint = f": write {proposal}" if proposal else ", such as 1.4.0 or 1.4.0-rc.1"
    if _DATE.fullmatch(text.strip()):
        return f"must be three numbers joined by dots, without leading zeros{hint} (SemVer 2.0.0)"
    if text[:1] in {"v", "V"} and semver.Version.is_valid(text[1:]):
        return f"must not begin with v{hint}"
    if _LEADING_ZERO.search(text.partition("+")[0]):
        return f"must not have numbers with leading zeros{hint} (SemVer 2.0.0)"
    if _THREE_NUMBERS.match(text):
        return (
            f"may have after its three numbers only a hyphen and a label of letters, digits, hyphens and dots{hint} "
            "(SemVer 2.0.0)"
        )
    return f"must be three numbers joined by dots{hint} (SemVer 2.0.0)"
