"""Content digests: `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md)."""

import hashlib
import re
from collections.abc import Sequence
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


def chained(digests: Sequence[Digest]) -> Digest:
    """Return one digest for a row of them; of a single one that is itself.

    Of diff_ids it is the ChainID (OCI image-spec, config.md, "Layer ChainID").

    Args:
        digests: At least one.
    """
    chain = digests[0]
    for digest in digests[1:]:
        chain = digest_of(f"{chain} {digest}".encode())
    return chain
