"""A member's name in an archive: which ones are paths of a pack, and how any of them is shown to people."""

import re
from typing import Final

from packyard.packs.limits import ArchiveLimits

# What Linux file systems hold (NAME_MAX); a longer name could be published but never unpacked.
_MAX_SEGMENT_BYTES: Final = 255
_MAX_SHOWN: Final = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_LITTER = re.compile(r"(?:^|/)(?:\.DS_Store|\._[^/]*|__MACOSX)(?:/|$)")
_ROOT_NAMES: Final = (b".", b"./")


def parse_member_path(name: bytes, *, directory: bool, limits: ArchiveLimits) -> str:
    """Return a member's path, relative and in segments joined by single slashes; empty for the root itself.

    One leading `./`, as `tar .` writes it, and one trailing slash of a directory are not part of the path.
    Its Unicode spelling is kept: what counts as equal is the caller's business (API contract, section 3).

    Args:
        name: The name as the archive has it.
        directory: Whether the member is a directory.
        limits: `path_bytes` and `path_depth` are enforced here.

    Raises:
        ValueError: The name is not a relative path within the limits, or one that an image layer cannot hold.
    """
    if directory and name in _ROOT_NAMES:
        return ""
    stem = name.removeprefix(b"./")
    if directory:
        stem = stem.removesuffix(b"/")
    if len(stem) > limits.path_bytes:
        raise ValueError(f"the path is over {limits.path_bytes} bytes")
    try:
        path = stem.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the path is not UTF-8") from None
    if _CONTROL.search(path):
        raise ValueError("the path holds a control character")
    if "\\" in path:
        raise ValueError("the path holds a backslash")
    if path.startswith("/"):
        raise ValueError("the path is absolute")
    segments = path.split("/")
    if len(segments) > limits.path_depth:
        raise ValueError(f"the path is over {limits.path_depth} levels deep")
    for segment in segments:
        _check_segment(segment)
    return path


def _check_segment(segment: str) -> None:
    if segment in ("", ".", ".."):
        raise ValueError(
            f"the path holds {segment!r} as a segment" if segment else "the path holds an empty segment"
        )
    if segment.startswith(".wh."):
        raise ValueError("names that begin with .wh. mean deletion in an image layer")
    # A character takes at most four bytes, so most names need no second encoding.
    if len(segment) * 4 > _MAX_SEGMENT_BYTES and len(segment.encode()) > _MAX_SEGMENT_BYTES:
        raise ValueError(f"a name in the path is over {_MAX_SEGMENT_BYTES} bytes")


def is_litter(path: str) -> bool:
    """Tell whether a path is, or lies in, what archivers add unasked: `.DS_Store`, `._*`, `__MACOSX`."""
    return _LITTER.search(path) is not None


def shown(name: bytes) -> str:
    """Return any name as short printable text: escaped where needed, the middle of a long one left out.

    Bidirectional overrides and line separators are escaped although paths may hold them: a message that shows
    a name must not be reordered or broken by it.
    """
    if len(name) > _MAX_SHOWN:
        half = _MAX_SHOWN // 2
        return f"{shown(name[:half])}…{shown(name[-half:])}"
    text = _UNSHOWABLE.sub(_escaped, name.decode("utf-8", errors="surrogateescape"))
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
