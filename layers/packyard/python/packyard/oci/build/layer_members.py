"""Taking a layer of ours apart into what its files consist of, so that another can be made of the same members.

Where a file lies is only said by an index, which may be wrong. But a layer of ours follows from its files and
directories: what stands between the files must be their headers, and nothing else. So what was taken apart is what the
layer holds.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from isal import igzip_lib

from packyard.oci.build.header_writer import end_of_archive, padding
from packyard.oci.build.layer import LayerSpool, header_of
from packyard.oci.build.tree import Directory, Entry, File, canonical_order
from packyard.oci.content import Content, GzipMember
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.oci.read.inflation import inflate_layer

# The stub declares an instance.
_GZIP_ERRORS: Final[tuple[type[Exception], ...]] = (igzip_lib.IsalError,)  # type: ignore[assignment]
# The last four bytes of a member: how much it inflates to (RFC 1952, section 2.3.1).
_SIZE_FIELD: Final = slice(-4, None)


class NotOurForm(Exception):
    """The layer does not consist of what the index says: the index is wrong, or the layer is not one of ours."""


def entries_of(index: FileIndex) -> list[Entry]:
    """Return what an image with one layer of ours holds, in the layer's order and with its members.

    Raises:
        NotOurForm: The index is of a layer that we have not built.
    """
    return canonical_order(directories=index.directories, files=map(_in_layer, index.files))


def edited_entries(  # noqa: PLR0913 - by name; an old layer, and a new one
    old: Iterable[Entry],
    new: File,
    chunks: Iterator[bytes],
    *,
    order: Iterable[Entry],
    size: int,
    spool: LayerSpool,
) -> Iterator[Entry]:
    """Yield the entries of an edited layer while the old one comes in, its members put into a spool as they are.

    Args:
        old: The old layer's entries, as `entries_of` has them.
        new: The new file; its content is in the spool.
        chunks: The old blob; what raises there passes through. It is read to its end.
        order: The old entries with the new one among them.
        size: Of the old blob, in bytes.
        spool: Where to put the members.

    Raises:
        NotOurForm: The old layer is not a row of members that follows from its entries; maybe only at the end.
    """
    taken_old = taken_files(old, chunks, size=size, spool=spool)
    for entry in order:
        if isinstance(entry, Directory) or entry is new:
            yield entry
            continue
        taken = next((file for file in taken_old if file.path == entry.path), None)
        if taken is None:
            raise NotOurForm
        yield taken
    for _ in taken_old:
        pass


def taken_files(
    entries: Iterable[Entry], chunks: Iterator[bytes], *, size: int, spool: LayerSpool
) -> Iterator[File]:
    """Yield the files of a layer in its order, their members put into a spool as they are.

    Args:
        entries: The layer's, as `entries_of` has them.
        chunks: The blob; what raises there passes through. It is read to its end.
        size: Of the blob, in bytes.
        spool: Where to put the members, and those of the headers between them.

    Raises:
        NotOurForm: The layer is not a row of members that follows from these entries; maybe only at the end.
    """
    try:
        yield from _taken(entries, _Cutter(chunks), size, spool)
    except ImageFault as fault:
        raise NotOurForm from fault
    finally:
        # Only a whole blob is known to be the one that was asked for.
        for _ in chunks:
            pass


def _taken(entries: Iterable[Entry], blob: "_Cutter", size: int, spool: LayerSpool) -> Iterator[File]:
    headers = bytearray()
    at = 0
    for entry in entries:
        headers += header_of(entry)
        if isinstance(entry, Directory):
            continue
        content = entry.content
        if content.members:
            _take_headers(blob.take(content.members[0].offset - at), bytes(headers), spool)
            headers.clear()
            at = content.members[-1].offset + content.members[-1].length
        adopted = tuple([_adopt(blob.take(member.length), member, spool) for member in content.members])
        yield File(entry.path, entry.executable, Content(content.size, content.sha256, adopted))
    _take_headers(blob.take(size - at), bytes(headers + end_of_archive()), spool)


def _in_layer(file: IndexedFile) -> File:
    """Return a file as a layer of ours has it."""
    raw_size = sum(member.raw_size for member in file.members)
    if raw_size != file.size + len(padding(file.size)):
        raise NotOurForm
    return File(file.path, bool(file.mode & 0o111), Content(file.size, file.sha256, file.members))


def _adopt(compressed: bytes, member: GzipMember, spool: LayerSpool) -> GzipMember:
    if int.from_bytes(compressed[_SIZE_FIELD], "little") != member.raw_size:
        raise NotOurForm
    return spool.adopt(compressed, raw_size=member.raw_size)


def _take_headers(members: bytes, headers: bytes, spool: LayerSpool) -> None:
    """Check that what stands between two files inflates to these headers, without inflating more than that.

    Usually it is one member, as another layer can have it where the same headers stand.
    """
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    try:
        first = inflater.decompress(members, len(headers) + 1)
    except _GZIP_ERRORS as error:
        raise NotOurForm from error
    if first == headers and inflater.eof and not inflater.unused_data:
        spool.adopt_headers(members, raw=headers)
    elif b"".join(_bounded(inflate_layer([members]), len(headers))) != headers:
        raise NotOurForm


def _bounded(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        size -= len(piece)
        if size < 0:
            raise NotOurForm
        yield piece


class _Cutter:
    """A blob that is read in pieces of given sizes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = b""
        self._position = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes, `count` of them."""
        if count < 0:
            raise NotOurForm
        end = self._position + count
        if end > len(self._chunk):
            self._refill(count)
            end = count
        data = self._chunk[self._position : end]
        self._position = end
        return data

    def _refill(self, count: int) -> None:
        """Have a chunk that holds what is left of this one, and at least `count` bytes."""
        pieces = [self._chunk[self._position :]]
        size = len(pieces[0])
        while size < count:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise NotOurForm
            pieces.append(chunk)
            size += len(chunk)
        self._chunk = b"".join(pieces)
        self._position = 0
