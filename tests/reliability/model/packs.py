"""Packs and what they are made of, as the contract describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple
from unittest.mock import ANY

import yaml
from tests.reliability.model.expectations import AsYaml, Expected, IfStated, Learnt, require_field

# Where no pack may hold a file: its top level is a closed set, and paths do not lead out of it.
NO_PATHS: Final = ("guides/../x",)
# Paths at which a pack has no files. An Agent Skill has, so the service looks at the pack first.
NO_PLACES: Final = ("etc/passwd", "notes.md", "guides")


@dataclass(eq=False)
class Content:
    """The files of a pack, and who made an image of them: `us`, or somebody else.

    There is one object for each content (`of`), so that what is learnt of its image holds everywhere.
    """

    files: Mapping[str, bytes]
    maker: str
    image_digest: str | None = None
    size_bytes: int | None = None

    def __deepcopy__(self, _memo: Any) -> "Content":
        return self

    @classmethod
    def of(cls, files: Mapping[str, bytes], maker: str = "us") -> "Content":
        place = (tuple(sorted(files.items())), maker)
        return _CONTENTS.setdefault(place, cls(dict(files), maker))

    @classmethod
    def edited(cls, files: Mapping[str, bytes], pack: str) -> "Content":
        """Return the content of an image that we make for a pack of a name, which the image states as its title.

        Only a clone can have another name than its `pack.yaml`.
        """
        ours = cls.of(files)
        return ours if ours.name == pack else cls.of(files, f"us, for {pack}")

    def is_same(self, other: "Content") -> bool:
        """Return whether version policies take two for one content: by their files, where we have built both."""
        ours = self.maker.startswith("us") and other.maker.startswith("us")
        return self is other or (ours and self.files == other.files)

    def known_of_another(self, attribute: str, value: Any) -> bool:
        return attribute == "image_digest" and any(c.image_digest == value for c in _CONTENTS.values())

    @cached_property
    def manifest(self) -> Any:
        return yaml.safe_load(self.files["pack.yaml"])

    @cached_property
    def name(self) -> str:
        return str(self.manifest["name"])

    @cached_property
    def version(self) -> str:
        return str(self.manifest["version"])

    @cached_property
    def allows(self) -> frozenset[tuple[str, str]]:
        """The requests that its capabilities allow: a host and a method each. All paths are allowed."""
        rules = [rule for entry in self.manifest.get("capabilities", ()) for rule in entry["allow"]]
        return frozenset(
            (host, method) for rule in rules for host in rule["domains"] for method in rule["methods"]
        )

    @cached_property
    def digests(self) -> dict[str, Any]:
        """The image's digest, and the content's (API contract, section 4) as the files say; none is executable."""
        lines = (f"{path}\x00{sha256(held).hexdigest()}\x00644\n" for path, held in self.files.items())
        digest = _digest("".join(sorted(lines)).encode())
        return {"image_digest": Learnt(self, "image_digest", "sha256:"), "content_digest": IfStated(digest)}

    def etag(self, path: str) -> str | None:
        return _digest(self.files[path]) if path in self.files else None


_CONTENTS: dict[Any, Content] = {}
# Stands for an image that is not there.
ABSENT: Final = Content({}, "nobody")


@dataclass(frozen=True)
class Archive:
    """An archive to be sent; `fault` is the field that its refusal names."""

    files: tuple[tuple[str, bytes], ...]
    fault: str = ""

    def content(self) -> Content:
        require_field(not self.fault, self.fault)
        return Content.of(dict(self.files))

    def named(self, name: str) -> "Archive":
        """Return the same archive with another name in its pack.yaml."""
        if self.fault:
            return self
        text = yaml.safe_dump(self.content().manifest | {"name": name}, sort_keys=False).encode()
        return Archive(tuple(sorted({**dict(self.files), "pack.yaml": text}.items())))


@dataclass(frozen=True)
class Reference:
    """An image reference by a tag, or by the digest of some content. Its place is a registry and a repository."""

    place: str
    tag: str
    content: Content | None = None

    @classmethod
    def to(cls, place: str, content: Content, *, tag: str, by_digest: bool) -> "Reference":
        """Return a reference to a content: by its tag, or by its digest if that is wanted and known."""
        known = by_digest and content.image_digest is not None
        return cls(place, "" if known else tag, content if known else None)

    def __str__(self) -> str:
        return self.place + (f":{self.tag}" if self.content is None else f"@{self.content.image_digest}")


class Withdrawal(NamedTuple):
    """Why an image may not be used any more."""

    revision: int
    reason: str
    by: str
    at: datetime


class Removal(NamedTuple):
    """The deletion of an image: until it is `decided`, pins may end it."""

    revision: int
    forced: bool = False
    decided: bool = False
    also_in: tuple[int, ...] = ()
    clones: int = 0


class Brought(NamedTuple):
    """What an image brings that others have built: where it was registered, and the keys that have signed it there.

    There are no keys known if the registry did not say.
    """

    place: str
    signers: frozenset[str] | None


@dataclass(frozen=True)
class ImageState:
    """Whether an image of a pack may be used. Nobody can begin to use one that is being looked at."""

    withdrawal: Withdrawal | None = None
    removal: Removal | None = None

    @property
    def status(self) -> str:
        if self.removal and self.removal.decided:
            return "deleted"
        return "withdrawn" if self.withdrawal else "active"

    @property
    def about(self) -> Withdrawal | Removal | None:
        return self.withdrawal or self.removal


@dataclass(frozen=True)
class Entry:
    """One entry of a history."""

    operation: str
    content: Content
    actor: str
    at: datetime
    visibility: str
    image_ref: str
    deprecated: tuple[tuple[str, str], ...] = ()

    def __deepcopy__(self, _memo: Any) -> "Entry":
        return self

    @property
    def image(self) -> dict[str, Any]:
        """What every answer with a pack or a pin says of its image."""
        return {"version": self.content.version, "image_ref": self.image_ref} | self.content.digests

    def view(self, revision: int) -> dict[str, Any]:
        stated = {"revision": revision, "operation": self.operation, "version": self.content.version}
        told = {"actor": self.actor, "at": timestamp(self.at)}
        return stated | told | self.content.digests


class Pin(NamedTuple):
    """Where a role holds a pack."""

    pack_id: str
    revision: int
    follow: bool = False
    alias: str | None = None

    def to(self, pack: "Pack") -> "Pin":
        """Return the pin at a pack's present revision."""
        return self._replace(revision=len(pack.history))


