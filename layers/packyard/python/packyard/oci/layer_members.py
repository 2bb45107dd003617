"""Taking a layer of ours apart into what its files consist of, so that another can be made of the same members.

Where a file lies is only said by an index, which may be wrong. But a layer of ours follows from its files and
directories: what stands between the files must be their headers, and nothing else. So what was taken apart is what the
layer holds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from packyard.oci.content import Content, GzipMember
from packyard.oci.file_index import FileIndex, IndexedFile
from packyard.oci.image_fault import ImageFault
from packyard.oci.inflation import inflate_layer
from packyard.oci.layer import LayerSpool, header_of
from packyard.oci.tar_header import end_of_archive, padding
from packyard.oci.tree import Directory, Entry, File, canonical_order

# The last four bytes of a member: how much it inflates to (RFC 1952, section 2.3.1).
_SIZE_FIELD: Final = slice(-4, None)


class NotOurForm(Exception):
    """The layer does not consist of what the index says: the index is wrong, or the layer is not one of ours."""


def edited_order(index: FileIndex, new: File) -> list[Entry]:
    """Return the entries of a layer that holds `new` beside, or in place of, what an index tells of; in order.

    All but `new` have the content that they have in the old layer.

    Raises:
        NotOurForm: The index is of a layer that we have not built.
    """
    others = [_in_layer(file) for file in index.files if file.path != new.path]
    return canonical_order(directories=index.directories, files=[*others, new])


def edited_entries(
    order: Iterable[Entry], new: File, chunks: Iterator[bytes], *, index: FileIndex, spool: LayerSpool
) -> Iterator[Entry]:
    """Yield the entries of an edited layer while the old one comes in, its members put into a spool as they are.

    Args:
        order: As `edited_order` has it.
        new: The new file; its content is in the spool.
        chunks: The old blob; what raises there passes through. It is read to its end.
        index: Of an image with the old layer alone.
        spool: Where to put the members.

    Raises:
        NotOurForm: The old layer is not a row of members that follows from the index; maybe only at the end.
    """
    old = taken_files(chunks, index=index, spool=spool)
    for entry in order:
        if isinstance(entry, Directory) or entry is new:
            yield entry
            continue
        taken = next((file for file in old if file.path == entry.path), None)
        if taken is None:
            raise NotOurForm
        yield taken
    for _ in old:
        pass


def taken_files(chunks: Iterator[bytes], *, index: FileIndex, spool: LayerSpool) -> Iterator[File]:
    """Yield the files of a layer in its order, their members put into a spool as they are.

    Args:
        chunks: The blob; what raises there passes through. It is read to its end.
        index: Of an image with this layer alone.
        spool: Where to put the members.

    Raises:
        NotOurForm: The layer is not a row of members that follows from these files; maybe only at the end.
    """
    try:
        yield from _taken(_Cutter(chunks), index, spool)
    except ImageFault as fault:
        raise NotOurForm from fault
    finally:
        # Only a whole blob is known to be the one that was asked for.
        for _ in chunks:
            pass


def _taken(blob: "_Cutter", index: FileIndex, spool: LayerSpool) -> Iterator[File]:
    headers = bytearray()
    at = 0
    for entry in canonical_order(directories=index.directories, files=map(_in_layer, index.files)):
        headers += header_of(entry)
        if isinstance(entry, Directory):
            continue
        members = entry.content.members
        if members:
            _check_between(blob.take(members[0].offset - at), headers)
            headers.clear()
            at = members[-1].offset + members[-1].length
        adopted = tuple(_adopt(blob.take(member.length), member, spool) for member in members)
        yield replace(entry, content=replace(entry.content, members=adopted))
    _check_between(blob.take(index.layers[0].size - at), headers + end_of_archive())


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


def _check_between(members: bytes, headers: bytes | bytearray) -> None:
    """Check that some members inflate to these headers, without inflating more than that."""
    at = 0
    for piece in inflate_layer([members]):
        if headers[at : at + len(piece)] != piece:
            raise NotOurForm
        at += len(piece)
    if at != len(headers):
        raise NotOurForm


class _Cutter:
    """A blob that is read in pieces of given sizes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def take(self, count: int) -> bytes:
        """Return the next bytes, `count` of them."""
        pieces = [self._rest]
        missing = count - len(self._rest)
        while missing > 0 and (chunk := next(self._chunks, None)) is not None:
            pieces.append(chunk)
            missing -= len(chunk)
        if count < 0 or missing > 0:
            raise NotOurForm
        data = b"".join(pieces)
        self._rest = data[count:]
        return data[:count]
