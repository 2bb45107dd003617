"""What the service answers, as types: pydantic makes the document's schemas of them.

Here are packs, their files and histories, and what several of the modules beside this one use.

What requests hold is described where they are read, in `packyard.http` (decision 74).

An optional field is absent, never null (API contract, section 1), which is what `NotRequired` says.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.event_models import EventPage
from api.policies import VersionPolicyState
from api.signature_policies import SignaturePolicyState
from api.usage_models import Usage
from packyard.oci.digest import SHA256
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.name import MAX_LENGTH, SLUG
from packyard.packs.pack import PACK_ID, ImageOrigin, Tier, Visibility
from packyard.packs.role import ROLE_ID
from packyard.packs.upload import UPLOAD_ID
from packyard.tenants.org import ORG_ID

PackId = Annotated[
    str,
    Field(
        pattern=f"^{PACK_ID.pattern}$",
        description="Never reused; survives every update.",
        examples=["pack_01JQ2V7N3T5W8XABCDEFGHJKMN"],
    ),
]
OrgId = Annotated[str, Field(pattern=f"^{ORG_ID.pattern}$")]
UploadId = Annotated[
    str, Field(pattern=f"^{UPLOAD_ID.pattern}$", examples=["upl_01JQ2V7N3T5W8XABCDEFGHJKMN"])
]
Slug = Annotated[str, Field(pattern=f"^{SLUG.pattern}$", max_length=MAX_LENGTH)]
SemVer = Annotated[str, Field(description="SemVer 2.0.0.", examples=["1.4.0"])]
ImageDigest = Annotated[
    str,
    Field(
        pattern=f"^{SHA256.pattern}$",
        description="Of the manifest or index that the reference resolved to.",
    ),
]
ContentDigest = Annotated[
    str,
    Field(
        pattern="^sha256:[0-9a-f]{64}$",
        description="Names the pack's files, whatever carries them: the SHA-256 of the lines "
        "`path NUL hex(sha256(file)) NUL mode LF`, mode 644 or 755, sorted by path as bytes.",
    ),
]
RoleId = Annotated[str, Field(pattern=f"^{ROLE_ID.pattern}$", examples=["support-agent"])]
AttestationState = Annotated[
    Attestations,
    Field(
        description="Whether signed statements are attached to its image. `pending`: they follow within seconds. "
        "`off`: none are made for it."
    ),
]
RevisionStatus = Literal["active", "withdrawn", "deleted"]
Scope = Literal[
    "audit:read", "caps:write", "hooks:write", "keys:write", "operate", "policy:write", "roles:write"
]
Cursor = Annotated[str, Field(description="Where the next page begins; absent on the last.")]


class Deprecation(TypedDict):
    """What the owner of a deprecated pack says to those who use it."""

    message: Annotated[str, Field(description="For people: why, and what to do instead.")]
    replacement: NotRequired[Annotated[PackId, Field(description="The pack to use instead.")]]


class PackFacts(TypedDict):
    """What every answer with a pack has."""

    id: PackId
    org_id: NotRequired[
        Annotated[OrgId, Field(description="Only on packs that the caller's organisation owns.")]
    ]
    name: Annotated[
        Slug, Field(description="Unique within the owning organisation; fixed.", examples=["slack"])
    ]
    display_name: str
    description: NotRequired[str]
    category: NotRequired[Slug]
    version: SemVer
    tier: Tier
    visibility: Visibility
    capabilities: NotRequired[
        Annotated[str, Field(description="The pack's caps.yaml fragment, as YAML text.")]
    ]
    suggested_packs: NotRequired[Annotated[str, Field(description="Slugs, joined by commas.")]]
    image_origin: ImageOrigin
    image_ref: Annotated[str, Field(description="The reference as given, normalised.")]
    image_digest: ImageDigest
    content_digest: NotRequired[ContentDigest]
    size_bytes: Annotated[int, Field(ge=0, description="Config and layers, compressed.")]
    created_at: datetime
    updated_at: datetime
    owned: Annotated[bool, Field(description="Whether the caller's organisation owns it.")]
    deprecated: NotRequired[Deprecation]


class Pack(PackFacts):
    """A content pack, as the caller may see it."""

    status: NotRequired[
        Annotated[
            Literal["withdrawn"],
            Field(description="Its image was withdrawn; absent otherwise."),
        ]
    ]
    attestations: AttestationState


Warnings = Annotated[
    list[str],
    Field(
        description="What breaks the specification of Agent Skills in what was sent, each with the field first. It was "
        "taken nevertheless.",
        examples=[["SKILL.md:effort is not a key of the specification"]],
    ),
]


class SentPack(Pack):
    """A pack as it is after something was sent for it."""

    warnings: NotRequired[Warnings]


class PackPage(TypedDict):
    """A page of packs, in a stable order."""

    packs: list[Pack]
    next_cursor: NotRequired[Cursor]


class Deleted(TypedDict):
    """The pack is gone, by this request or before."""

    status: Literal["deleted"]


class FileState(TypedDict):
    """A file's content and mode."""

    size: Annotated[int, Field(ge=0, description="Bytes.")]
    digest: Annotated[str, Field(pattern=f"^{SHA256.pattern}$", description="Of the content.")]
    mode: Annotated[str, Field(description="Permissions, octal.", examples=["0644"])]


