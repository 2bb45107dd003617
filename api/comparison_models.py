"""What the operations that compare revisions and list references answer, as types; see `api.models`."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.capability_models import CapabilityRule
from api.models import ChangedFile, Cursor, File, PackFacts, RevisionStatus, RoleId
from packyard.oci.digest import SHA256


class PackRevision(PackFacts):
    """A pack as it was at one of its revisions."""

    revision: Annotated[int, Field(ge=1)]
    operation: Annotated[str, Field(description="What wrote the revision, such as `upload`.")]
    status: Annotated[RevisionStatus, Field(description="The state of its image now.")]
    actor: NotRequired[
        Annotated[str, Field(description="Who wrote it: `key:…`, `user:…` or `operator:…`; for the owner.")]
    ]


class ChangedFiles(TypedDict):
    """The files that differ between two revisions, each list sorted by path."""

    added: list[File]
    removed: list[File]
    changed: list[ChangedFile]


class AllowedRequests(TypedDict):
    """How what two revisions allow differs."""

    widened: Annotated[bool, Field(description="Whether `to` allows a request that `from` does not.")]
    added: Annotated[list[CapabilityRule], Field(description="Rules of `to` that allow something new.")]
    added_in_all: NotRequired[Annotated[int, Field(description="How many, if `added` has the first.")]]
    removed: Annotated[
        list[CapabilityRule], Field(description="Rules of `from` that allow what `to` does not.")
    ]
    removed_in_all: NotRequired[Annotated[int, Field(description="How many, if `removed` has the first.")]]
    example: NotRequired[Annotated[str, Field(description="A request that only `to` allows.")]]


Diff = TypedDict(
    "Diff",
    {
        "from": Annotated[int, Field(ge=1, description="The one revision.")],
        "to": Annotated[int, Field(ge=1, description="The other revision.")],
        "files": NotRequired[Annotated[ChangedFiles, Field(description="Absent if they are not known.")]],
        "files_unknown": NotRequired[Annotated[str, Field(description="Why the files are not known.")]],
        "manifest": Annotated[
            list[str],
            Field(description="The keys of `pack.yaml` whose values differ.", examples=[["version"]]),
        ],
        "capabilities": AllowedRequests,
        "bump": NotRequired[
            Annotated[
                Literal["major", "minor", "patch", "none"],
                Field(
                    description="The least step of the version that fits: `major` if capabilities are wider or files "
                    "are removed, `minor` if files are added, `patch` for other changes. Absent if it depends on "
                    "files that are not known."
                ),
            ]
        ],
    },
)
Diff.__doc__ = "What differs between two revisions of a pack."


class Elsewhere(TypedDict):
    """Where a body is, for a request with `as=url`."""

    url: Annotated[str, Field(json_schema_extra={"format": "uri"}, description="Valid for five minutes.")]
    digest: Annotated[str, Field(pattern=f"^{SHA256.pattern}$", description="Of the body.")]


class Reference(TypedDict):
    """A role that references a pack."""

    role_id: RoleId
    revision: Annotated[int, Field(ge=1, description="The revision at which it pins the pack.")]
    follow: Annotated[bool, Field(description="Whether the service moves the pin to the next revisions.")]
    stale: Annotated[bool, Field(description="Whether the pack's present image is another than the pin's.")]


class ReferencePage(TypedDict):
    """A page of the roles that reference a pack, by their ids."""

    roles: Annotated[list[Reference], Field(description="Roles of your organisation.")]
    others: NotRequired[
        Annotated[
            int, Field(ge=0, description="How many roles of other organisations; for the pack's owner.")
        ]
    ]
    next_cursor: NotRequired[Cursor]


MODELS: tuple[Any, ...] = (PackRevision, Diff, Elsewhere, ReferencePage)
