"""What refers to a document or a blob (OCI image-spec, descriptor.md)."""

from dataclasses import dataclass

from packyard.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A document's reference to another document or a blob.

    Attributes:
        media_type: The stated type, not checked.
        digest: The digest of the bytes.
        size: The stated size in bytes.
    """

    media_type: str
    digest: Digest
    size: int
