"""JSON documents that a digest names: serialised once, and the bytes kept."""

import json
from dataclasses import dataclass
from typing import Any, Self

from packyard.oci.digest import Digest, digest_of


@dataclass(frozen=True, slots=True)
class Document:
    """A config, manifest or index: exactly these bytes.

    Attributes:
        media_type: What it is, as descriptors and the Content-Type state it.
        raw: The bytes that the digest is of.
    """

    media_type: str
    raw: bytes
    digest: Digest

    @classmethod
    def of(cls, media_type: str, body: dict[str, Any]) -> Self:
        """Serialise `body`: keys sorted, no white space, UTF-8; equal bodies give equal bytes.

        Raises:
            UnicodeEncodeError: A string holds a lone surrogate.
        """
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        return cls(media_type, raw, digest_of(raw))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw)

    def descriptor(self) -> dict[str, Any]:
        """Return how another document refers to this one (OCI image-spec, descriptor.md)."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
