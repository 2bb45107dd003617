"""Packs and what they are made of, as the contract describes them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import yaml
from tests.reliability.model.expectations import Expected, IfStated, Learnt, Refused

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
        """Return whether a digest belongs to another content."""
        return attribute == "digest" and any(content.image.digest == value for content in _CONTENTS.values())


@dataclass(frozen=True, eq=False)
class Content:
    """The files of a pack, and who made an image of them: `us`, or somebody else.

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
        return _CONTENTS.setdefault(place, cls(dict(files), maker, Image()))

    @property
    def digest(self) -> str:
        """The content digest (API contract, section 4), computed without the service; nothing here is executable."""
        lines = (
            f"{path}\x00{sha256(content).hexdigest()}\x00644\n".encode()
            for path, content in self.files.items()
        )
        return f"sha256:{sha256(b''.join(sorted(lines))).hexdigest()}"

    @classmethod
    def edited(cls, files: Mapping[str, bytes], pack: str) -> "Content":
        """Return the content of an image that we make for a pack of a name, which the image states as its title.

        Only a clone can have another name than its `pack.yaml`.
        """
        ours = cls.of(files)
        return ours if ours.name == pack else cls.of(files, f"us, for {pack}")

    @property
    def is_ours(self) -> bool:
        """Whether we have built an image of it."""
        return self.maker.startswith("us")

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


_CONTENTS: dict[Any, Content] = {}
# Stands for an image that is not there.
ABSENT: Final = Content({}, "nobody", Image())

# What the tag of each version may name: one content, unless a crash has left it open.
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

    def named(self, name: str) -> "Archive":
        """Return the same archive with another name in its pack.yaml."""
        if self.fault is not None:
            return self
        text = yaml.safe_dump(self.content().manifest | {"name": name}, sort_keys=False).encode()
        return Archive(tuple(sorted({**dict(self.files), "pack.yaml": text}.items())))


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
            "content_digest": IfStated(self.content.digest),
            "actor": self.actor,
            "at": timestamp(self.at),
        }


@dataclass
class Pack:
    """A pack. What `pack.yaml` states is in its content."""

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
    deletion: tuple[str, datetime] | None = None
    gone_at: datetime | None = None
    history: list[Entry] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def repository(self) -> str:
        """Where its image is, without tag or digest."""
        path, _, name = self.image_ref.partition("@")[0].rpartition("/")
        return f"{path}/{name.partition(':')[0]}"

    def is_visible_to(self, org: str) -> bool:
        return self.org == org or self.visibility == "community"

    def change(self, operation: str, actor: str, now: datetime, **changes: Any) -> None:
        """Every accepted write is one revision more, and one entry in the history."""
        vars(self).update(changes)
        self.revision += 1
        self.updated_at = now
        self.enter(operation, actor)

    def enter(self, operation: str, actor: str) -> None:
        self.history.append(Entry(self.revision, operation, self.content, actor, self.updated_at))

    def answer(self, status: int, org: str) -> Expected:
        return Expected(status, self.view(org), f'"{"" if org == self.org else "shared-"}{self.revision}"')

    def view(self, org: str) -> dict[str, Any]:
        """Return the Pack object as an organisation sees it. Only the owner is told `org_id`."""
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
            "content_digest": IfStated(self.content.digest),
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(self.updated_at),
            "owned": self.org == org,
        }


def is_pack_path(path: str) -> bool:
    """Return whether a pack may hold a file here: its top level is a closed set."""
    top, slash, below = path.partition("/")
    return ".." not in below.split("/") and top in (_ROOT_FOLDERS if slash else _ROOT_FILES)


def timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
