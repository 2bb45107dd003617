"""One file's content as it lies compressed in a spool or in a layer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GzipMember:
    """One complete gzip member (RFC 1952), which inflates without anything before it.

    Attributes:
        offset: Where it starts, in bytes from the start of the spool or of the layer blob.
        length: Compressed bytes, its header and trailer included.
        raw_size: Bytes that it inflates to.
    """

    offset: int
    length: int
    raw_size: int


@dataclass(frozen=True, slots=True)
class Content:
    """One file's content.

    Attributes:
        size: Bytes, without the padding that tar asks for.
        sha256: Of those bytes, in hex.
        members: Inflated in this order, they give the content and its padding. None for an empty file.
    """

    size: int
    sha256: str
    members: tuple[GzipMember, ...]
