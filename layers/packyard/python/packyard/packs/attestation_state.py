"""Whether there are signed statements about a pack's image."""

from enum import StrEnum


class Attestations(StrEnum):
    """Whether signed statements about a pack's image are attached to it (API contract, section 11)."""

    # None are made for it.
    OFF = "off"
    # They are not all there yet.
    PENDING = "pending"
    ATTACHED = "attached"
