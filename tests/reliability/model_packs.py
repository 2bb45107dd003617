"""Packs and what they are made of, as the contract describes them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import yaml
from tests.reliability.expectations import Expected, Learnt, Refused

_ROOT_FILES: Final = frozenset({"pack.yaml", "behavior.md", "README.md", "LICENSE"})
_ROOT_FOLDERS: Final = frozenset({"guides", "scripts", "data", "templates"})


@dataclass
class Image:
    """What the service has said of an image: its digest and size, once it has."""

    digest: str | None = None
    size_bytes: int | None = None

    def __deepcopy__(self, _memo: Any) -> "Image":
        # The same content has the same digest, whatever else happens.
        return self

    def known_of_another(self, attribute: str, value: Any) -> bool:
        """And another content has another one."""
        images = (content.image for content in _CONTENTS.values())
        return attribute == "digest" and any(image.digest == value for image in images)


@dataclass(frozen=True, eq=False)
class Content:
    """The files of a pack, and who put them into an image: `us`, or somebody else.

    There is one object for each content (`of`), so that what is learnt of its image holds everywhere.
    """

    files: Mapping[str, bytes]
    maker: str
    image: Image

    def __deepcopy__(self, _memo: Any) -> "Content":
        return self

    @classmethod
    def of(cls, files: Mapping[str, bytes], maker: str = "us") -> "Content":
        place = (tuple(sorted(files.items())), maker)
        if place not in _CONTENTS:
            _CONTENTS[place] = cls(dict(files), maker, Image())
        return _CONTENTS[place]

    @cached_property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = yaml.safe_load(self.files["pack.yaml"])
        return manifest

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    def etag(self, path: str) -> str:
        return f"sha256:{hashlib.sha256(self.files[path]).hexdigest()}"

    def file_view(self, path: str) -> dict[str, Any]:
        return {"path": path, "size": len(self.files[path]), "mode": "0644", "digest": self.etag(path)}


_CONTENTS: dict[Any, Content] = {}
# Stands for an image that is not there.
ABSENT: Final = Content({}, "nobody", Image())

# What the tag of each version may stand for: one thing, unless a crash has left it open.
Tags = dict[str, frozenset[Content]]


@dataclass(frozen=True)
class Archive:
    """An archive to be sent; `fault` is the field that its refusal names."""

    files: tuple[tuple[str, bytes], ...]
    fault: str | None = None

    def content(self) -> Content:
        if self.fault is not None:
            raise Refused.by_fields(self.fault)
        return Content.of(dict(self.files))


@dataclass(frozen=True)
class Reference:
    """An image reference by a tag, or by the digest of some content."""

    registry: str
    repository: str
    tag: str = ""
    content: Content | None = None

    @property
    def text(self) -> str:
        what = f":{self.tag}" if self.content is None else f"@{self.content.image.digest}"
        return f"{self.registry}/{self.repository}{what}"


@dataclass(frozen=True)
class Entry:
    """One entry of a history."""

    revision: int
    operation: str
    content: Content
    actor: str
    at: datetime

    def view(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "operation": self.operation,
            "version": self.content.version,
            "image_digest": Learnt(self.content.image, "digest", "sha256:"),
            "actor": self.actor,
            "at": timestamp(self.at),
        }


@dataclass
class Pack:
    """A pack; everything that `pack.yaml` states is where it is stated."""

    org: str
    name: str
    origin: str
    visibility: str
    content: Content
    image_ref: str
    created_at: datetime
    updated_at: datetime
    id: str | None = None
    revision: int = 1
    status: str = "active"
    asked_by: tuple[str, datetime] | None = None
    gone_at: datetime | None = None
    history: list[Entry] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def repository(self) -> str:
        """Where its image is, without tag or digest."""
        return self.image_ref.partition("@")[0].rpartition("/")[0] + "/" + self.image_name

    @property
    def image_name(self) -> str:
        return self.image_ref.partition("@")[0].rpartition("/")[2].partition(":")[0]

    def had(self, content: Content) -> bool:
        """Tell whether this is, or ever was, its content."""
        return any(entry.content is content for entry in self.history)

    def is_visible_to(self, org: str) -> bool:
        return self.org == org or self.visibility == "community"

    def change(self, operation: str, actor: str, now: datetime, **changes: Any) -> None:
        """Every accepted write is one revision more, and one entry in the history."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.revision += 1
        self.updated_at = now
        self.enter(operation, actor)

    def enter(self, operation: str, actor: str) -> None:
        self.history.append(Entry(self.revision, operation, self.content, actor, self.updated_at))

    def answer(self, status: int, org: str) -> Expected:
        tag = f"{self.revision}" if org == self.org else f"shared-{self.revision}"
        return Expected(status, self.view(org), f'"{tag}"')

    def view(self, org: str) -> dict[str, Any]:
        """The Pack object; optional fields are absent, and whose it is only its owner is told."""
        stated = self.content.manifest
        optional = {
            "org_id": self.org if self.org == org else None,
            "description": stated.get("description"),
            "category": stated.get("category"),
            "suggested_packs": ",".join(stated.get("suggested_packs", ())) or None,
        }
        return {name: value for name, value in optional.items() if value is not None} | {
            "id": Learnt(self, "id", "pack_"),
            "name": self.name,
            "display_name": stated.get("display_name", stated["name"].capitalize()),
            "version": self.content.version,
            "tier": "community",
            "visibility": self.visibility,
            "image_origin": self.origin,
            "image_ref": self.image_ref,
            "image_digest": Learnt(self.content.image, "digest", "sha256:"),
            "size_bytes": Learnt(self.content.image, "size_bytes", ""),
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(self.updated_at),
            "owned": self.org == org,
        }


def is_pack_path(path: str) -> bool:
    """Tell whether a pack may hold a file here: its top level is a closed set."""
    top, slash, below = path.partition("/")
    if ".." in below.split("/"):
        return False
    return top in (_ROOT_FOLDERS if slash else _ROOT_FILES)


def timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
