"""What the operations on roles answer, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.models import (
    ContentDigest,
    Cursor,
    Deprecation,
    File,
    ImageDigest,
    PackId,
    RevisionStatus,
    RoleId,
    SemVer,
    Slug,
)
from packyard.oci.digest import SHA256


class RolePack(TypedDict):
    """A pack of a role, and where it is pinned."""

    id: PackId
    name: Slug
    owner: Annotated[str, Field(description="The slug of the organisation that owns it.", examples=["acme"])]
    alias: NotRequired[Annotated[Slug, Field(description="What the role calls it instead of its name.")]]
    version: SemVer
    revision: Annotated[int, Field(ge=1, description="The revision at which it is pinned.")]
    image_ref: str
    image_digest: ImageDigest
    content_digest: NotRequired[ContentDigest]
    follow: Annotated[bool, Field(description="Whether the service moves the pin to the next revisions.")]
    stale: Annotated[bool, Field(description="Whether the pack's present image is another than the pin's.")]
    status: Annotated[RevisionStatus, Field(description="The state of the pinned image.")]
    deprecated: NotRequired[Annotated[Deprecation, Field(description="Of the pack, as it is now.")]]


class RolePacks(TypedDict):
    """The packs that a role has."""

    role_id: RoleId
    revision: Annotated[int, Field(ge=1)]
    pack_ids: list[PackId]
    packs: Annotated[list[RolePack], Field(description="The same packs in the same order.")]


class RefreshedRole(RolePacks):
    """The packs that a role has after a refresh."""

    more: NotRequired[
        Annotated[Literal[True], Field(description="Pins are left to move: repeat the request.")]
    ]


class Layer(TypedDict):
    """A layer of an image."""

    digest: Annotated[str, Field(pattern=f"^{SHA256.pattern}$")]
    size: Annotated[int, Field(ge=0, description="Bytes.")]
    media_type: str


class LockedPack(TypedDict):
    """A pack that a role runs."""

    id: PackId
    name: Slug
    owner: Annotated[str, Field(description="The slug of the organisation that owns it.")]
    alias: NotRequired[Annotated[Slug, Field(description="What the role calls it instead of its name.")]]
    version: SemVer
    revision: Annotated[int, Field(ge=1)]
    image: Annotated[str, Field(description="`<repository>@<digest>`.")]
    image_digest: ImageDigest
    layers: Annotated[list[Layer], Field(description="From the lowest up.")]
    content_digest: NotRequired[ContentDigest]
    files: NotRequired[Annotated[list[File], Field(description="By path; of packs that were built here.")]]
    capabilities: NotRequired[Annotated[str, Field(description="Its caps.yaml fragment, as YAML text.")]]
    status: Annotated[RevisionStatus, Field(description="The state of the image.")]


class Lock(TypedDict):
    """What an agent's runtime needs of a role, in canonical JSON."""

    lock_version: Literal[1]
    role_id: RoleId
    revision: Annotated[int, Field(ge=1)]
    packs: Annotated[list[LockedPack], Field(description="In the role's order.")]
    set_digest: Annotated[
        str,
        Field(
            pattern="^sha256:[0-9a-f]{64}$",
            description="The SHA-256 of the lines `id NUL image_digest LF`, sorted by id.",
        ),
    ]


class ListedRole(TypedDict):
    """A role in a list."""

    role_id: RoleId
    revision: Annotated[int, Field(ge=1)]
    pack_ids: list[PackId]
    stale: Annotated[bool, Field(description="Whether one of its pins is stale.")]


class RolePage(TypedDict):
    """A page of roles, by their ids."""

    roles: list[ListedRole]
    next_cursor: NotRequired[Cursor]


class PinnedThen(TypedDict):
    """Where a role held a pack."""

    id: PackId
    revision: Annotated[int, Field(ge=1)]
    version: SemVer
    image_digest: ImageDigest
    follow: bool
    alias: NotRequired[Slug]


class RoleRevision(TypedDict):
    """An entry of a role's history: one accepted write."""

    revision: Annotated[int, Field(ge=1)]
    operation: Annotated[str, Field(description="`set`, `refresh`, `follow` or `delete`.")]
    pack_ids: list[PackId]
    packs: Annotated[list[PinnedThen], Field(description="Those that were pinned.")]
    accepted_capabilities: NotRequired[
        Annotated[
            dict[str, int], Field(description="By pack, the revision whose wider capabilities were accepted.")
        ]
    ]
    actor: Annotated[str, Field(description="Who wrote; `follow` for the service itself.")]
    at: datetime


class RoleRevisionPage(TypedDict):
    """A page of a role's history, the newest revision first."""

    revisions: list[RoleRevision]
    next_cursor: NotRequired[Cursor]


class PullLogin(TypedDict):
    """A login for clients of OCI registries, at the distribution door or at the registry itself."""

    registry: Annotated[str, Field(description="The host where it is valid, with its port if it has one.")]
    username: Annotated[str, Field(description="The role's id at the door, `AWS` at Amazon ECR.")]
    password: Annotated[str, Field(description="A secret, until `expires_at`.")]
    expires_at: datetime
    docker_config: Annotated[
        str,
        Field(
            description="The same as the text of Docker's `config.json`, which podman and skopeo read too."
        ),
    ]


MODELS: tuple[Any, ...] = (
    RolePacks,
    RefreshedRole,
    Lock,
    RolePage,
    RoleRevisionPage,
    PullLogin,
)
