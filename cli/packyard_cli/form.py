"""A multipart form that is sent piece by piece, and can be sent again (RFC 7578)."""

import io
import secrets
from collections.abc import Callable, Sequence
from typing import IO, Any, Final

_BUFFER: Final = 256 << 10
_UNSAFE: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class FormBody:
    """A form of texts and at most one file, which is its last part, as S3 wants it.

    Args:
        fields: Names and texts, in order; a name may come more than once.
        file: The name of the file's part and the file; None for no file.
        on_bytes: Called with each number of bytes that was read to be sent.
        on_start: Called whenever sending begins.
    """

    def __init__(
        self,
        fields: Sequence[tuple[str, str]],
        file: tuple[str, IO[bytes]] | None = None,
        *,
        on_bytes: Callable[[int], None] = lambda _: None,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._on_bytes, self._on_start = on_bytes, on_start
        parts = [_part(boundary, name, "") + text.encode() + b"\r\n" for name, text in fields]
        self._file = file[1] if file else io.BytesIO()
        end = f"--{boundary}--\r\n".encode()
        if file:
            more = '; filename="pack.tar.gz"\r\nContent-Type: application/gzip'
            parts.append(_part(boundary, file[0], more))
            end = b"\r\n" + end
        self._before, self._after = b"".join(parts), end
        self._file_size = self._file.seek(0, io.SEEK_END)

    def __len__(self) -> int:
        """Return its bytes."""
        return len(self._before) + self._file_size + len(self._after)

    def open(self) -> IO[bytes]:
        """Return what to send, from the start."""
        self._on_start()
        self._file.seek(0)
        streams = [io.BytesIO(self._before), self._file, io.BytesIO(self._after)]
        return io.BufferedReader(_Chained(streams, self._on_bytes), _BUFFER)


class _Chained(io.RawIOBase):
    def __init__(self, streams: list[IO[bytes]], on_bytes: Callable[[int], None]) -> None:
        super().__init__()
        self._streams = streams
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._streams:
            piece = self._streams[0].read(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                self._on_bytes(len(piece))
                return len(piece)
            self._streams.pop(0)
        return 0


def _part(boundary: str, name: str, more: str) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name.translate(_UNSAFE)}"{more}'
    return f"--{boundary}\r\n{disposition}\r\n\r\n".encode()
