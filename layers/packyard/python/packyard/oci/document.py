"""JSON documents that are identified by a digest. They are serialised once, and the bytes are kept."""

import json
from dataclasses import dataclass
from typing import Any, Self

from packyard.oci.digest import Digest, digest_of


@dataclass(frozen=True, slots=True)
class Document:
    """A config, a manifest or an index.

    Attributes:
        media_type: The media type that descriptors and the Content-Type state.
        raw: The exact bytes.
        digest: The digest of these bytes.
    """

    media_type: str
    raw: bytes
    digest: Digest

    @classmethod
    def of(cls, media_type: str, body: dict[str, Any]) -> Self:
        """Serialise `body` with sorted keys, without white space, in UTF-8. Equal bodies give equal bytes.

        Raises:
            UnicodeEncodeError: A string holds a lone surrogate.
        """
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        return cls(media_type, raw, digest_of(raw))

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.raw)

    def descriptor(self) -> dict[str, Any]:
        """Return the descriptor with which another document refers to this one (OCI image-spec, descriptor.md)."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
