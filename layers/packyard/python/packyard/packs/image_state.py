"""The state of an image in a pack's history: in use, withdrawn, or deleted (API contract, section 7).

Several revisions of a pack may have one image, since a change of visibility makes a revision and keeps the image. They
have one state, that of the image.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from packyard.oci.digest import Digest

# For this long after its withdrawal, pins hold an image also against `force` (API contract, section 7).
FORCE_AFTER: Final = timedelta(hours=24)
MAX_REASON_CHARACTERS: Final = 1000


def parse_reason(value: object) -> str | None:
    """Return the reason of a withdrawal without space around it; None for what is no such reason.

    It may have line feeds, and no other character that terminals would act on.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    printable = all(character.isprintable() or character == "\n" for character in text)
    return text if printable and 1 <= len(text) <= MAX_REASON_CHARACTERS else None


class ImageId(NamedTuple):
    """An image in a pack's history."""

    pack_id: str
    digest: Digest


class ImageStatus(StrEnum):
    """What may be done with an image."""

    # It is as every image is at first.
    ACTIVE = "active"
    # It can be read, and nobody can newly pin, clone or publish it.
    WITHDRAWN = "withdrawn"
    # As withdrawn. Whether a role pins it is being looked at, or its content is being removed.
    DELETING = "deleting"
    # Its content is gone.
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Why an image may not be used any more.

    Attributes:
        revision: The revision that the request named.
        reason: Its owner's words, 1 to 1,000 characters. Other organisations do not see them.
        by: Who withdrew it, a principal.
        at: When, in UTC.
    """

    revision: int
    reason: str
    by: str
    at: datetime

    def may_be_forced(self, now: datetime) -> bool:
        """Return whether the image may now be deleted although roles pin it."""
        return now >= self.at + FORCE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The deletion of an image's content.

    Attributes:
        revision: The revision that the request named.
        by: Who asked for it: a principal, or `retention`.
        at: When it was asked for, in UTC.
        force: Whether pins do not hold the image.
        token: What names the process that looks for pins.
        request_id: The request that asked for it, for the event.
        decided: Whether no pin holds the image, so that its content is removed and it never comes back.
        also_in: The revisions that hold a file of the same content, the newest first, as far as they were compared.
        not_compared: How many revisions were not compared.
        clones: How many clones of the image have been made.
        documents: What is removed from the registry: the image's index, or its only manifest, and then what it lists;
            empty if nothing of it is in the service's registry.
        caches: The keys of what the bucket has of the image.
    """

    revision: int
    by: str
    at: datetime
    force: bool
    token: str
    request_id: str = ""
    decided: bool = False
    also_in: tuple[int, ...] = ()
    not_compared: int = 0
    clones: int = 0
    documents: tuple[Digest, ...] = ()
    caches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageState:
    """The state of an image of a pack.

    Attributes:
        pack_id: The pack.
        digest: Of the image.
        status: What may be done with it.
        withdrawal: Its withdrawal; None if it was not withdrawn, or was restored.
        removal: Its deletion; None if nobody asked for one, or pins refused it.
    """

    pack_id: str
    digest: Digest
    status: ImageStatus
    withdrawal: Withdrawal | None = None
    removal: Removal | None = None

    @property
    def shown(self) -> ImageStatus:
        """The status for clients: what is being looked at is not deleted yet; what is being removed is."""
        if self.status is not ImageStatus.DELETING:
            return self.status
        if self.removal is not None and self.removal.decided:
            return ImageStatus.DELETED
        return ImageStatus.ACTIVE if self.withdrawal is None else ImageStatus.WITHDRAWN

    @property
    def decision(self) -> Withdrawal | Removal | None:
        """What has made it unusable: its withdrawal, or its deletion once that is decided; None for one in use."""
        return self.removal if self.is_gone else self.withdrawal

    @property
    def is_gone(self) -> bool:
        """Whether the content is deleted, or is being removed."""
        return self.shown is ImageStatus.DELETED


def shown_status(state: ImageState | None) -> ImageStatus:
    """Return the status of an image for clients. An image without a state is in use."""
    return ImageStatus.ACTIVE if state is None else state.shown
