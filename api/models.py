"""What the service answers, as types: pydantic makes the document's schemas of them.

What requests hold is described where they are read, in `packyard.http` (decision 74).

An optional field is absent, never null (API contract, section 1), which is what `NotRequired` says.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.event_models import EventPage
from api.policies import VersionPolicyState
from api.scan_models import PackScan, RefusedFinding
from api.signature_policies import SignaturePolicyState, UnsignedImage
from api.usage_models import Usage
from packyard.oci.digest import SHA256
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.name import MAX_LENGTH, SLUG
from packyard.packs.pack import PACK_ID, ImageOrigin, Tier, Visibility
from packyard.packs.role import ROLE_ID
from packyard.packs.upload import UPLOAD_ID, UploadStatus
from packyard.tenants.api_key import KEY_ID
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


class ErrorDetails(TypedDict):
    """What a client can act on; which of these there are depends on the code."""

    fields: NotRequired[Annotated[dict[str, str], Field(description="What is wrong, by field.")]]
    pack_id: NotRequired[Annotated[PackId, Field(description="The pack that is in the way.")]]
    pack_ids: NotRequired[Annotated[list[PackId], Field(description="The packs that are in the way.")]]
    references: NotRequired["References"]
    id: NotRequired[Annotated[str, Field(description="What the first request has made.")]]
    limit: NotRequired[Annotated[int, Field(ge=0, description="The most that there may be.")]]
    used: NotRequired[Annotated[int, Field(ge=0, description="How much of the limit is used.")]]
    quota: NotRequired[Annotated[str, Field(description="Which limit it is, as `GET /usage` names it.")]]
    resets_at: NotRequired[Annotated[datetime, Field(description="When the count begins anew.")]]
    version: NotRequired[Annotated[SemVer, Field(description="The version that is not allowed.")]]
    next_version: NotRequired[Annotated[SemVer, Field(description="A version that is allowed instead.")]]
    revision: NotRequired[Annotated[int, Field(ge=0, description="Where what was to be written stands.")]]
    capabilities: NotRequired[
        Annotated[
            dict[str, "CapabilitiesDifference"], Field(description="By pack, what a pin's move would change.")
        ]
    ]
    claims: NotRequired[
        Annotated[dict[str, "RefusedClaim"], Field(description="What is wrong with a token of CI, by claim.")]
    ]
    revisions: NotRequired[
        Annotated[list["UnusableRevision"], Field(description="What was withdrawn or deleted.")]
    ]
    images: NotRequired[
        Annotated[list[UnsignedImage], Field(description="What a signature policy does not accept.")]
    ]
    findings: NotRequired[
        Annotated[
            list[RefusedFinding],
            Field(
                description="What the scan policy refuses. Of another organisation's pack: rules and severities."
            ),
        ]
    ]
    incomplete: NotRequired[Annotated[str, Field(description="Why the scan did not end.")]]


class RefusedClaim(TypedDict):
    """A claim of a token that is not what it must be."""

    came: NotRequired[Annotated[str, Field(description="What the token has, shortened; absent for nothing.")]]
    configured: NotRequired[
        Annotated[str, Field(description="What the trusted publisher has, if the owner's id is the token's.")]
    ]


class UnusableRevision(TypedDict):
    """A revision whose image nobody can begin to use."""

    pack_id: PackId
    revision: Annotated[int, Field(ge=1)]
    status: Literal["withdrawn", "deleted"]


class References(TypedDict):
    """What references a pack."""

    role_ids: Annotated[list[RoleId], Field(description="Roles of the caller's organisation, the first few.")]
    other_organisations: Annotated[int, Field(ge=0, description="References of others; whose is not said.")]


class CapabilityRule(TypedDict):
    """Requests that a pack may make. Without hosts, what the type and the name stand for."""

    name: str
    type: str
    domains: NotRequired[list[str]]
    methods: NotRequired[list[str]]
    paths: NotRequired[list[str]]


_Widened = Annotated[bool, Field(description="Whether a request is allowed that was not.")]
_AddedRules = Annotated[list[CapabilityRule], Field(description="Rules that allow something new.")]
_AddedInAll = Annotated[int, Field(description="How many, if `added` has the first.")]
_RemovedRules = Annotated[list[CapabilityRule], Field(description="Rules that allowed something more.")]
_RemovedInAll = Annotated[int, Field(description="How many, if `removed` has the first.")]
_NewRequest = Annotated[str, Field(description="A request that is allowed only now.")]

CapabilitiesDifference = TypedDict(
    "CapabilitiesDifference",
    {
        "from": Annotated[int, Field(ge=1, description="The revision of the pin.")],
        "to": Annotated[int, Field(ge=1, description="The revision to accept.")],
        "widened": _Widened,
        "added": _AddedRules,
        "added_in_all": NotRequired[_AddedInAll],
        "removed": _RemovedRules,
        "removed_in_all": NotRequired[_RemovedInAll],
        "example": NotRequired[_NewRequest],
    },
)


class ErrorBody(TypedDict):
    """Why a request was refused."""

    code: Annotated[str, Field(description="For programs; stable.")]
    message: Annotated[str, Field(description="For people.")]
    request_id: Annotated[str, Field(description="Also in X-Request-Id and in the logs.")]
    details: NotRequired[ErrorDetails]


class Error(TypedDict):
    """Every error, those of the gateway included."""

    error: ErrorBody


class TriedPack(TypedDict):
    """A pack, as far as a dry run tells of it."""

    id: NotRequired[Annotated[PackId, Field(description="Absent for a pack that would be made.")]]
    revision: NotRequired[Annotated[int, Field(ge=1, description="Absent for a pack that would be made.")]]
    name: Slug
    version: SemVer
    visibility: Visibility
    image_ref: str
    image_digest: ImageDigest
    content_digest: NotRequired[ContentDigest]
    size_bytes: Annotated[int, Field(ge=0, description="Config and layers, compressed.")]


class FileState(TypedDict):
    """A file's content and mode."""

    size: Annotated[int, Field(ge=0, description="Bytes.")]
    digest: Annotated[str, Field(pattern=f"^{SHA256.pattern}$", description="Of the content.")]
    mode: Annotated[str, Field(description="Permissions, octal.", examples=["0644"])]


