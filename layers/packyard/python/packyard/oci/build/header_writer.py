"""Writing tar headers. `tarfile` is not used, so that a layer's bytes do not depend on the version of Python.

A header states only what the contract keeps: the path, the kind, the size, and the mode 0644 or 0755. Owner, group and,
in layers, time are 0, and the names of owner and group are empty (API contract, section 4). The format is that of
POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
"""

BLOCK = 512

_NAME_BYTES = 100
_PREFIX_BYTES = 155
_FILE = b"0"
_DIRECTORY = b"5"
_EXTENDED = b"x"
_EXTENDED_NAME = b"PaxHeader"


def file_header(path: str, *, size: int, executable: bool, mtime: int = 0) -> bytes:
    """Return the header of a regular file of `size` bytes.

    Args:
        path: Relative to the root.
        size: Bytes.
        executable: Whether its mode is 0755, and not 0644.
        mtime: Its time, in seconds since 1970. Layers have 0; archives may state another one.

    Raises:
        ValueError: `size` is 8 GiB or more, which a ustar header cannot state.
    """
    return _header(path.encode(), kind=_FILE, mode=0o755 if executable else 0o644, size=size, mtime=mtime)


def file_member_size(path: str, size: int) -> int:
    """Return the bytes that a regular file takes in a tar: its header, its content, and what pads it.

    Args:
        path: Relative to the root.
        size: Bytes of content.
    """
    content = size + -size % BLOCK
    if _split(path.encode()) is not None:
        return BLOCK + content
    return len(file_header(path, size=size, executable=False)) + content


def directory_header(path: str) -> bytes:
    """Return the header of a directory; `path` has no slash at its end."""
    return _header(path.encode() + b"/", kind=_DIRECTORY, mode=0o755, size=0)


def padding(size: int) -> bytes:
    """Return the zeros that pad `size` bytes of content to a multiple of 512."""
    return bytes(-size % BLOCK)


def end_of_archive() -> bytes:
    """Return the two zero blocks that end an archive."""
    return bytes(2 * BLOCK)


def _header(path: bytes, *, kind: bytes, mode: int, size: int, mtime: int = 0) -> bytes:
    split = _split(path)
    if split is not None:
        prefix, name = split
        return _block(name, prefix=prefix, kind=kind, mode=mode, size=size, mtime=mtime)
    record = _pax_record(b"path", path)
    # Readers that know pax ignore this name, so it only has to be present and valid.
    short_name = path.decode().encode("ascii", "replace")[:_NAME_BYTES]
    return b"".join(
        (
            _block(_EXTENDED_NAME, prefix=b"", kind=_EXTENDED, mode=0o644, size=len(record)),
            record,
            padding(len(record)),
            _block(short_name, prefix=b"", kind=kind, mode=mode, size=size, mtime=mtime),
        )
    )


def _split(path: bytes) -> tuple[bytes, bytes] | None:
    """Return ustar's prefix and name for a path, or None if it needs a pax record.

    A path that is not ASCII needs one, because some readers decode ustar names by the locale.
    """
    if not path.isascii():
        return None
    if len(path) <= _NAME_BYTES:
        return b"", path
    # A directory's path ends with a slash, which belongs to the name. The path must not be split there.
    slash = path.rfind(b"/", 1, min(_PREFIX_BYTES + 1, len(path) - 1))
    if slash < 0 or len(path) - slash - 1 > _NAME_BYTES:
        return None
    return path[:slash], path[slash + 1 :]


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Return `<length> <key>=<value>` and a newline. The length includes its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def _block(  # noqa: PLR0913 - by name: the fields of a header
    name: bytes, *, prefix: bytes, kind: bytes, mode: int, size: int, mtime: int = 0
) -> bytes:
    if size >= 8**11:
        raise ValueError("a tar header cannot state 8 GiB or more")
    fields = b"".join(
        (
            name.ljust(_NAME_BYTES, b"\0"),
            b"%07o\0" % mode,
            b"%07o\0" % 0,  # owner
            b"%07o\0" % 0,  # group
            b"%011o\0" % size,
            b"%011o\0" % mtime,
            b" " * 8,  # the checksum counts itself as spaces
            kind,
            bytes(100),  # link target
            b"ustar\x0000",
            bytes(64),  # names of owner and group
            b"%07o\0%07o\0" % (0, 0),  # device
            prefix.ljust(_PREFIX_BYTES, b"\0"),
            bytes(12),
        )
    )
    # Removing the zeros first is faster and does not change the sum.
    return fields[:148] + b"%06o\0 " % sum(fields.translate(None, b"\0")) + fields[156:]
