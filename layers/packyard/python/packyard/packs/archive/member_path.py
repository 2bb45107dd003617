"""A member's name in an archive: which ones are paths of a pack, and how any of them is shown to people."""

import re
from collections.abc import Iterable
from typing import Final

from packyard.packs.archive.limits import ArchiveLimits

# What Linux file systems hold (NAME_MAX); a longer name could be published but never unpacked.
_MAX_SEGMENT_BYTES: Final = 255
_MAX_SHOWN: Final = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# Of Finder, macOS' archivers and Explorer; Windows does not tell the letters' case.
_LITTER = re.compile(r"(?:^|/)(?:\.DS_Store|\._[^/]*|__MACOSX|Icon\r|(?i:Thumbs\.db|desktop\.ini))(?:/|$)")
_MAC_ICON: Final = re.compile(r"(?:^|/)Icon\r(?:/|$)")
# In plain letters, so that there is no question what it is.
_FOLDER = re.compile(rb"(?!\.{1,2}$)(?!\.wh\.)[ !#-~]+")


def parse_member_path(name: bytes, *, directory: bool, limits: ArchiveLimits) -> str:
    """Return a member's path, relative and in segments joined by single slashes; empty for the root itself.

    Empty segments and those that are `.` are left out, as every reader does that unpacks: `tar .` writes `./a`, and
    `tar folder//a` and `tar ./folder/./a` write what they were given.
    Its Unicode spelling is kept: what counts as equal is the caller's business (API contract, section 3).

    Args:
        name: The name as the archive has it.
        directory: Whether the member is a directory.
        limits: `path_bytes` and `path_depth` are enforced here.

    Raises:
        ValueError: The name is not a relative path within the limits, or one that an image layer cannot hold.
    """
    if len(name.removeprefix(b"./").removesuffix(b"/")) > limits.path_bytes:
        raise ValueError(f"the path is over {limits.path_bytes} bytes; move the file up, or shorten names")
    try:
        path = name.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(
            "the path is not UTF-8; rename the file, or pack with a tool that writes UTF-8 (bsdtar: --options "
            "hdrcharset=UTF-8)"
        ) from None
    if _CONTROL.search(_MAC_ICON.sub("/", path)):
        raise ValueError("the path holds a control character; rename the file")
    if "\\" in path:
        raise ValueError(
            "the path holds a backslash; write slashes between folders, as tar does on Windows too"
        )
    if path.startswith("/"):
        raise ValueError(
            "the path is absolute; pack from inside the folder (tar -C FOLDER -czf pack.tar.gz .), without -P"
        )
    if not path or (not directory and path.rpartition("/")[2] in ("", ".")):
        raise ValueError(
            "the path has no name at its end, so that readers differ on what it is; give the file one"
        )
    segments = [segment for segment in path.split("/") if segment not in ("", ".")]
    if len(segments) > limits.path_depth:
        raise ValueError(f"the path is over {limits.path_depth} levels deep; move the file up")
    for segment in segments:
        _check_segment(segment)
    return "/".join(segments)


def _check_segment(segment: str) -> None:
    if segment == "..":
        raise ValueError(
            "the path holds '..' as a segment; pack from inside the folder (tar -C FOLDER -czf pack.tar.gz .), without "
            "-P"
        )
    if segment.startswith(".wh."):
        raise ValueError("names that begin with .wh. mean deletion in an image layer; rename the file")
    # A character takes at most four bytes, so most names need no second encoding.
    if len(segment) * 4 > _MAX_SEGMENT_BYTES and len(segment.encode()) > _MAX_SEGMENT_BYTES:
        raise ValueError(
            f"a name in the path is over {_MAX_SEGMENT_BYTES} bytes, which no file system holds; shorten it"
        )


def folders_of(names: Iterable[bytes], *, below: str) -> set[str]:
    """Return the folders right below a path in which members of these names lie, be the rest of the names valid or not.

    Args:
        names: As the archive has them.
        below: Nothing, or a folder's path and a slash.
    """
    prefix = below.encode()
    folders = set()
    for name in names:
        if name.startswith(b"/"):
            continue
        path = b"/".join(segment for segment in name.split(b"/") if segment not in (b"", b"."))
        folder, slash, _ = path.removeprefix(prefix).partition(b"/")
        if slash and path.startswith(prefix) and _FOLDER.fullmatch(folder) and not is_litter(folder.decode()):
            folders.add(folder.decode())
    return folders


def is_litter(path: str) -> bool:
    """Tell whether a path is, or lies in, what desktops and their archivers add unasked (API contract, section 3)."""
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
