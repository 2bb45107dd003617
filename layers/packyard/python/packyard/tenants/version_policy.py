"""Version policies: which versions an organisation may publish (API contract, section 7)."""

from enum import StrEnum


class VersionPolicy(StrEnum):
    """What a new revision's version must be.

    With `increasing`, another version than the present one is higher than every version that the pack has had. With
    `immutable`, a version that was published under the pack's name has the content that it had.
    """

    FREE = "free"
    INCREASING = "increasing"
    IMMUTABLE = "immutable"
