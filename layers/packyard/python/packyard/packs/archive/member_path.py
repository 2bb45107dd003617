"""Names of archive members: which ones are valid paths in a pack, and how messages show them."""

import re
from collections.abc import Iterable
from typing import Final

from packyard.packs.archive.limits import ArchiveLimits

# NAME_MAX of Linux file systems. A file with a longer name could be published but never unpacked.
_MAX_SEGMENT_BYTES: Final = 255
_MAX_SHOWN: Final = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# Files that Finder, macOS' archivers and Explorer add. Names of Windows are case-insensitive.
_LITTER = re.compile(r"(?:^|/)(?:\.DS_Store|\._[^/]*|__MACOSX|Icon\r|(?i:Thumbs\.db|desktop\.ini))(?:/|$)")
_MAC_ICON: Final = re.compile(r"(?:^|/)Icon\r(?:/|$)")
# Most names of files, which every check of a path accepts but for its length and depth. It saves these checks' time.
_PLAIN = re.compile(rb"(?:[\w-][\w. +-]{0,99}/)*[\w-][\w. +-]{0,99}")
# A folder's name in printable ASCII, which every check of this module accepts.
_FOLDER = re.compile(rb"(?!\.{1,2}$)(?!\.wh\.)[ !#-~]+")


def parse_member_path(name: bytes, *, directory: bool, limits: ArchiveLimits) -> str:
    """Return a member's path, relative and with segments joined by single slashes; empty for the root itself.

    Empty segments and `.` segments are left out, as in every program that unpacks: `tar .` writes `./a`, and
    `tar folder//a` and `tar ./folder/./a` write their arguments unchanged.
    The Unicode form is kept. `PathTree` compares paths after normalisation (API contract, section 3).

    Args:
        name: The name as the archive has it.
        directory: Whether the member is a directory.
        limits: `path_bytes` and `path_depth` are enforced here.

    Raises:
        ValueError: The name is not a relative path within the limits, or an image layer cannot hold it. The message is
            for people.
    """
    if len(name.removeprefix(b"./").removesuffix(b"/")) > limits.path_bytes:
        raise ValueError(f"the path is over {limits.path_bytes} bytes; move the file up, or shorten names")
    if _PLAIN.fullmatch(name) and name.count(b"/") < limits.path_depth:
        return name.decode("ascii")
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
    """Return the names of the folders directly below a path that contain members with these names.

    The rest of a member's name need not be valid.

    Args:
        names: Members' names as the archive has them.
        below: A folder's path and a slash; empty for the root.
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
    """Return whether a path is, or is in, something that desktops add to archives unasked (API contract, section 3)."""
    return _LITTER.search(path) is not None


def shown(name: bytes) -> str:
    """Return any name as short printable text: with escapes where needed, and without the middle of a long name.

    Bidirectional overrides and line separators are escaped, although paths may contain them, because they could reorder
    or break a message.
    """
    if len(name) > _MAX_SHOWN:
        half = _MAX_SHOWN // 2
        return f"{shown(name[:half])}…{shown(name[-half:])}"
    text = _UNSHOWABLE.sub(_escaped, name.decode("utf-8", errors="surrogateescape"))
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
