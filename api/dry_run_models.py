"""What a dry run answers, as types; see `api.models`."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.capability_models import CapabilityChange
from api.models import ChangedFile, ContentDigest, ImageDigest, PackId, SemVer, Slug, Warnings
from api.scan_models import PackScan
from packyard.packs.pack import Visibility


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


MODELS: tuple[Any, ...] = (DryRun,)
