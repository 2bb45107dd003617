"""A lock on a folder that is to be filled: a file beside it, which the system unlocks when the process ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from packyard_cli.failure import Exit, Failure

# What file systems without locks answer. There, two processes can get in each other's way, as without this lock.
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NOT_WRITABLE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

if sys.platform == "win32":
    import msvcrt

    def take_lock(descriptor: int) -> None:
        """Lock an open file, or raise `OSError`."""
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def take_lock(descriptor: int) -> None:
        """Lock an open file, or raise `OSError`."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder, which need not exist. Its parent must.

    Yields whether the file system has locks, so that this process is alone for certain.

    Raises:
        Failure: Another process holds it.
        OSError: The lock's file cannot be written.
    """
    file = folder.parent / f".{folder.name}.packyard-lock"
    descriptor, alone = _opened(file, folder)
    try:
        yield alone
    finally:
        # Windows removes no open file. There, the next process takes the file that is left.
        with suppress(OSError):
            file.unlink()
        os.close(descriptor)
        if sys.platform == "win32":
            with suppress(OSError):
                file.unlink()


def _opened(file: Path, folder: Path) -> tuple[int, bool]:
    while True:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno in _NOT_WRITABLE:
                raise not_writable(file.parent, error) from None
            raise
        try:
            take_lock(descriptor)
            if _is_at(descriptor, file):
                return descriptor, True
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor, False
            os.close(descriptor)
            if error.errno in {errno.EACCES, errno.EAGAIN, errno.EDEADLK}:
                raise _busy(folder) from None
            raise
        # The holder before has removed the file between our opening and locking it, so others lock another file.
        os.close(descriptor)


def not_writable(parent: Path, error: OSError) -> Failure:
    """Return that the folder above an installation cannot be written, in which it has to appear as a whole."""
    return Failure(
        Exit.DISK,
        f"{parent} cannot be written ({error.strerror or error}), and an installation appears there as a whole.",
        f"Make {parent} writable for you, or name a folder below one that is.",
    )


def _is_at(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _busy(folder: Path) -> Failure:
    return Failure(
        Exit.CONFLICT,
        f"Another packyard fills {folder} at the moment, so nothing was changed.",
        "Repeat the command when that one has ended.",
    )
