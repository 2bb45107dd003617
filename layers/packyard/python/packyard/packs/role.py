"""Agent roles: the packs that an organisation has attached to a role, each pinned at a revision (API contract, 8)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from packyard.oci.digest import Digest
from packyard.packs.deprecation import Deprecation
from packyard.packs.image_state import ImageStatus
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Pack

# The API contract's section 8. A role that loses all of them at once takes two transactions (`RoleStore.write`).
MAX_PACKS: Final = 49
# The most pins that one request sets or moves: up to three actions each.
MAX_CHANGED_PINS: Final = 30

ROLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def is_role_id(text: str) -> bool:
    """Return whether `text` is 1 to 128 letters, digits, `_`, `.` and `-`, the first of them a letter or a digit."""
    return ROLE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The revision at which a role holds a pack. What it may do at this revision has been consented to.

    Attributes:
        pack_id: The pack.
        org_id: The organisation that owns it.
        owner: That organisation's slug.
        name: The pack's name.
        alias: What the role calls it instead, if anything.
        version: The pack's version at the revision.
        revision: The revision.
        image_ref: The image's reference at the revision.
        image_digest: The image's digest.
        content_digest: What names the pack's files at the revision; None where they have not been read.
        follow: Whether the service moves the pin to the pack's later revisions.
    """

    pack_id: str
    org_id: str
    owner: str
    name: PackName
    version: Version
    revision: int
    image_ref: str
    image_digest: Digest
    content_digest: Digest | None = None
    follow: bool = False
    alias: str | None = None

    @property
    def called(self) -> str:
        """The name that the role has for the pack, which no other pack of the role has."""
        return self.alias or self.name

    def at(self, pack: Pack) -> "Pin":
        """Return this pin, moved to a revision of the pack.

        Args:
            pack: The pack as it was, or is, at that revision.
        """
        return replace(
            self,
            version=pack.version,
            revision=pack.revision,
            image_ref=pack.image_ref,
            image_digest=pack.image_digest,
            content_digest=pack.content_digest,
        )


def pin_of(pack: Pack, *, owner: str, follow: bool = False, alias: str | None = None) -> Pin:
    """Return a pin at a revision of a pack.

    Args:
        pack: The pack as it was, or is, at that revision.
        owner: The slug of its organisation.
        follow: As for `Pin`.
        alias: As for `Pin`.
    """
    return Pin(
        pack_id=pack.id,
        org_id=pack.org_id,
        owner=owner,
        name=pack.name,
        version=pack.version,
        revision=pack.revision,
        image_ref=pack.image_ref,
        image_digest=pack.image_digest,
        content_digest=pack.content_digest,
        follow=follow,
        alias=alias,
    )


class Mark(NamedTuple):
    """What a role has been told of an image.

    Attributes:
        digest: The image's.
        status: `withdrawn` or `deleted`.
    """

    digest: Digest
    status: ImageStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The packs of one role.

    Attributes:
        org_id: The organisation whose role it is.
        role_id: The id that the client gave; unique within the organisation.
        pack_ids: In the order given, each once.
        pins: By pack. A pack without a pin was attached before there were pins: the role has its present revision,
            whatever that is, until the role is written again (decision 84).
        revision: Every change adds 1; 0 for a role that never was.
        is_there: False for a role that is yet to be made: one that never was, or was deleted at this revision.
        marks: By pack: an image of it that was withdrawn or deleted while the role pinned it. The service marks roles
            soon after the change. A pin may have moved to another image since.
    """

    org_id: str
    role_id: str
    pack_ids: tuple[str, ...] = ()
    pins: Mapping[str, Pin] = field(default_factory=dict)
    revision: int = 0
    is_there: bool = True
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def marked(self, pin: Pin) -> ImageStatus:
        """Return the status of a pin's image, as far as the role has been told of it."""
        mark = self.marks.get(pin.pack_id)
        return mark.status if mark is not None and mark.digest == pin.image_digest else ImageStatus.ACTIVE

    def with_pins(self, pack_ids: tuple[str, ...], pins: Mapping[str, Pin]) -> "Role":
        """Return the role's next revision, with these packs and pins in place of the present ones."""
        return replace(self, pack_ids=pack_ids, pins=dict(pins), revision=self.revision + 1, is_there=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePack:
    """A pack of a role, beside what the pack is now.

    Attributes:
        pin: Where the role holds it. For a pack without a pin, its present revision, which it follows.
        stale: Whether the pack's present image is another than the pin's.
        floating: Whether the role has no pin of it.
        deprecated: What the pack's owner says to those who use it now; None for a pack that is not deprecated.
        status: Of the pin's image.
    """

    pin: Pin
    stale: bool
    floating: bool = False
    deprecated: Deprecation | None = None
    status: ImageStatus = ImageStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleState:
    """A role, beside what its packs are now.

    Attributes:
        role: The role.
        packs: In the role's order.
        more: Whether a refresh has left pins where they were, because one request moves only so many.
    """

    role: Role
    packs: tuple[RolePack, ...]
    more: bool = False