class RoleEntry(NamedTuple):
    """One entry of a role's history. A role is what its last entry says; `delete` says that there is none."""

    operation: str
    pins: tuple[Pin, ...]
    actor: str
    at: datetime
    accepted: tuple[tuple[str, int], ...] = ()


@dataclass
class ApiKey:
    """An API key: the operator's, or one that a caller has made."""

    org: str
    label: str
    scopes: list[str]
    created_at: datetime
    created_by: str | None = None
    expires_at: datetime | None = None
    revoked: dict[str, str] = field(default_factory=dict)
    id: str | None = None

    @property
    def principal(self) -> str:
        return f"key:{(self.id or '')[:16]}"

    def view(self) -> dict[str, Any]:
        made = {"created_by": self.created_by, "prefix": ANY} if self.created_by else {}
        end = {"expires_at": timestamp(self.expires_at)} if self.expires_at else {}
        return (
            made
            | end
            | self.revoked
            | {
                "id": Learnt(self, "id", ""),
                "principal": self.principal if self.id else ANY,
                "label": self.label,
                "scopes": self.scopes,
                "created_at": timestamp(self.created_at),
            }
        )


@dataclass
class Webhook:
    """A webhook for all events of its organisation. It is disabled only on request here."""

    url: str
    created_at: datetime
    created_by: str
    description: str | None = None
    disabled_at: datetime | None = None
    # Until when the secrets before the present one sign.
    old_secrets: list[datetime] = field(default_factory=list)
    revision: int = 1
    id: str | None = None

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'

    def view(self) -> dict[str, Any]:
        disabled = {} if self.disabled_at is None else {"disabled_at": timestamp(self.disabled_at)}
        return (
            ({"description": self.description} if self.description else {})
            | (disabled | {"disabled_because": "asked"} if disabled else {})
            | {
                "id": Learnt(self, "id", "whk_"),
                "url": self.url,
                "types": [],
                "state": "disabled" if disabled else "active",
                "created_at": timestamp(self.created_at),
                "created_by": self.created_by,
                "revision": self.revision,
            }
        )


@dataclass
class Feed:
    """A read-only address of the packs of a role, or of a list of packs."""

    created_at: datetime
    created_by: str
    role_id: str | None
    pack_ids: tuple[str, ...]
    expires_at: datetime | None
    id: str | None = None

    def view(self) -> dict[str, Any]:
        of = {"pack_ids": list(self.pack_ids)} if self.role_id is None else {"role_id": self.role_id}
        end = {"expires_at": timestamp(self.expires_at)} if self.expires_at else {}
        made = {"created_at": timestamp(self.created_at), "created_by": self.created_by}
        return {"id": Learnt(self, "id", "feed_")} | of | end | made


