"""The files of a pack for the scanner, from where the operations have them."""

from collections.abc import Iterable, Iterator
from functools import partial

from packyard.oci.build.compression import compress_piece
from packyard.oci.build.file_in_spool import cut_into_pieces
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File
from packyard.oci.content import Content
from packyard.scanning.parts import RawPiece, ScannableFile


def in_spool(file: File, spool: LayerSpool) -> ScannableFile:
    """Return a file whose content lies in a spool. It can be scanned while the spool is open."""
    return ScannableFile(file.path, file.content.size, partial(_pieces, file.content, spool))


def in_memory(path: str, content: bytes) -> ScannableFile:
    """Return a file whose content is in memory."""
    return ScannableFile(path, len(content), partial(compressed, [content]))


def compressed(chunks: Iterable[bytes]) -> list[RawPiece]:
    """Return the pieces of one file's content, compressed. All of them are in memory."""
    return [RawPiece(compress_piece(piece), len(piece)) for piece in cut_into_pieces(chunks)]


def _pieces(content: Content, spool: LayerSpool) -> Iterator[RawPiece]:
    for piece in content.pieces:
        yield RawPiece(spool.read(piece), piece.raw_size)
