"""The packs that a role or a feed serves, as all doors see them: the catalogue.

The catalogue of a role's revision never changes, so that it is kept, without what has to be asked anew for each answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from packyard.doors.document import ServedDocument, Zip, canonical_json
from packyard.doors.door import Door
from packyard.oci.digest import Digest, parse_digest
from packyard.packs.image_state import ImageStatus

# One more when what a catalogue holds, or what it says, changes.
FORM: Final = 2
_HEX: Final = 12
# These call packs by flat names. The others have owners.
_FLAT: Final = frozenset({Door.AGENT_SKILLS, Door.MARKETPLACE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPack:
    """One revision of a pack, as the doors serve it.

    Attributes:
        pack_id: The pack.
        org_id: The organisation that owns it.
        owner: That organisation's slug.
        name: The pack's name.
        flat_name: What it is called where there are no owners; None if it cannot be called anything there.
        unnamed: Why it cannot.
        display_name: For people.
        version: Of the pack at this revision.
        revision: The revision.
        image_digest: The image's digest.
        status: Of the image.
        published_at: When the revision was written, in UTC.
        description: Of the pack's `SKILL.md`.
        zip: The zip; None if none is made of it.
        unfit: The doors that leave it out, each with the reason.
    """

    pack_id: str
    org_id: str
    owner: str
    name: str
    flat_name: str | None
    display_name: str
    version: str
    revision: int
    image_digest: Digest
    status: ImageStatus
    published_at: datetime
    description: str = ""
    zip: Zip | None = None
    unfit: Mapping[Door, str] = field(default_factory=dict)
    unnamed: str | None = None

    @property
    def zip_name(self) -> str:
        """The name of its zip in URLs."""
        called = self.flat_name or f"{self.owner}-{self.name}"
        return f"{called}-{self.image_digest.removeprefix('sha256:')[:_HEX]}.zip"

    @property
    def is_usable(self) -> bool:
        """Whether its image is in use: neither withdrawn nor deleted."""
        return self.status is ImageStatus.ACTIVE

    def reason_of(self, door: Door) -> str | None:
        """Return why a door leaves it out; None if the door serves it."""
        if not self.is_usable:
            return f"its image is {self.status.value}"
        if self.flat_name is None and door in _FLAT:
            return self.unnamed
        return self.unfit.get(door)

    def fits(self, door: Door) -> bool:
        """Return whether a door serves it: it is in use, and the door's client takes it."""
        return self.reason_of(door) is None

    def with_document(self, document: ServedDocument) -> dict[str, Any]:
        """Return what of a document belongs into the catalogue, for `dataclasses.replace`."""
        described = document.frontmatter.get("description")
        return {
            "description": described if isinstance(described, str) else "",
            "zip": document.zip,
            "unfit": document.unfit,
        }


class LeftOut(NamedTuple):
    """A pack that no door serves.

    Attributes:
        pack_id: The pack.
        owner: The slug of its organisation.
        name: The pack's.
        reason: Why.
    """

    pack_id: str
    owner: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What a role or a feed serves.

    Attributes:
        packs: In its order.
        pending: The packs that are still being prepared, by their ids.
        left_out: The packs that are not served at all.
    """

    packs: tuple[ServedPack, ...]
    pending: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def find(self, flat: str) -> ServedPack | None:
        """Return the pack of a flat name, if there is one."""
        return next((pack for pack in self.packs if pack.flat_name == flat), None)

    def owned(self, owner: str, name: str) -> ServedPack | None:
        """Return the pack of an owner and a name, if there is one."""
        return next((pack for pack in self.packs if (pack.owner, pack.name) == (owner, name)), None)

    def fitting(self, door: Door) -> list[ServedPack]:
        """Return the packs that a door serves, in the catalogue's order."""
        return [pack for pack in self.packs if pack.fits(door)]

    def to_bytes(self) -> bytes:
        """Return the catalogue as it is kept."""
        packs = [
            {
                "pack_id": pack.pack_id,
                "org_id": pack.org_id,
                "owner": pack.owner,
                "name": pack.name,
                "flat_name": pack.flat_name,
                "display_name": pack.display_name,
                "version": pack.version,
                "revision": pack.revision,
                "image_digest": pack.image_digest,
                "status": pack.status.value,
                "published_at": pack.published_at.isoformat(),
                "description": pack.description,
                "zip": pack.zip,
                "unfit": pack.unfit,
                "unnamed": pack.unnamed,
            }
            for pack in self.packs
        ]
        return canonical_json({"form": FORM, "packs": packs, "left_out": self.left_out})


def parse_catalogue(content: bytes) -> Catalogue:
    """Return the catalogue of bytes that `to_bytes` has returned; nothing of it is pending.

    Raises:
        ValueError: They are not such bytes, or of another form.
    """
    try:
        fields = json.loads(content)
        if fields["form"] != FORM:
            raise ValueError("a catalogue of another form")
        return Catalogue(
            packs=tuple(map(_pack, fields["packs"])),
            left_out=tuple(LeftOut(*left) for left in fields["left_out"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a catalogue") from error


def _pack(fields: dict[str, Any]) -> ServedPack:
    return ServedPack(
        **fields
        | {
            "image_digest": parse_digest(fields["image_digest"]),
            "status": ImageStatus(fields["status"]),
            "published_at": datetime.fromisoformat(fields["published_at"]),
            "zip": None if fields["zip"] is None else Zip(*fields["zip"]),
            "unfit": {Door(door): reason for door, reason in fields["unfit"].items()},
        }
    )