@dataclass
class Pack:
    """A pack. What `pack.yaml` states is in its content. Every accepted write is one entry more in its history.

    It is being deleted once there is a `deletion`, the last entry to be, and gone once that is in the history.
    """

    org: str
    name: str
    origin: str
    history: list[Entry] = field(default_factory=list)
    id: str | None = None
    deletion: Entry | None = None
    gone_at: datetime | None = None
    # What is not as every image is at first, and how often images were cloned.
    images: dict[Content, ImageState] = field(default_factory=dict)
    clones: dict[Content, int] = field(default_factory=dict)
    # How many revisions its policy keeps; None for all.
    keep: int | None = None
    # What its images bring, if they were registered, or are copies of such.
    brought: dict[Content, Brought] = field(default_factory=dict)

    def image(self, content: Content) -> ImageState:
        return self.images.get(content, ImageState())

    @property
    def withdrawn(self) -> bool:
        return self.image(self.content).withdrawal is not None

    @property
    def content(self) -> Content:
        return self.history[-1].content

    @property
    def visibility(self) -> str:
        return self.history[-1].visibility

    @property
    def image_ref(self) -> str:
        return self.history[-1].image_ref

    @property
    def position(self) -> tuple[str, str]:
        """Where it is in listings."""
        return self.name, self.id or ""

    @property
    def place(self) -> str:
        """Where its image is, without tag or digest."""
        path, _, name = self.image_ref.partition("@")[0].rpartition("/")
        return f"{path}/{name.partition(':')[0]}"

    def reference(self, pick: int, place: str, *, by_digest: bool) -> Reference:
        """Return a reference to an image of its history, in a repository."""
        content = self.history[pick % len(self.history)].content
        return Reference.to(place, content, tag=content.version, by_digest=by_digest)

    def is_visible_to(self, org: str) -> bool:
        return self.org == org or self.visibility == "community"

    def shows(self, revision: int, org: str) -> bool:
        """Others see the revisions since the pack was last shared (API contract, section 7)."""
        since = self.history[revision - 1 :] if 1 <= revision <= len(self.history) else []
        return bool(since) and (self.org == org or all(entry.visibility == "community" for entry in since))

    def answer(self, org: str, status: int = 200) -> Expected:
        state = "@withdrawn" if self.withdrawn else ""
        tag = f'"{"" if org == self.org else "shared-"}{len(self.history)}{state}"'
        return Expected(status, self.view(org), tag)

    def entry_view(self, revision: int) -> dict[str, Any]:
        """Return an entry of the history as its owner sees it, with the state of its image."""
        entry = self.history[revision - 1]
        state = self.image(entry.content)
        view = entry.view(revision) | {"status": state.status}
        if state.withdrawal is None:
            return view
        _, reason, by, at = state.withdrawal
        return view | {"withdrawal": {"reason": reason, "by": by, "at": timestamp(at)}}

    def tried(self, *, stands: bool) -> dict[str, Any]:
        """Return the pack as a dry run tells of it."""
        numbers = {"id": Learnt(self, "id", "pack_"), "revision": len(self.history)} if stands else {}
        stated = {
            "name": self.name,
            "visibility": self.visibility,
            "size_bytes": Learnt(self.content, "size_bytes", ""),
        }
        return numbers | stated | self.history[-1].image

    def view(self, org: str, revision: int = 0) -> dict[str, Any]:
        """Return the Pack object at a revision, else at the last, as an organisation sees it.

        Only the owner is told `org_id`.
        """
        entry = self.history[revision - 1]
        content = entry.content
        withdrawn = self.withdrawn and not revision
        stated: dict[str, Any] = {"display_name": content.name.capitalize()} | content.manifest
        stated |= {"deprecated": dict(entry.deprecated)} if entry.deprecated else {}
        if packs := stated.pop("suggested_packs", None):
            stated["suggested_packs"] = ",".join(packs)
        if capabilities := stated.pop("capabilities", None):
            stated["capabilities"] = AsYaml(capabilities)
        pack_id, size = Learnt(self, "id", "pack_"), Learnt(content, "size_bytes", "")
        return (
            stated
            | {"id": pack_id, "name": self.name, "owned": self.org == org, "visibility": entry.visibility}
            | ({"org_id": self.org} if self.org == org else {})
            | ({"status": "withdrawn"} if withdrawn else {})
            | {
                "tier": "community",
                "image_origin": self.origin,
                "size_bytes": size,
                # Of a clone it depends on who has built the image.
                "attestations": {"upload": "pending", "image_ref": "off"}.get(self.origin, ANY),
            }
            | {"created_at": timestamp(self.history[0].at), "updated_at": timestamp(entry.at)}
            | entry.image
        )


def timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
