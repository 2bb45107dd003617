"""Bytes that are written once, from start to end, and read back piece by piece, in any order and from any thread."""

import os
from tempfile import TemporaryFile
from threading import Lock
from types import TracebackType
from typing import IO, Self

# What stays below this touches no disk.
_MEMORY_BYTES = 8 << 20


class Spool:
    """A context manager: what it holds ends with it.

    The last 8 MiB at most are in memory, the rest on local disk: it is written in large pieces, each once.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._on_disk = 0
        self._tail = bytearray()
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tail.clear()
        if self._file is not None:
            self._file.close()

    @property
    def size(self) -> int:
        """Bytes that have been appended."""
        with self._lock:
            return self._on_disk + len(self._tail)

    def append(self, data: bytes) -> int:
        """Add bytes to the end and return where they start.

        Raises:
            OSError: The disk did not take them.
        """
        with self._lock:
            offset = self._on_disk + len(self._tail)
            self._tail += data
            if len(self._tail) > _MEMORY_BYTES:
                self._write_tail()
            return offset

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes that were appended together.

        Raises:
            OSError: The disk did not give them.
        """
        with self._lock:
            start = offset - self._on_disk
            if start >= 0 or self._file is None:
                return bytes(self._tail[start : start + length])
            file = self._file.fileno()
        return os.pread(file, length, offset)

    def truncate(self, size: int) -> None:
        """Forget everything from an offset on, and free its place on disk.

        Args:
            size: Bytes that stay, at most as many as there are.
        """
        with self._lock:
            if self._file is None or size >= self._on_disk:
                del self._tail[size - self._on_disk :]
                return
            self._tail.clear()
            self._file.seek(size)
            self._file.truncate()
            self._on_disk = size

    def _write_tail(self) -> None:
        if self._file is None:
            self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed by __exit__
        written = 0
        with memoryview(self._tail) as tail:
            while written < len(tail):
                written += self._file.write(tail[written:])
        self._on_disk += written
        self._tail = bytearray()
