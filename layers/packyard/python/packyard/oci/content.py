"""One file's content as it lies compressed in a spool or in a layer.

These are named tuples, as is what names a file of a layer: an image has thousands of them, and they are made five times
as fast as frozen data classes.
"""

from enum import StrEnum
from typing import NamedTuple


class Piece(NamedTuple):
    """Compressed bytes that inflate without anything before them.

    In a spool, and in a layer that we build, they are raw deflate ended by a full flush (RFC 1951, section 3.2.4). In
    some layers of others, and in ours of before, they are a gzip member (RFC 1952).

    Attributes:
        offset: Where they start, in bytes from the start of the spool or of the layer blob.
        length: Compressed bytes.
        raw_size: Bytes that they inflate to.
    """

    offset: int
    length: int
    raw_size: int


class Content(NamedTuple):
    """One file's content.

    Attributes:
        size: Bytes, without the padding that tar asks for.
        sha256: Of those bytes, in hex.
        pieces: Inflated in this order, they give the content and its padding. None for an empty file.
    """

    size: int
    sha256: str
    pieces: tuple[Piece, ...]


class LayerForm(StrEnum):
    """What a part of a layer blob takes to be read.

    Attributes:
        PLAIN: Nothing: the layer is a tar.
        MEMBERS: The layer is compressed; a piece is one or more whole gzip members.
        FLUSHED: The layer is one gzip member; a piece is raw deflate that ends with a full flush.
    """

    PLAIN = "plain"
    MEMBERS = "members"
    FLUSHED = "flushed"