# `from` is a keyword of Python.
ChangedFile = TypedDict("ChangedFile", {"path": str, "from": FileState, "to": FileState})


class File(TypedDict):
    """A file in a pack."""

    path: Annotated[str, Field(examples=["guides/start.md"])]
    size: Annotated[int, Field(ge=0, description="Bytes.")]
    mode: Annotated[str, Field(description="Permissions, octal.", examples=["0644"])]
    digest: NotRequired[Annotated[str, Field(pattern=f"^{SHA256.pattern}$", description="Of the content.")]]


class FileList(TypedDict):
    """The files in a pack."""

    files: list[File]
    revision: Annotated[int, Field(ge=1)]
    image_digest: ImageDigest
    content_digest: ContentDigest


class Withdrawal(TypedDict):
    """Why, by whom and when an image was withdrawn."""

    reason: str
    by: Annotated[str, Field(description="Who withdrew it, a principal.")]
    at: datetime


class Revision(TypedDict):
    """An entry of a pack's history: one accepted write."""

    revision: Annotated[int, Field(ge=1)]
    operation: str
    version: SemVer
    image_digest: ImageDigest
    content_digest: NotRequired[ContentDigest]
    actor: Annotated[str, Field(description="Who wrote: `key:…`, `user:…` or `operator:…`.")]
    at: datetime
    status: Annotated[RevisionStatus, Field(description="The state of its image.")]
    withdrawal: NotRequired[Withdrawal]


class RevisionPage(TypedDict):
    """A page of a pack's history."""

    revisions: list[Revision]
    next_cursor: NotRequired[Cursor]


class DownloadedDocument(TypedDict):
    """An index, a manifest or a config."""

    media_type: str
    digest: ImageDigest
    content: Annotated[str, Field(description="The document as it is; in base64 if it is not UTF-8.")]


class DownloadedLayer(TypedDict):
    """A layer, and where it is."""

    digest: ImageDigest
    size: Annotated[int, Field(ge=0)]
    media_type: str
    url: Annotated[str, Field(description="Needs no credential, and lasts for some minutes.")]


class Download(TypedDict):
    """A pack's image, for clients without a registry login. `image_digest` names all of it."""

    image: str
    image_digest: ImageDigest
    content_digest: NotRequired[ContentDigest]
    documents: Annotated[list[DownloadedDocument], Field(description="Each comes before what it names.")]
    layers: list[DownloadedLayer]


MODELS: tuple[Any, ...] = (
    Pack,
    PackPage,
    SentPack,
    Deleted,
    FileList,
    RevisionPage,
    EventPage,
    Usage,
    Download,
    VersionPolicyState,
    SignaturePolicyState,
)
