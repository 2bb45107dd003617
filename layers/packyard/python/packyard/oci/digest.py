"""Content digests: `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md)."""

import hashlib
import re
from typing import NewType

Digest = NewType("Digest", str)

SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def parse_digest(text: str) -> Digest:
    """Return `text` as a digest.

    Raises:
        ValueError: `text` is not a sha256 digest in canonical form.
    """
    if SHA256.fullmatch(text) is None:
        raise ValueError("must be sha256: followed by 64 lower-case hex digits")
    return Digest(text)


def digest_of(content: bytes) -> Digest:
    """Return the sha256 digest of exactly these bytes."""
    return Digest(f"sha256:{hashlib.sha256(content).hexdigest()}")
