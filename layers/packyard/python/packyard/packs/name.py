"""Slugs: how packs and categories are named (API contract, section 1)."""

import re
from typing import NewType

Slug = NewType("Slug", str)
PackName = Slug

MAX_LENGTH = 64
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def parse_slug(text: str) -> Slug:
    """Return `text` as a slug.

    Raises:
        ValueError: Longer than 64 characters, or not lower-case letters and digits joined by single hyphens.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must be at most {MAX_LENGTH} characters")
    if _SLUG.fullmatch(text) is None:
        raise ValueError("must be lower-case letters and digits, joined by single hyphens")
    return Slug(text)


def repository_of(name: PackName, *, org_id: str, prefix: str) -> str:
    """Return the repository of our own registry that goes with an organisation's name (API contract, section 4)."""
    return f"{prefix}/{org_id}/{name}"