# `from` is a keyword of Python.
ChangedFile = TypedDict("ChangedFile", {"path": str, "from": FileState, "to": FileState})


class FileCounts(TypedDict):
    """How many files would come, go and change."""

    added: Annotated[int, Field(ge=0)]
    removed: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)]


class FileChanges(TypedDict):
    """The files that would come, go and change, sorted by path. Lists end after about 48 KB; `counts` counts all."""

    counts: FileCounts
    added: list[str]
    removed: list[str]
    changed: list[ChangedFile]


class CapabilityChange(TypedDict):
    """How the capabilities would change."""

    changed: Annotated[bool, Field(description="Whether their text would be another.")]
    widened: _Widened
    added: _AddedRules
    added_in_all: NotRequired[_AddedInAll]
    removed: _RemovedRules
    removed_in_all: NotRequired[_RemovedInAll]
    example: NotRequired[_NewRequest]


class Use(TypedDict):
    """What would be used of a limit."""

    used: Annotated[int, Field(ge=0)]
    limit: Annotated[int, Field(ge=0)]


DryRun = TypedDict(
    "DryRun",
    {
        "dry_run": Literal[True],
        "outcome": Literal["created", "changed", "unchanged"],
        "pack": Annotated[TriedPack, Field(description="The pack as it would be.")],
        "from": NotRequired[
            Annotated[TriedPack, Field(description="The pack that stands, if it would change.")]
        ],
        "files": NotRequired[
            Annotated[
                FileChanges, Field(description="Absent for images that are registered: nobody reads them.")
            ]
        ],
        "manifest": NotRequired[
            Annotated[list[str], Field(description="The keys of `pack.yaml` that would have another value.")]
        ],
        "capabilities": NotRequired[CapabilityChange],
        "limits": NotRequired[
            Annotated[
                dict[str, Use], Field(description="By the name of the limit, as in contract section 3.")
            ]
        ],
        "scan": NotRequired[
            Annotated[PackScan, Field(description="What the scanner found; absent while scanning is off.")]
        ],
        "warnings": NotRequired[Warnings],
    },
)
DryRun.__doc__ = "What a request would do. Nothing of it is kept."


class Upload(TypedDict):
    """A staged upload and how far it is."""

    upload_id: UploadId
    status: UploadStatus
    pack_id: NotRequired[Annotated[PackId, Field(description="The pack that it is for, or has become.")]]
    error: NotRequired[Annotated[ErrorBody, Field(description="Why it failed.")]]
    expires_at: Annotated[datetime, Field(description="Until when the status can last.")]
    dry_run: NotRequired[Annotated[bool, Field(description="Whether the archive is only tried.")]]
    outcome: NotRequired[Annotated[DryRun, Field(description="What a dry run has found, when it is done.")]]
    warnings: NotRequired[Warnings]


class StartedUpload(Upload):
    """A staged upload that awaits its archive: post `fields`, then the archive as `file`, to `url`."""

    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    fields: Annotated[
        dict[str, str], Field(description="Form fields, all of them as they are; the file comes last.")
    ]
    max_bytes: Annotated[int, Field(ge=1, description="The largest archive.")]


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


class Key(TypedDict):
    """An API key, without its secret."""

    id: Annotated[str, Field(pattern=f"^{KEY_ID.pattern}$", description="The SHA-256 of the secret, in hex.")]
    principal: Annotated[str, Field(description="Who acts with it, as histories name it.")]
    prefix: NotRequired[
        Annotated[
            str, Field(description="How its secret begins; absent for a key that the operator has issued.")
        ]
    ]
    label: str
    scopes: Annotated[list[Scope], Field(description="What it may do; empty for a key that only reads.")]
    pack_name: NotRequired[Annotated[Slug, Field(description="The only pack that it may touch.")]]
    created_at: datetime
    created_by: NotRequired[
        Annotated[str, Field(description="Who made it, a principal; absent for the operator.")]
    ]
    expires_at: NotRequired[
        Annotated[datetime, Field(description="From when on it is refused; absent for never.")]
    ]
    revoked_at: NotRequired[datetime]
    revoked_by: NotRequired[
        Annotated[str, Field(description="Who revoked it, a principal; absent for the operator.")]
    ]


class IssuedKey(Key):
    """A new API key. Its secret is shown this once."""

    key: Annotated[
        str, Field(pattern="^sk_[A-Za-z0-9_-]{43}$", description="The secret: what requests send.")
    ]


class KeyPage(TypedDict):
    """A page of keys, the newest first."""

    keys: list[Key]
    next_cursor: NotRequired[Cursor]


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
    files: NotRequired[Annotated[list["File"], Field(description="By path; of packs that were built here.")]]
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
    Pack,
    PackPage,
    SentPack,
    Deleted,
    DryRun,
    Upload,
    StartedUpload,
    FileList,
    RevisionPage,
    RolePacks,
    Key,
    IssuedKey,
    KeyPage,
    EventPage,
    Usage,
    RefreshedRole,
    Lock,
    RolePage,
    RoleRevisionPage,
    PullLogin,
    Download,
    VersionPolicyState,
    SignaturePolicyState,
    Error,
)
