"""Inflates a gzip member with the system's zlib, which can stop between two blocks (`Z_BLOCK` in zlib.h).

Neither Python's `zlib` nor isal offers that. The package managers of Amazon Linux and Debian depend on zlib, so it is
installed there. Importing this module raises ImportError if zlib is missing or older than 1.2.8 (2013).
"""

import ctypes
import weakref
from typing import Final

from packyard.oci.image_fault import CORRUPT_LAYER, ImageFault
from packyard.oci.read.checkpoints import WINDOW_BYTES, CheckpointLog

_NAMES: Final = ("libz.so.1", "libz.1.dylib")
# zlib.h
_OK: Final = 0
_STREAM_END: Final = 1
_BUFFER_ERROR: Final = -5
_NO_FLUSH: Final = 0
_BLOCK: Final = 5
_GZIP: Final = 31
# Bits of `data_type` after a call: inflate stopped between two blocks; it is in the last block; and the number of bits
# of the last input byte that it has not used.
_BETWEEN: Final = 128
_LAST: Final = 64
_LEFT: Final = 7


class _Stream(ctypes.Structure):
    """`z_stream` (zlib.h)."""

    _fields_ = (
        ("next_in", ctypes.c_char_p),
        ("avail_in", ctypes.c_uint),
        ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint),
        ("total_out", ctypes.c_ulong),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_ulong),
        ("reserved", ctypes.c_ulong),
    )


def _library() -> ctypes.CDLL:
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        pointer = ctypes.POINTER(_Stream)
        library.zlibVersion.restype = ctypes.c_char_p
        library.inflateInit2_.argtypes = (pointer, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
        library.inflate.argtypes = (pointer, ctypes.c_int)
        library.inflateGetDictionary.argtypes = (pointer, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint))
        library.inflateEnd.argtypes = (pointer,)
        return library
    raise ImportError("there is no zlib here")


try:
    _ZLIB: Final = _library()
except AttributeError as error:
    raise ImportError("zlib here is older than 1.2.8") from error


class BlockInflater:
    """Inflates the first gzip member of a layer, with the interface of `isal.igzip_lib.IgzipDecompressor`.

    Args:
        log: Receives the member's checkpoints.

    Attributes:
        eof: Whether the member has ended.
        needs_input: Whether more input is needed before there is more output.
        unused_data: The part of the last input that follows the member.
    """

    def __init__(self, log: CheckpointLog) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._log = log
        self._input = b""
        self._output = ctypes.create_string_buffer(0)
        self._stream = _Stream()
        version = _ZLIB.zlibVersion()
        if _ZLIB.inflateInit2_(self._stream, _GZIP, version, ctypes.sizeof(_Stream)) != _OK:
            raise MemoryError
        weakref.finalize(self, _ZLIB.inflateEnd, self._stream)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return more output.

        Args:
            data: More input. It must be empty unless `needs_input` is set.
            max_length: The most bytes to return, at least 1.

        Raises:
            ImageFault: The input is not a gzip member, or a damaged one.
        """
        stream = self._stream
        if data:
            # zlib keeps a pointer into it, so it must not be freed.
            self._input = data
            stream.next_in, stream.avail_in = data, len(data)
        if len(self._output) < max_length:
            self._output = ctypes.create_string_buffer(max_length)
        stream.next_out = ctypes.addressof(self._output)
        room = max_length
        while room and not self.eof:
            made = self._inflate(room)
            room -= made
            if not made and not stream.avail_in:
                break
        self.needs_input = room > 0 and not self.eof
        if self.eof:
            self.unused_data = self._input[len(self._input) - stream.avail_in :]
        return ctypes.string_at(self._output, max_length - room)

    def _inflate(self, room: int) -> int:
        """Inflate up to where the next checkpoint may be, or from there to the next block. Return the bytes of output.

        Where it stops depends on the output alone, not on the sizes of the inputs.
        """
        stream = self._stream
        missing = self._log.next_at - stream.total_out
        stream.avail_out = offered = min(room, missing) if missing > 0 else room
        status = _ZLIB.inflate(stream, _NO_FLUSH if missing > 0 else _BLOCK)
        if status == _STREAM_END:
            self.eof = True
        elif status not in (_OK, _BUFFER_ERROR):
            raise ImageFault(CORRUPT_LAYER)
        elif missing <= 0 and stream.data_type & _BETWEEN and not stream.data_type & _LAST:
            self._note()
        return offered - int(stream.avail_out)

    def _note(self) -> None:
        stream = self._stream
        window, size = ctypes.create_string_buffer(WINDOW_BYTES), ctypes.c_uint()
        if _ZLIB.inflateGetDictionary(stream, window, size) == _OK:
            left = stream.data_type & _LEFT
            content = ctypes.string_at(window, size.value)
            self._log.note(at=stream.total_out, offset=stream.total_in, bits=left, window=content)
