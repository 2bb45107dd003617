"""Slugs: the names of packs and categories (API contract, section 1)."""

import re
import unicodedata
from typing import NewType

Slug = NewType("Slug", str)
PackName = Slug

MAX_LENGTH = 64
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def parse_slug(text: str) -> Slug:
    """Return `text` as a slug.

    Raises:
        ValueError: Longer than 64 characters, or not lower-case letters and digits joined by single hyphens. The
            message is for people and proposes a similar slug if there is one.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must be at most {MAX_LENGTH} characters; this has {len(text)}")
    if SLUG.fullmatch(text) is None:
        near = nearest_slug(text)
        hint = f", such as {near}" if near else ""
        raise ValueError(f"must be lower-case letters and digits, joined by single hyphens{hint}")
    return Slug(text)


def nearest_slug(text: str) -> str:
    """Return a slug similar to `text`: lower case, no accents, hyphens for all else; empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_LENGTH].rstrip("-")


def repository_of(name: PackName, *, org_id: str, prefix: str) -> str:
    """Return the repository for a pack's built images in the service's own registry (API contract, section 4).

    Args:
        name: The pack's name.
        org_id: The organisation that owns the pack.
        prefix: The first part of all repositories; a setting of the deployment.
    """
    return f"{prefix}/{org_id}/{name}"
